"""What the core needs of a platform. `tuneform.platforms` implements these with the official clients.

Every method may raise `tuneform.errors.RemoteError`; its subclass says what may follow. Reads retry by
themselves; `create_job` is sent exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from tuneform.reconcile.actions import Origin
from tuneform.reconcile.desired import Identity, Needs, Project, Tuning
from tuneform.reconcile.ledger import Pointer, Versioned
from tuneform.reconcile.live import Curves, Endpoint, Job, Lack, Model, Progress, Stored
from tuneform.reconcile.turns import Turns


class Reader(Protocol):
    """Looks, and changes nothing."""

    def jobs(self, project: Project, name: str | None = None) -> tuple[Job, ...]:
        """Every job that carries our owner label (and this tuning's name, if given), newest first."""
        ...

    def others(self, project: Project) -> tuple[Job, ...]:
        """Every job of the project that does not carry our owner label, newest first."""
        ...

    def models(self, project: Project) -> tuple[Model, ...]:
        """Every model where the jobs are, ours or not."""
        ...

    def endpoints(self, project: Project) -> tuple[Endpoint, ...]:
        """Every endpoint where models are served, ours or not."""
        ...

    def job(self, name: str) -> Job | None:
        """One job by resource name."""
        ...

    def model(self, name: str) -> Model | None:
        """One model by resource name, with or without a version."""
        ...

    def endpoint(self, name: str) -> Endpoint | None:
        """One endpoint by resource name."""
        ...

    def curves(self, job: Job) -> Curves:
        """The measured curves so far; empty ones while there are none."""
        ...


class Writer(Protocol):
    """Changes the platform. Each method returns when the change is done."""

    def create_job(
        self, tuning: Tuning, training_uri: str, labels: Mapping[str, str], origin: Origin | None = None
    ) -> Job:
        """Create the job, in one call, never repeated. `origin` is the tuned model that it goes on from, if any."""
        ...

    def cancel_job(self, name: str) -> None:
        """Ask for a job to be cancelled; a job that has ended is left as it is."""
        ...

    def patch_model(
        self, name: str, *, labels: Mapping[str, str], display_name: str = "", description: str = ""
    ) -> None:
        """Set the labels (all of them), and display name and description where given."""
        ...

    def delete_model(self, name: str) -> None:
        """Delete a model; one that is gone already is fine."""
        ...

    def create_endpoint(self, endpoint: Endpoint, *, kms_key: str | None) -> None:
        """Create an endpoint under the id in its resource name."""
        ...

    def patch_endpoint(self, endpoint: Endpoint) -> None:
        """Set labels, display name and description to the endpoint's."""
        ...

    def deploy(self, endpoint: str, model: str, checkpoint: str, *, traffic: Mapping[str, int]) -> str:
        """Deploy a model's checkpoint and return the deployed id. In `traffic`, `0` stands for the new one."""
        ...

    def set_traffic(self, endpoint: str, traffic: Mapping[str, int]) -> None:
        """Switch the traffic, in one call."""
        ...

    def undeploy(self, endpoint: str, deployed: str) -> None:
        """Take a deployed model off an endpoint."""
        ...

    def delete_endpoint(self, name: str) -> None:
        """Delete an endpoint on which nothing is deployed; one that is gone already is fine."""
        ...

    def ask(self, endpoint: str, request: Mapping[str, Any]) -> str:
        """The answer's text to a request with `contents` and maybe `systemInstruction`, at temperature 0."""
        ...


class History(Protocol):
    """The state bucket's records, to be read."""

    def read(self, project: Project, name: str, revision: str) -> Versioned | None:
        """One revision's record."""
        ...

    def history(self, project: Project, name: str) -> tuple[Versioned, ...]:
        """The whole records of all revisions of one tuning."""
        ...

    def heads(self, project: Project) -> tuple[Versioned, ...]:
        """The lean records of all tunings, in pages: no record is read on its own account."""
        ...

    def pointers(self, project: Project) -> tuple[Pointer, ...]:
        """Every pointer of the project."""
        ...

    def now(self) -> datetime:
        """The server's time, in UTC, by which leases and lags are judged."""
        ...


class Ledger(History, Protocol):
    """The state bucket's records."""

    def write(self, project: Project, versioned: Versioned) -> Versioned:
        """Compare-and-swap: stored only while the object is still at the given generation.

        Raises:
            LedgerConflict: it is not.
        """
        ...

    def forget(self, project: Project, versioned: Versioned) -> None:
        """Delete a record at its generation; earlier generations stay in the bucket.

        Raises:
            LedgerConflict: somebody else changed it.
        """
        ...

    def point(self, project: Project, pointer: Pointer) -> None:
        """Store a pointer, by compare-and-swap on its generation.

        Raises:
            LedgerConflict: somebody else moved it.
        """
        ...

    def unpoint(self, project: Project, name: str) -> None:
        """Delete a pointer; one that is gone already is fine."""
        ...


class Contents(Protocol):
    """Objects in Cloud Storage, by `gs://` URI, to be read."""

    def read(self, uri: str) -> bytes:
        """The content of an object."""
        ...

    def chunks(self, uri: str) -> Iterator[bytes]:
        """The content of an object, a few megabytes at a time, all of one generation."""
        ...

    def exists(self, uri: str) -> bool:
        """Whether there is a live object."""
        ...

    def stored(self, prefix: str) -> tuple[Stored, ...]:
        """The live objects under a prefix."""
        ...

    def under(self, prefix: str) -> tuple[str, ...]:
        """The URIs of all objects under a prefix, noncurrent ones included."""
        ...


class Objects(Contents, Protocol):
    """Objects in Cloud Storage."""

    def put(self, uri: str, data: bytes, digest: str, note: str) -> bool:
        """Store an object and note its digest and whose it is.

        False when it is there already, with that digest and intact, whoever's it is.
        """
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy within Cloud Storage, over whatever is at the target.

        Raises:
            NotFound: there is no source.
        """
        ...

    def delete(self, uri: str) -> None:
        """Delete an object in all its generations; one that is gone already is fine."""
        ...


class Infrastructure(Protocol):
    """Looks at what Pulumi manages: buckets, keys, accounts, grants."""

    def lacks(self, needs: Needs) -> tuple[Lack, ...]:
        """What is missing or differs, in the order of the needs."""
        ...


class Clock(Protocol):
    """Time, and waiting."""

    def now(self) -> datetime:
        """The time, in UTC."""
        ...

    def wait(self, seconds: float) -> bool:
        """Let time pass. True when whoever waits was asked to stop."""
        ...


class Listener(Protocol):
    """Hears what the core is doing, for people."""

    def say(self, identity: Identity, text: str) -> None:
        """One thing that was done or found."""
        ...

    def progress(self, identity: Identity, progress: Progress) -> None:
        """Where a job that is waited for has got to."""
        ...


@dataclass(frozen=True)
class View:
    """All that a look, and so a plan, may use: nothing here can change anything."""

    reader: Reader
    ledger: History
    objects: Contents
    infrastructure: Infrastructure
    clock: Clock


@dataclass(frozen=True)
class Ports:
    """Everything the core reaches the outside through.

    `poll` is how many seconds pass between two looks at a job that is waited for; `list_lag` is how long a job that
    was created may be missing from lists; `holder` is who this process is in the ledger, `host:pid:id`; `turns` is the
    line of those that wait for a place among the project's jobs.
    """

    reader: Reader
    writer: Writer
    ledger: Ledger
    objects: Objects
    infrastructure: Infrastructure
    clock: Clock
    listener: Listener
    holder: str
    poll: float = 10.0
    list_lag: timedelta = timedelta(seconds=60)
    turns: Turns = field(default_factory=Turns)

    @property
    def view(self) -> View:
        """The part of it that only looks."""
        return View(self.reader, self.ledger, self.objects, self.infrastructure, self.clock)
