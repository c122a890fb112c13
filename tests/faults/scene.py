"""What the sweeps apply: one small tuning with a gate, in a project whose infrastructure is there."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

PROJECT_ID = "tuneform-faults"
LOCATION = "us-central1"
BUCKET = f"{PROJECT_ID}-data"
STATE_BUCKET = f"{PROJECT_ID}-tuneform-state"
OWNER = "sweepers"
NAME = "colours"
COLOURS = ("red", "green", "blue")

SHARED = f"""\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {{name: sweeps}}
spec: {{projectId: {PROJECT_ID}, location: {LOCATION}, owner: {OWNER}}}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {{name: data}}
spec: {{}}
"""
TUNING = """\
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {{name: {name}}}
spec:
  bucket: {{ref: data}}
  training: {name}-training.jsonl
  validation: {name}-validation.jsonl
  test: {name}-test.jsonl
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {{name: {name}, labels: {{team: paint}}}}
spec:
  baseModel: gemini-2.5-flash
  dataset: {{ref: {name}}}
  hyperParameters: {{epochCount: {epochs}, adapterSize: ADAPTER_SIZE_FOUR, learningRateMultiplier: 1.0}}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {{name: {name}}}
spec:
  job: {{ref: {name}}}
  checkpoint: {checkpoint}
  gate: {{exactMatch: {{atLeast: {at_least}, examples: 4}}}}
  keep: {keep}
  serving: {serving}
"""


@dataclass(frozen=True)
class Scene:
    """The specs. Another `version` is other content in every split, another number of `epochs` another recipe."""

    name: str = NAME
    version: int = 1
    epochs: int = 2
    keep: int = 0
    checkpoint: str = "best"
    serving: str = "endpoint"
    at_least: float = 0.5

    @property
    def endpoint(self) -> str:
        """The id of the endpoint that serves in the end; "" stands for one that the service named."""
        return self.name if self.serving == "endpoint" else ""

    def write(self, folder: Path) -> None:
        """Put the specs below `folder/specs`, and a file that makes the folder a project."""
        (folder / "tuneform.toml").touch()
        specs = folder / "specs"
        specs.mkdir(exist_ok=True)
        (specs / "project.yaml").write_text(SHARED)
        values = {
            "name": self.name,
            "epochs": self.epochs,
            "checkpoint": self.checkpoint,
            "at_least": self.at_least,
            "keep": self.keep,
            "serving": self.serving,
        }
        (specs / f"{self.name}.yaml").write_text(TUNING.format(**values))
        for split, rows in (("training", 12), ("validation", 4), ("test", 2)):
            (specs / f"{self.name}-{split}.jsonl").write_text(self._lines(split, rows))

    def _lines(self, split: str, rows: int) -> str:
        found = (
            _line(f"{split} {self.version}: paint number {row} {colour} please", colour)
            for row in range(rows)
            for colour in COLOURS
        )
        return "\n".join(found) + "\n"

    def second(self) -> Scene:
        """The same with other content: the next revision."""
        return replace(self, version=self.version + 1)


def _line(question: str, answer: str) -> str:
    turns = (("user", question), ("model", answer))
    return json.dumps({"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]})


def make_infrastructure(endpoint: str) -> None:
    """Make what `up` would have made: `apply` touches no infrastructure."""
    service = f"{endpoint}/v1/projects/{PROJECT_ID}/services/aiplatform.googleapis.com:enable"
    requests.post(service, json={}, timeout=30).raise_for_status()
    client = storage.Client(PROJECT_ID, AnonymousCredentials(), client_options={"api_endpoint": endpoint})
    client.create_bucket(BUCKET, location=LOCATION)
    client.close()
