"""The ledger in the state bucket: records, pointers, and the server's time."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from time import monotonic

from google.api_core import exceptions

from tuneform.errors import LedgerConflict, ReconcileError
from tuneform.platforms.vertex.calls.retry import ONCE, READ
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.storage import blobs
from tuneform.platforms.vertex.storage.blobs import Blob, Place
from tuneform.platforms.vertex.storage.swap import JSON, swap
from tuneform.reconcile.desired import Project
from tuneform.reconcile.ledger import Pointer, Versioned, dump, head, parse, parse_head

HEAD = "tuneform-head"
POINTER = "tuneform-pointer"
HEAD_LIMIT = 7 * 1024
"""An object's custom metadata may have 8 KiB in all (Cloud Storage quotas, 2026)."""
REMEMBERED = 300.0
"""Seconds for which the distance between our clock and the server's is taken to stay the same."""


class GcsLedger:
    """`ports.Ledger`: one object a revision, in the project's state bucket."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._clock = ServerClock(clients)

    def read(self, project: Project, name: str, revision: str) -> Versioned | None:
        """See `ports.History`."""
        place = _place(project, name, revision)
        return self._clients.run(f"reading the ledger {place}", _read(self._clients, place))

    def history(self, project: Project, name: str) -> tuple[Versioned, ...]:
        """See `ports.History`."""
        prefix = Place(project.state_bucket, f"ledger/{project.name}/{name}/")
        return self._clients.run(f"reading the ledger {prefix}", self._history(prefix))

    async def _history(self, prefix: Place) -> tuple[Versioned, ...]:
        found = await blobs.listed(self._clients, prefix)
        read = await asyncio.gather(*(_at(self._clients, blob) for blob in found))
        return tuple(versioned for versioned in read if versioned is not None)

    def heads(self, project: Project) -> tuple[Versioned, ...]:
        """See `ports.History`; a record whose head was too long to be listed is read whole."""
        prefix = Place(project.state_bucket, f"ledger/{project.name}/")
        return self._clients.run(f"reading the ledger {prefix}", self._heads(prefix))

    async def _heads(self, prefix: Place) -> tuple[Versioned, ...]:
        found = await blobs.listed(self._clients, prefix)
        lean = [_lean(blob) for blob in found]
        unknown = [blob for blob, versioned in zip(found, lean, strict=True) if versioned is None]
        read = iter(await asyncio.gather(*(_at(self._clients, blob) for blob in unknown)))
        every = [versioned or next(read) for versioned in lean]
        return tuple(versioned for versioned in every if versioned is not None)

    def write(self, project: Project, versioned: Versioned) -> Versioned:
        """See `ports.Ledger`."""
        record = versioned.record
        place = _place(project, record.name, record.revision)
        shown = head(record)
        metadata = {HEAD: shown} if len(shown) <= HEAD_LIMIT else {}
        stored = self._clients.run(
            f"writing the ledger {place}",
            swap(
                self._clients,
                project,
                place,
                dump(record),
                metadata=metadata,
                generation=versioned.generation,
            ),
        )
        return Versioned(record, stored.generation, stored.updated)

    def forget(self, project: Project, versioned: Versioned) -> None:
        """See `ports.Ledger`; one that is gone already is fine."""
        place = _place(project, versioned.record.name, versioned.record.revision)
        forgetting = _forget(self._clients, place, versioned.generation)
        self._clients.run(f"deleting the ledger {place}", forgetting)

    def pointers(self, project: Project) -> tuple[Pointer, ...]:
        """See `ports.History`."""
        prefix = Place(project.state_bucket, f"pointers/{project.name}/")
        return self._clients.run(f"reading the pointers {prefix}", self._pointers(prefix))

    async def _pointers(self, prefix: Place) -> tuple[Pointer, ...]:
        found = await blobs.listed(self._clients, prefix)
        read = await asyncio.gather(*(_pointer(self._clients, blob) for blob in found))
        return tuple(pointer for pointer in read if pointer is not None)

    def point(self, project: Project, pointer: Pointer) -> None:
        """See `ports.Ledger`."""
        place = _pointer_place(project, pointer.name)
        raw = asdict(pointer)
        del raw["generation"]
        text = json.dumps(raw, sort_keys=True)
        swapping = swap(
            self._clients,
            project,
            place,
            text.encode(),
            metadata={POINTER: text} if len(text) <= HEAD_LIMIT else {},
            generation=pointer.generation,
        )
        self._clients.run(f"writing the pointer {place}", swapping)

    def unpoint(self, project: Project, name: str) -> None:
        """See `ports.Ledger`."""
        place = _pointer_place(project, name)
        self._clients.run(f"deleting the pointer {place}", blobs.delete(self._clients, place))

    def now(self) -> datetime:
        """See `ports.History`. It writes, so it is for those who judge a lease."""
        return self._clock.now()


class ServerClock:
    """The time of Cloud Storage, which is what `updated` of every record is in.

    The server says it of an object that is written for that and deleted again: one for all runs, so that what a run
    that died left behind is the next one's. The distance to our own clock that does not jump is kept for a while,
    except with an emulator, whose clock may be driven by hand.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._place = Place(clients.project.state_bucket, "clock")
        self._remembered = 0.0 if clients.endpoint else REMEMBERED
        self._lock = threading.Lock()
        self._server, self._ours = datetime.min.replace(tzinfo=UTC), -math.inf

    def now(self) -> datetime:
        """The server's time, half a round trip early or late at most."""
        with self._lock:
            if monotonic() - self._ours > self._remembered:
                what = f"asking Cloud Storage for its time by {self._place}"
                self._server, self._ours = self._clients.run(what, self._measure())
            return self._server + timedelta(seconds=monotonic() - self._ours)

    async def _measure(self) -> tuple[datetime, float]:
        """The server's time, and what `monotonic` was then."""

        async def once() -> tuple[Blob, float]:
            before = monotonic()
            blob = await blobs.upload(
                self._clients, self._place, b"", media=JSON, metadata={}, generation=None, policy=ONCE
            )
            return blob, (before + monotonic()) / 2

        try:
            blob, middle = await READ.patiently(once)
        except exceptions.NotFound:
            await blobs.make_state_bucket(self._clients, self._clients.project)
            blob, middle = await READ.patiently(once)
        with suppress(Exception):  # left behind it does no harm
            await blobs.delete(self._clients, self._place, generation=blob.generation)
        return blob.updated, middle


