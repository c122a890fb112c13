"""Dataset objects, by `gs://` URI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from google.api_core import exceptions

from tuneform.errors import NotFound, Retryable
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.storage import blobs
from tuneform.platforms.vertex.storage.blobs import Blob, Place
from tuneform.reconcile.live import Stored

JSONL = "application/jsonl"
DIGEST = "tuneform-digest"
MD5 = "tuneform-md5"
PROJECT = "tuneform-project"
"""What we note in an object's metadata when we write it: our digest, Cloud Storage's hash, and for which project."""
LOOKS = 3
"""How often an upload may find that somebody else was faster with something else."""


class GcsObjects:
    """`ports.Objects`: Cloud Storage."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, uri: str) -> bytes:
        """See `ports.Contents`.

        Raises:
            NotFound: there is no such object.
        """
        found = self._clients.run(f"reading {uri}", blobs.fetch(self._clients, Place.of(uri)))
        if found is None:
            raise _none(uri)
        return found[0]

    def chunks(self, uri: str) -> Iterator[bytes]:
        """See `ports.Contents`.

        Raises:
            NotFound: there is no such object, or its generation was deleted meanwhile.
        """
        place, what = Place.of(uri), f"reading {uri}"
        found = self._clients.run(what, blobs.look(self._clients, place))
        if found is None:
            raise _none(uri)
        for start in range(0, found.size, blobs.CHUNK):
            part = self._clients.run(what, blobs.part(self._clients, found, start))
            if part is None:
                raise _none(uri)
            yield part

    def exists(self, uri: str) -> bool:
        """See `ports.Contents`."""
        found = self._clients.run(f"looking for {uri}", blobs.look(self._clients, Place.of(uri)))
        return found is not None

    def put(self, uri: str, data: bytes, digest: str, note: str) -> bool:
        """See `ports.Objects`. One that is there with another digest, or not intact, is written over.

        Raises:
            Retryable: somebody else keeps writing something else there.
        """
        return self._clients.run(f"uploading {uri}", self._put(Place.of(uri), data, digest, note))

    async def _put(self, place: Place, data: bytes, digest: str, note: str) -> bool:
        metadata = {DIGEST: digest, MD5: blobs.md5(data), PROJECT: note}
        sent = False
        for _ in range(LOOKS):
            found = await blobs.look(self._clients, place)
            if found is not None and _stored(found).digest == digest and _stored(found).intact:
                return sent  # an answer that was lost is seen here
            generation = found.generation if found else 0
            sent = True
            try:
                await blobs.upload(
                    self._clients, place, data, media=JSONL, metadata=metadata, generation=generation
                )
            except exceptions.PreconditionFailed:
                continue
            return True
        raise Retryable(f"{place} is being written by someone else")

    def stored(self, prefix: str) -> tuple[Stored, ...]:
        """See `ports.Contents`."""
        return self._clients.run(f"listing {prefix}", self._list(Place.of(prefix)))

    async def _list(self, prefix: Place) -> tuple[Stored, ...]:
        found = await blobs.listed(self._clients, prefix)
        # A list may leave out the hash of an object with a customer-managed key; looked at by itself it has one.
        hidden = [blob for blob in found if MD5 in blob.metadata and not blob.md5]
        looks = await asyncio.gather(*(blobs.look(self._clients, blob.place) for blob in hidden))
        seen = {blob.place: blob for blob in found} | {blob.place: blob for blob in looks if blob is not None}
        return tuple(map(_stored, seen.values()))

    def copy(self, source: str, target: str) -> None:
        """See `ports.Objects`."""
        copying = blobs.copy(self._clients, Place.of(source), Place.of(target))
        self._clients.run(f"copying {source} to {target}", copying)

    def delete(self, uri: str) -> None:
        """See `ports.Objects`."""
        self._clients.run(f"deleting {uri}", self._delete(Place.of(uri)))

    async def _delete(self, place: Place) -> None:
        found = await blobs.listed(self._clients, place, versions=True)
        mine = [blob for blob in found if blob.place == place]
        await asyncio.gather(
            *(blobs.delete(self._clients, place, generation=blob.generation) for blob in mine)
        )

    def under(self, prefix: str) -> tuple[str, ...]:
        """See `ports.Contents`; each URI once, in order."""
        listing = blobs.listed(self._clients, Place.of(prefix), versions=True)
        found = self._clients.run(f"listing {prefix}", listing)
        return tuple(sorted({str(blob.place) for blob in found}))


def _none(uri: str) -> NotFound:
    again = "run the command again: it uploads what is missing"
    return NotFound(f"reading {uri}: there is no such object", remedy=again)


def _stored(blob: Blob) -> Stored:
    noted = blob.metadata.get(MD5, "")
    return Stored(
        uri=str(blob.place),
        size=blob.size,
        digest=blob.metadata.get(DIGEST, ""),
        intact=not noted or blob.md5 in ("", noted),
        note=blob.metadata.get(PROJECT, ""),
    )
