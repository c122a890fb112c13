"""Compare-and-swap on an object, where also a lost answer gets its meaning."""

from __future__ import annotations

from collections.abc import Mapping

from google.api_core import exceptions

from tuneform.errors import LedgerConflict
from tuneform.platforms.vertex.calls.retry import ONCE, READ, is_transient
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.storage import blobs
from tuneform.platforms.vertex.storage.blobs import Blob, Place
from tuneform.reconcile.desired import Project

JSON = "application/json"


async def swap(
    clients: Clients,
    project: Project,
    place: Place,
    data: bytes,
    *,
    metadata: Mapping[str, str],
    generation: int,
) -> Blob:
    """Store an object of the state bucket while it is at the given generation (0: not there).

    A bucket that is not there is made. A try without an answer is looked up: if what is stored is what we sent, at
    another generation than the one we knew, it was ours. So is it when a later try finds its place taken.

    Raises:
        LedgerConflict: the object is at another generation, with another's content.
    """
    doubted = False

    async def once() -> Blob:
        nonlocal doubted
        try:
            return await blobs.upload(
                clients, place, data, media=JSON, metadata=metadata, generation=generation, policy=ONCE
            )
        except exceptions.PreconditionFailed as error:
            found = await _ours() if doubted else None
            if found is None:
                raise LedgerConflict(f"{place} was changed by someone else") from error
            return found
        except Exception as error:
            if not is_transient(error):
                raise
            if isinstance(error, exceptions.TooManyRequests):
                raise  # surely nothing happened
            doubted = True
            found = await _ours()
            if found is None:
                raise
            return found

    async def _ours() -> Blob | None:
        stored = await blobs.whole(clients, place)
        if stored is None or stored[0].generation == generation or stored[1] != data:
            return None
        return stored[0]

    try:
        return await READ.patiently(once)
    except exceptions.NotFound:
        await blobs.make_state_bucket(clients, project)
        return await READ.patiently(once)
