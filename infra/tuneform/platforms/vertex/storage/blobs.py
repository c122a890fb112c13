"""Objects of Cloud Storage: looking, listing, reading, uploading, deleting, each as one call or one page.

What is named but not there, be it an object or its bucket, is None or nothing; anything else is raised.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core import exceptions

from tuneform.platforms.vertex.calls.retry import ONCE, READ, Policy, Undecodable
from tuneform.platforms.vertex.clients import Clients
from tuneform.reconcile.desired import Project

PAGE = 1000
"""The most that a page of objects.list holds (API reference)."""
FIELDS = "items(bucket,name,generation,updated,size,md5Hash,metadata),nextPageToken"
CHUNK = 8 * 2**20
"""Bytes that are read at a time of an object that is not to be held whole."""
UPLOAD_DEADLINE = 600.0
"""Seconds that an upload may take; a training file may have hundreds of megabytes."""


@dataclass(frozen=True)
class Place:
    """An object's bucket and name."""

    bucket: str
    name: str

    @classmethod
    def of(cls, uri: str) -> Place:
        """The place of a `gs://` URI."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return cls(bucket, name)

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.name}"


@dataclass(frozen=True)
class Blob:
    """What there is to know of one generation of an object.

    `md5` is in base64, as Cloud Storage has it; empty where it does not show one, as for composed objects, and
    maybe in lists for those with a customer-managed key.
    """

    place: Place
    generation: int
    updated: datetime
    size: int
    md5: str
    metadata: Mapping[str, str]

    def is_of(self, data: bytes) -> bool:
        """Whether this is its content, as far as the hash tells."""
        return self.md5 in ("", md5(data))


def md5(data: bytes) -> str:
    """The hash of an object's content, as Cloud Storage shows it; against accidents, not against people."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


async def look(clients: Clients, place: Place) -> Blob | None:
    """The live object."""

    def get(client: Any) -> Blob:
        raw = client.bucket(place.bucket).blob(place.name)
        raw.reload(timeout=clients.deadline, retry=None)
        return _blob(raw)

    try:
        return await clients.storage(get)
    except exceptions.NotFound:
        return None


async def listed(clients: Clients, prefix: Place, *, versions: bool = False) -> list[Blob]:
    """The objects whose names begin with the prefix's, by name; with their noncurrent generations too if asked for."""
    found: list[Blob] = []
    token: str | None = None
    while True:

        def page(client: Any, token: str | None = token) -> tuple[list[Blob], str | None]:
            pages = client.list_blobs(
                prefix.bucket,
                prefix=prefix.name,
                versions=versions or None,
                fields=FIELDS,
                page_size=PAGE,
                page_token=token,
                timeout=clients.deadline,
                retry=None,
            )
            first = next(pages.pages, ())
            return [_blob(raw) for raw in first], pages.next_page_token

        try:
            blobs, token = await clients.storage(page)
        except exceptions.NotFound:
            return []  # no such bucket yet
        found += blobs
        if not token:
            return found


async def fetch(clients: Clients, place: Place, generation: int | None = None) -> tuple[bytes, int] | None:
    """The content of the live object, or of one generation of it; and its generation."""

    def get(client: Any) -> tuple[bytes, int]:
        raw = client.bucket(place.bucket).blob(place.name, generation=generation)
        data = raw.download_as_bytes(timeout=clients.deadline, retry=None)
        # The answer's header; with a generation asked for, the client keeps that if there is no header.
        return bytes(data), int(raw.generation)

    try:
        return await clients.storage(get)
    except exceptions.NotFound:
        return None


async def part(clients: Clients, blob: Blob, start: int) -> bytes | None:
    """The next bytes of one generation of an object, from a place in it on; None when it is not there any more."""

    def get(client: Any) -> bytes:
        raw = client.bucket(blob.place.bucket).blob(blob.place.name, generation=blob.generation)
        end = min(start + CHUNK, blob.size) - 1  # the last byte that is read
        return bytes(raw.download_as_bytes(start=start, end=end, timeout=clients.deadline, retry=None))

    try:
        return await clients.storage(get)
    except exceptions.NotFound:
        return None


async def whole(clients: Clients, place: Place) -> tuple[Blob, bytes] | None:
    """The live object with its content, in two calls at once."""

    async def both() -> tuple[Blob, bytes] | None:
        blob, content = await asyncio.gather(look(clients, place), fetch(clients, place))
        if blob is None and content is None:
            return None
        if blob is None or content is None or blob.generation != content[1] or not blob.is_of(content[0]):
            raise Undecodable(f"{place} changed while it was read, or came damaged")
        return blob, content[0]

    return await READ.patiently(both)


async def upload(
    clients: Clients,
    place: Place,
    data: bytes,
    *,
    media: str,
    metadata: Mapping[str, str],
    generation: int | None,
    policy: Policy = READ,
) -> Blob:
    """Store an object, only while it is at the given generation (0: not there) unless that is None."""

    def put(client: Any) -> Blob:
        raw = client.bucket(place.bucket).blob(place.name)
        raw.metadata = dict(metadata)
        raw.upload_from_string(
            data, media, if_generation_match=generation, timeout=clients.deadline, retry=None, checksum="md5"
        )
        return _blob(raw)

    return await clients.storage(put, policy=policy, deadline=UPLOAD_DEADLINE)


async def delete(
    clients: Clients, place: Place, *, generation: int | None = None, match: int | None = None
) -> None:
    """Delete one generation for good, or the live object while it is at generation `match`; gone already is fine."""

    def remove(client: Any) -> None:
        client.bucket(place.bucket).delete_blob(
            place.name,
            generation=generation,
            if_generation_match=match,
            timeout=clients.deadline,
            retry=None,
        )

    try:
        await clients.storage(remove)
    except exceptions.NotFound:
        return


async def copy(clients: Clients, source: Place, target: Place) -> None:
    """Copy within Cloud Storage, however many calls a large object needs, each sent once; raises google's NotFound.

    A call that was repeated might arrive twice, and the second time give its data back to an attempt that was starved
    of it (docs/decisions/attempts.md).
    """
    token: str | None = None
    while True:

        def step(client: Any, token: str | None = token) -> str | None:
            origin = client.bucket(source.bucket).blob(source.name)
            goal = client.bucket(target.bucket).blob(target.name)
            following: str | None = goal.rewrite(origin, token=token, timeout=clients.deadline, retry=None)[0]
            return following

        token = await clients.storage(step, policy=ONCE)
        if token is None:
            return


async def make_state_bucket(clients: Clients, project: Project) -> None:
    """The state bucket: versioned, private, and outside Pulumi, so that destroy leaves it."""

    def create(client: Any) -> None:
        bucket = client.bucket(project.state_bucket)
        bucket.versioning_enabled = True
        bucket.iam_configuration.uniform_bucket_level_access_enabled = True
        bucket.iam_configuration.public_access_prevention = "enforced"
        bucket.labels = {"tuneform-owner": project.owner}
        bucket.create(
            project=project.project_id, location=project.location, timeout=clients.deadline, retry=None
        )

    try:
        await clients.storage(create)
    except exceptions.Conflict:
        return  # another run made it just now, or an earlier try of ours


def _blob(raw: Any) -> Blob:
    """From the client's; one without a generation or a time was made of no proper answer."""
    generation, updated = raw.generation, raw.updated
    if not (generation and updated):
        raise Undecodable(f"an object without a generation: {raw.name}")
    return Blob(
        place=Place(raw.bucket.name, raw.name),
        generation=generation,
        updated=updated,
        size=raw.size or 0,
        md5=raw.md5_hash or "",
        metadata=raw.metadata or {},
    )
