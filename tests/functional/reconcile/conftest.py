"""A project on the emulator with a dataset in it, and the core's ports to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tuneform.platforms.vertex import connect
from tuneform.reconcile.desired import Content, HyperParameters, Identity, Project, Serving, Tuning
from tuneform.reconcile.holders import holder
from tuneform.reconcile.live import Progress
from tuneform.reconcile.ports import Ports

PROJECT = Project("demo", "demo-project", "us-central1", "us-central1", "team", "demo-project-tuneform-state")
COLOURS = ("red", "green", "blue")


@dataclass
class Heard:
    """What the core said, and the moves of the jobs it waited for."""

    said: list[str] = field(default_factory=list)
    moves: list[Progress] = field(default_factory=list)

    def say(self, identity: Identity, text: str) -> None:
        self.said.append(text)

    def progress(self, identity: Identity, progress: Progress) -> None:
        self.moves.append(progress)


class EmulatorClock:
    """Real time; the waits are short because the emulator's jobs are. `stop` makes the next wait the last."""

    def __init__(self) -> None:
        self.stop = False
        self.waits = 0
        self.before_wait: Callable[[], None] = lambda: None
        self._bell = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        self.before_wait()
        return self.stop or self._bell.wait(min(seconds, 0.05))


@dataclass
class Bench:
    """The ports, what they said, and documents to reconcile."""

    ports: Ports
    heard: Heard
    clock: EmulatorClock
    bucket: Any
    tuning: Tuning
    endpoint: str
    runs: int = 0

    def serving(self, revision: str, **fields: Any) -> Serving:
        return Serving(PROJECT, "intents", "intents", revision, **fields)

    def restart(self, project: Project = PROJECT, **options: Any) -> Ports:
        """Ports as another process would have them: nothing is shared but the emulator."""
        host, pid, run = holder().split(":")
        self.runs += 1
        name = f"{host}:{pid}:{run}-{self.runs}"
        given = {"listener": self.heard, "clock": self.clock, "holder": name, "list_lag": timedelta(0)}
        return connect(project, self.endpoint, **{**given, **options})

    def with_epochs(self, epochs: int) -> Tuning:
        return replace(self.tuning, hyper_parameters=HyperParameters(epochs, "ADAPTER_SIZE_EIGHT", 1.0))

    def put(self, name: str, rows: int) -> Content:
        text = "\n".join(_line(f"say {c} please {n}", c) for n in range(rows) for c in COLOURS)
        self.bucket.blob(f"datasets/x/{name}.jsonl").upload_from_string(text)
        return Content(f"gs://demo-data/datasets/x/{name}.jsonl", f"sha256:{name}", rows * 3, rows * 30)


def _line(question: str, answer: str) -> str:
    turns = (("user", question), ("model", answer))
    return json.dumps({"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]})


@pytest.fixture
def bench(emulator: Any) -> Bench:
    heard, clock = Heard(), EmulatorClock()
    client = storage.Client(
        "demo-project", AnonymousCredentials(), client_options={"api_endpoint": emulator.endpoint}
    )
    bucket = client.create_bucket("demo-data", location="us-central1")
    ports = connect(PROJECT, emulator.endpoint, listener=heard, clock=clock, list_lag=timedelta(0))
    tuning = Tuning(PROJECT, "intents", "gemini-2.5-flash", Content("", "", 0, 0), keep=None)
    made = Bench(ports, heard, clock, bucket, tuning, emulator.endpoint)
    made.tuning = replace(
        tuning,
        training=made.put("train", 20),
        validation=made.put("validation", 4),
        hyper_parameters=HyperParameters(3, "ADAPTER_SIZE_EIGHT", 1.0),
    )
    return made
