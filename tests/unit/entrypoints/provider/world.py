"""A world in memory for the provider's translation: what is live is data, and everything said is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.unit.reconcile.builders import NOON, PROJECT

from tuneform.entrypoints.provider.resources.base import Call
from tuneform.entrypoints.provider.session import EngineLog, Session
from tuneform.reconcile.desired import Project
from tuneform.reconcile.ledger import Pointer, Record, Versioned
from tuneform.reconcile.live import Curves, Endpoint, Job, Model, Stored
from tuneform.reconcile.ports import Ports

CONTENT = {
    "uri": "gs://demo-data/datasets/intents/aa.jsonl",
    "digest": "sha256:aa",
    "examples": 300,
    "tokens": 6000,
    "tokensLow": 5000,
    "tokensHigh": 8000,
}
PROJECT_JSON = {
    "name": PROJECT.name,
    "projectId": PROJECT.project_id,
    "location": PROJECT.location,
    "servingLocation": PROJECT.serving_location,
    "owner": PROJECT.owner,
    "stateBucket": PROJECT.state_bucket,
}
TUNING_INPUTS: Mapping[str, Any] = {
    "project": PROJECT_JSON,
    "name": "intents",
    "baseModel": "gemini-2.5-flash",
    "training": CONTENT,
    "hyperParameters": {"epochCount": 4, "adapterSize": "ADAPTER_SIZE_EIGHT", "learningRateMultiplier": 1},
}


class KeptLog(EngineLog):
    """What the engine would show."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append(f"warning: {text}")


@dataclass
class Live:
    """`ports.Reader` and `ports.History` over what is given; nothing that writes is there to be called."""

    found: tuple[Job, ...] = ()
    models: Mapping[str, Model] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    pointed: tuple[Pointer, ...] = ()

    def jobs(self, project: Project, name: str | None = None) -> tuple[Job, ...]:
        return tuple(job for job in self.found if name in (None, job.labels["tuneform-name"]))

    def job(self, name: str) -> Job | None:
        return next((job for job in self.found if job.name == name), None)

    def model(self, name: str) -> Model | None:
        return self.models.get(name)

    def endpoint(self, name: str) -> Endpoint | None:
        return self.endpoints.get(name)

    def curves(self, job: Job) -> Curves:
        return Curves(train_loss=((10, 2.0), (40, 0.5)), eval_loss=((40, 0.75),))

    def history(self, project: Project, name: str) -> tuple[Versioned, ...]:
        return tuple(Versioned(record, 1) for record in self.records if record.name == name)

    def heads(self, project: Project) -> tuple[Versioned, ...]:
        return tuple(Versioned(record, 1) for record in self.records)

    def pointers(self, project: Project) -> tuple[Pointer, ...]:
        return self.pointed

    def now(self) -> datetime:
        return Afternoon().now()

    def read(self, project: Project, name: str, revision: str) -> Versioned | None:
        return next((v for v in self.history(project, name) if v.record.revision == revision), None)


class NoObjects:
    """`ports.Objects` of empty buckets."""

    def stored(self, prefix: str) -> tuple[Stored, ...]:
        return ()

    def under(self, prefix: str) -> tuple[str, ...]:
        return ()


class Afternoon:
    """`ports.Clock` at an hour when everything that ended at noon has settled; nothing waits."""

    def now(self) -> datetime:
        return NOON + timedelta(hours=1)

    def wait(self, seconds: float) -> bool:
        raise AssertionError(f"nothing is under way, and {seconds} s were to be waited")


class LiveSession(Session):
    """A session whose ports look at a `Live`; anything that writes fails, for want of a writer."""

    def __init__(self, live: Live) -> None:
        super().__init__(KeptLog())
        self.live = live

    def ports(self, project: Project) -> Ports:
        absent: Any = None
        # One object plays Reader and Ledger, and shows data alone; mypy is told it is both.
        both: Any = self.live
        none: Any = NoObjects()
        return Ports(
            reader=both,
            writer=absent,
            ledger=both,
            objects=none,
            infrastructure=absent,
            clock=Afternoon(),
            listener=self.log,
            holder="here:1:test",
        )

    @property
    def said(self) -> list[str]:
        assert isinstance(self.log, KeptLog)
        return self.log.lines


def call(live: Live, inputs: Mapping[str, Any], **held: Any) -> tuple[Call, LiveSession]:
    session = LiveSession(live)
    return Call(session, inputs, **held), session
