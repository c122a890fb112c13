"""A client that asks the serving endpoint all the time, through the official SDK, and what it saw."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from google.genai import Client, errors, types
from google.oauth2.credentials import Credentials
from tests.functional.main_job.checkout import PARENT, PROJECT, Checkout

PAUSE = 0.05
"""Seconds between two questions: the machine has other work to do as well."""


@dataclass
class Heard:
    """Answers and failures, and the models that had all the traffic, in the order in which they had it."""

    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    served: list[str] = field(default_factory=list)


@contextmanager
def asking(checkout: Checkout, endpoint: str, question: str) -> Iterator[Heard]:
    """Ask while the block runs."""
    heard, stop = Heard(), threading.Event()
    thread = threading.Thread(target=_ask, args=(checkout, endpoint, question, heard, stop))
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join()


def ask(checkout: Checkout, endpoint: str, question: str) -> str:
    """One answer of an endpoint of the project."""
    return _answer(_client(checkout), endpoint, question)


def serving(checkout: Checkout, endpoint: str) -> list[str]:
    """The models that an endpoint gives traffic to."""
    found = checkout.answer(f"v1/{PARENT}/endpoints/{endpoint}")
    split = found.get("trafficSplit", {})
    deployed = [one for one in found.get("deployedModels", []) if split.get(one["id"])]
    return [with_id(one["model"]) for one in deployed]


def with_id(name: str) -> str:
    """A resource name with the project's id in it, as outputs have it; Vertex answers with the number."""
    return f"projects/{PROJECT}/locations/{name.partition('/locations/')[2]}"


def _ask(checkout: Checkout, endpoint: str, question: str, heard: Heard, stop: threading.Event) -> None:
    client = _client(checkout)
    while not stop.is_set():
        try:
            heard.answers.append(_answer(client, endpoint, question))
        except (errors.APIError, OSError) as error:
            heard.failures.append(str(error))
        for model in serving(checkout, endpoint):
            if model not in heard.served:
                heard.served.append(model)
        stop.wait(PAUSE)


def _client(checkout: Checkout) -> Client:
    return Client(
        vertexai=True,
        project=PROJECT,
        location="us-central1",
        credentials=Credentials(token="not-a-secret"),
        http_options=types.HttpOptions(base_url=checkout.endpoint, api_version="v1"),
    )


def _answer(client: Client, endpoint: str, question: str) -> str:
    answered = client.models.generate_content(model=f"{PARENT}/endpoints/{endpoint}", contents=question)
    assert answered.text, answered
    return answered.text