def _place(project: Project, name: str, revision: str) -> Place:
    return Place(project.state_bucket, f"ledger/{project.name}/{name}/{revision}.json")


def _pointer_place(project: Project, name: str) -> Place:
    return Place(project.state_bucket, f"pointers/{project.name}/{name}.json")


def _lean(blob: Blob) -> Versioned | None:
    """What the list shows of a record."""
    record = parse_head(blob.metadata.get(HEAD, ""))
    return Versioned(record, blob.generation, blob.updated, lean=True) if record else None


async def _read(clients: Clients, place: Place) -> Versioned | None:
    found = await blobs.whole(clients, place)
    if found is None:
        return None
    blob, data = found
    return Versioned(parse(data, source=str(place)), blob.generation, blob.updated)


async def _at(clients: Clients, blob: Blob) -> Versioned | None:
    """The record at the generation that was listed; the live one if it has changed or gone meanwhile."""
    found = await blobs.fetch(clients, blob.place, blob.generation)
    if found is None or not blob.is_of(found[0]):
        return await _read(clients, blob.place)
    return Versioned(parse(found[0], source=str(blob.place)), blob.generation, blob.updated)


async def _forget(clients: Clients, place: Place, generation: int) -> None:
    try:
        await blobs.delete(clients, place, match=generation)
    except exceptions.PreconditionFailed as error:
        if await blobs.look(clients, place) is not None:
            raise LedgerConflict(f"{place} was changed by someone else") from error


async def _pointer(clients: Clients, blob: Blob) -> Pointer | None:
    text = blob.metadata.get(POINTER)
    if text is None:
        found = await blobs.whole(clients, blob.place)
        if found is None:
            return None
        blob, text = found[0], found[1].decode(errors="replace")
    try:
        return Pointer(**json.loads(text), generation=blob.generation)
    except (ValueError, TypeError) as error:
        raise ReconcileError(
            f"{blob.place} is not a pointer ({error})",
            remedy="restore an earlier generation of the object; the state bucket keeps them",
        ) from error
