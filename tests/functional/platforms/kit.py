"""The ports of one project to a running emulator, its levers, and data to train on."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tests.faults.control import Control, Logged
from tests.functional.emulators import Emulator

from tuneform.platforms.vertex import connect
from tuneform.platforms.vertex.clients import Transport
from tuneform.reconcile.desired import Content, HyperParameters, Identity, Project, Tuning
from tuneform.reconcile.live import ATTEMPT_LABEL, NAME_LABEL, OWNER_LABEL, REVISION_LABEL, Job, Progress
from tuneform.reconcile.ports import Ports

ID = "tuneform-test"
PROJECT = Project("demo", ID, "us-central1", "us-central1", "team", f"{ID}-tuneform-state")
BUCKET = "tuneform-test-data"
TRAINING = f"gs://{BUCKET}/datasets/colours/train.jsonl"
HOLDER = "host:12:1a2b3c4d"
RUN = "1a2b3c4d"
PATIENCE = 60.0
LABELS = {
    OWNER_LABEL: "team",
    NAME_LABEL: "intents",
    REVISION_LABEL: "r1-0123456789abcdef",
    ATTEMPT_LABEL: "2",
}
TUNING = Tuning(
    PROJECT,
    "intents",
    "gemini-2.5-flash",
    Content(TRAINING, "sha256:1", 60, 600),
    hyper_parameters=HyperParameters(2, "ADAPTER_SIZE_EIGHT", 1.0),
    display_name="Intents",
    description="What it is for",
)
COLOURS = ("red", "green", "blue")


class Silent:
    """A listener that hears nothing."""

    def say(self, identity: Identity, text: str) -> None:
        return

    def progress(self, identity: Identity, progress: Progress) -> None:
        return


class Now:
    """The machine's clock; nobody waits by it here."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        raise AssertionError("the platform does not wait by this clock")


@dataclass(frozen=True)
class Bench:
    """What the tests ask and what they ask it with."""

    emulator: Emulator
    transport: Transport
    ports: Ports
    control: Control

    def calls(self, since: int = 0) -> Counter[str]:
        """Calls of our run by method and the end of their route, e.g. "GET /tuningJobs"."""
        return Counter(f"{call.method} {ending(call.route)}" for call in self.log(since))

    def log(self, since: int = 0) -> list[Logged]:
        return [call for call in self.control.log(since) if call.run == RUN]

    def mark(self) -> int:
        """The number of the last call, to see those after it."""
        return max((call.number for call in self.control.log()), default=0)

    def data(self) -> None:
        """The training data, in its bucket."""
        storage = self.emulator.storage()
        if not storage.bucket(BUCKET).exists():
            storage.create_bucket(BUCKET, location="us-central1")
        rows = (line(f"say {c} please {n}", c) for n in range(20) for c in COLOURS)
        storage.bucket(BUCKET).blob(TRAINING.partition(f"{BUCKET}/")[2]).upload_from_string("\n".join(rows))

    def create(self, tuning: Tuning = TUNING) -> Job:
        return self.ports.writer.create_job(tuning, TRAINING, LABELS)

    def ended(self, name: str) -> Job:
        until = time.monotonic() + PATIENCE
        while True:
            job = self.ports.reader.job(name)
            assert job is not None
            if job.state.ended:
                return job
            assert time.monotonic() < until, job


def connected(endpoint: str, transport: Transport, *, holder: str = HOLDER, **options: Any) -> Ports:
    return connect(
        PROJECT,
        endpoint,
        listener=Silent(),
        clock=Now(),
        holder=holder,
        transport=transport,
        **options,
    )


def ending(route: str) -> str:
    """The last fixed part of a route's pattern and what follows it, e.g. "/tuningJobs/{job}:cancel"."""
    found = re.search(r"/[A-Za-z]+(/\{[^/]+\}(:\w+)?|:\w+)?$", route)
    return found[0] if found else route


def line(question: str, answer: str) -> str:
    turns = (("user", question), ("model", answer))
    return json.dumps({"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]})


def with_validation(tuning: Tuning) -> Tuning:
    return replace(tuning, validation=tuning.training)
