"""A running emulator, data to train on, and the official clients pointed at it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1, aiplatform_v1beta1, storage
from google.genai import Client, types
from google.oauth2.credentials import Credentials

from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.world import Settings, World

PROJECT = "vertex-tests"
LOCATION = "us-central1"
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
BUCKET = "vertex-tests-data"
TRAINING = f"gs://{BUCKET}/training.jsonl"
VALIDATION = f"gs://{BUCKET}/validation.jsonl"

QUESTIONS = {
    "greeting": ("hello there", "good morning", "hi, how are you", "hey friend", "good evening to you"),
    "refund": ("I want my money back", "refund my order", "please return the payment", "money back now"),
    "delivery": ("where is my parcel", "track my delivery", "when does the package arrive", "parcel is late"),
}


def line(question: str, answer: str) -> dict[str, Any]:
    return {
        "systemInstruction": {"role": "system", "parts": [{"text": "Name the intent."}]},
        "contents": [
            {"role": "user", "parts": [{"text": question}]},
            {"role": "model", "parts": [{"text": answer}]},
        ],
    }


def dataset(repeat: int) -> bytes:
    rows = [
        line(f"{question} {number}", answer)
        for number in range(repeat)
        for answer, questions in QUESTIONS.items()
        for question in questions
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@dataclass(frozen=True)
class Vertex:
    """A running emulator and what the tests ask it with."""

    world: World
    endpoint: str
    clients: dict[str, Client] = field(default_factory=dict)
    """google-genai closes a client that nobody holds, also while it is being used."""

    def genai(self, version: str = "v1beta1") -> Client:
        if version not in self.clients:
            self.clients[version] = self._genai(version)
        return self.clients[version]

    def _genai(self, version: str) -> Client:
        return Client(
            vertexai=True,
            project=PROJECT,
            location=LOCATION,
            credentials=Credentials(token="not-a-secret"),
            http_options=types.HttpOptions(base_url=self.endpoint, api_version=version),
        )

    def gapic(self, name: str, version: str = "v1") -> Any:
        package = {"v1": aiplatform_v1, "v1beta1": aiplatform_v1beta1}[version]
        options = ClientOptions(api_endpoint=self.endpoint)
        client = getattr(package, name)
        return client(credentials=AnonymousCredentials(), transport="rest", client_options=options)

    def call(
        self, method: str, path: str, body: object = None, *, version: str = "v1beta1"
    ) -> requests.Response:
        """A plain request under the tests' project and location."""
        url = f"{self.endpoint}/{version}/{PARENT}/{path}"
        return requests.request(method, url, json=body, timeout=30)

    def create_job(self, *, version: str = "v1beta1", **more: Any) -> dict[str, Any]:
        spec = {"trainingDatasetUri": TRAINING, "hyperParameters": {"epochCount": 3}}
        response = self.call("POST", "tuningJobs", {**job_body(spec), **more}, version=version)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def job(self, name: str, version: str = "v1beta1") -> dict[str, Any]:
        response = requests.get(f"{self.endpoint}/{version}/{name}", timeout=30)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def wait(self, name: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Asks for the job until it is where it should be."""
        deadline = time.monotonic() + 60
        while not reached(job := self.job(name)):
            assert time.monotonic() < deadline, job
        return job

    def succeeded(self, name: str) -> dict[str, Any]:
        job = self.wait(name, lambda job: job["state"] in ENDED)
        assert job["state"] == "JOB_STATE_SUCCEEDED", job
        return job


ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


def job_body(spec: dict[str, Any], model: str = "gemini-2.5-flash") -> dict[str, Any]:
    return {"baseModel": model, "supervisedTuningSpec": spec}


def upload(endpoint: str, name: str, data: bytes) -> str:
    """Puts an object into the tests' bucket with the official client."""
    client = storage.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=endpoint),
    )
    bucket = client.lookup_bucket(BUCKET) or client.create_bucket(BUCKET, location=LOCATION)
    bucket.blob(name).upload_from_string(data, content_type="application/jsonl")
    return f"gs://{BUCKET}/{name}"


def launch(path: Path, settings: Settings) -> Iterator[Vertex]:
    """Runs an emulator over a state file; the block's end stops it and leaves the file."""
    store = Store(path)
    world = World(store, WallClock(), settings)
    with server.running(world) as endpoint:
        yield Vertex(world, endpoint)
    store.close()
