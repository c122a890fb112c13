"""Which endpoint answers for a served model: for programs that call it.

    from tuneform import serving

    name = serving.endpoint("support-intents", project="demo", project_id="my-project", location="us-central1")

A TunedModel with `serving: endpoint` keeps one endpoint for ever, so its name may as well be written down. With
`serving: pointer` the endpoint changes with each revision that is promoted, and is to be asked for again from time to
time, or when a call fails with 404.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tuneform.errors import ReconcileError
from tuneform.reconcile.desired import Identity, Project
from tuneform.reconcile.ledger import Pointer
from tuneform.reconcile.live import NAME_LABEL, REVISION_LABEL, Endpoint, Progress
from tuneform.reconcile.ports import History, Reader
from tuneform.review.status import answering, record_of


class NothingServesError(ReconcileError):
    """No endpoint answers for the model yet."""

    code = "E620"


@dataclass(frozen=True)
class Served:
    """What answers for a model. `endpoint` and `model` are full resource names, the model's with its version.

    `revision` is empty where no ledger record names the model, `checkpoint` where there is only one.
    """

    name: str
    how: Literal["endpoint", "pointer"]
    endpoint: str
    model: str
    revision: str
    checkpoint: str


def endpoint(
    name: str,
    *,
    project: str,
    project_id: str,
    location: str,
    serving_location: str = "",
    state_bucket: str = "",
    emulator: str | None = None,
) -> str:
    """The full resource name of the endpoint to call for a served model: `projects/P/locations/L/endpoints/E`.

    `name` is the TunedModel's, `project` the Project document's; the others are as that document says them.
    `emulator` is where a tuneform emulator listens, $TUNEFORM_ENDPOINT unless given; without either Google Cloud is
    asked, with Application Default Credentials, which need to read the state bucket.

    Raises:
        NothingServesError: nothing serves yet.
        RemoteError: it cannot be found out.
    """
    from tuneform.platforms.vertex import connect  # noqa: PLC0415 (a second that those who have ports need not wait)

    where = Project(
        name=project,
        project_id=project_id,
        location=location,
        serving_location=serving_location or location,
        owner="",
        state_bucket=state_bucket or f"{project_id}-tuneform-state",
    )
    address = emulator or os.environ.get("TUNEFORM_ENDPOINT") or None
    ports = connect(where, address, listener=_Silent(), clock=_Clock())
    return serving(ports.reader, ports.ledger, where, name).endpoint


def serving(
    reader: Reader, ledger: History, project: Project, name: str, *, lasting: str = "", pointer: bool = True
) -> Served:
    """What answers for a served model, with its revision.

    `lasting` is the resource name of its endpoint where its document says it; `pointer` whether to go by a pointer
    first. While one way has nothing to show, what the other shows still serves.

    Raises:
        NothingServesError: nothing serves yet.
    """
    ways = [_by_pointer, _by_endpoint] if pointer else [_by_endpoint, _by_pointer]
    for way in ways:
        found = way(reader, ledger, project, name, lasting)
        if found is not None:
            return found
    raise NothingServesError(
        f"nothing serves {project.name}/{name} yet",
        remedy="`tuneform apply` brings it there; `tuneform status` says how far it is",
    )


def _by_pointer(reader: Reader, ledger: History, project: Project, name: str, lasting: str) -> Served | None:
    del lasting
    found: Pointer | None = next((p for p in ledger.pointers(project) if p.name == name), None)
    if found is None or reader.endpoint(found.endpoint) is None:
        return None
    return Served(name, "pointer", found.endpoint, found.model, found.revision, found.checkpoint)


def _by_endpoint(reader: Reader, ledger: History, project: Project, name: str, lasting: str) -> Served | None:
    live = reader.endpoint(lasting or f"{project.serving_parent}/endpoints/{name}")
    if live is None and not lasting:
        live = _of_label(reader, project, name)
    found = answering(live) if live is not None else None
    if live is None or found is None:
        return None
    model = f"{found.model}@{found.version}"
    record = record_of((versioned.record for versioned in ledger.heads(project)), model)
    return Served(name, "endpoint", live.name, model, record.revision if record else "", found.checkpoint)


def _of_label(reader: Reader, project: Project, name: str) -> Endpoint | None:
    """The serving endpoint of a document that was renamed: it keeps its first name, and its label says the new one."""
    named = (e for e in reader.endpoints(project) if e.labels.get(NAME_LABEL) == name)
    return next((e for e in named if REVISION_LABEL not in e.labels), None)


class _Silent:
    """`ports.Listener` that shows nothing."""

    def say(self, identity: Identity, text: str) -> None:
        """Nobody listens."""

    def progress(self, identity: Identity, progress: Progress) -> None:
        """Nobody listens."""


class _Clock:
    """`ports.Clock` on the machine's time."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        time.sleep(seconds)
        return False
