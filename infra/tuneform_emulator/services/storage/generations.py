"""Objects as they are kept: the live generation of each name, and the noncurrent ones of versioned buckets.

Live objects are stored under `BUCKET/NAME`, noncurrent ones under `BUCKET/NAME` + newline + generation (a name
cannot hold a newline), and the bytes of both as blobs under the latter.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tuneform_emulator import wire
from tuneform_emulator.wire import ApiError, Request
from tuneform_emulator.world import World

from .. import agents
from ..kms import cryptokeys
from . import checksums, conditions

BUCKET = "bucket"
LIVE = "object"
NONCURRENT = "noncurrent-object"
LONGEST_NAME = 1024
FORBIDDEN = re.compile(r"[\r\n]")

# What a client may set; everything else of an object is Cloud Storage's own.
WRITABLE = {
    "contentType": str,
    "metadata": {"*": str},
    "cacheControl": str,
    "contentDisposition": str,
    "contentEncoding": str,
    "contentLanguage": str,
    "storageClass": str,
    "customTime": str,
}
OUTPUT_ONLY = {
    "kind": str,
    "id": str,
    "selfLink": str,
    "mediaLink": str,
    "name": str,
    "bucket": str,
    "generation": (str, int),
    "metageneration": (str, int),
    "size": (str, int),
    "md5Hash": str,
    "crc32c": str,
    "etag": str,
    "timeCreated": str,
    "timeFinalized": str,
    "updated": str,
    "timeDeleted": str,
    "timeStorageClassUpdated": str,
    "kmsKeyName": str,
    "owner": object,
}
SHAPE = {**WRITABLE, **OUTPUT_ONLY}


def bucket(world: World, name: str) -> dict[str, Any]:
    """The bucket; raises `ApiError` 404."""
    found = world.store.get(BUCKET, name)
    if found is None:
        raise ApiError.not_found("The specified bucket does not exist.")
    return found


def archive_key(bucket_name: str, name: str, generation: str) -> str:
    """Where a generation's bytes are, and the generation itself once it is noncurrent."""
    return f"{bucket_name}/{name}\n{int(generation):020d}"


def live(world: World, bucket_name: str, name: str) -> dict[str, Any] | None:
    """The live object of a name."""
    return world.store.get(LIVE, f"{bucket_name}/{name}")


def find(world: World, bucket_name: str, name: str, generation: str = "") -> dict[str, Any] | None:
    """The live object, or the one of a generation, live or not."""
    found = live(world, bucket_name, name)
    if not generation or (found and found["generation"] == generation):
        return found
    if not generation.isdigit():
        raise ApiError.invalid(f"Invalid generation '{generation}'.")
    return world.store.get(NONCURRENT, archive_key(bucket_name, name, generation))


def require(world: World, bucket_name: str, name: str, generation: str = "") -> dict[str, Any]:
    """As `find`; raises `ApiError` 404."""
    bucket(world, bucket_name)
    found = find(world, bucket_name, name, generation)
    if found is None:
        raise ApiError.not_found(
            f"No such object: {bucket_name}/{name}" + (f"#{generation}" if generation else "")
        )
    return found


def data(world: World, found: Mapping[str, Any]) -> bytes:
    """The bytes of an object."""
    return world.store.get_blob(archive_key(found["bucket"], found["name"], found["generation"])) or b""


@dataclass(frozen=True)
class Draft:
    """An object to be written: where, what, and what the client says of it.

    `resource` holds fields, and checksums to be verified; `key` is the KMS key asked for, "" for the bucket's default.
    """

    bucket: str
    name: str
    content: bytes
    resource: Mapping[str, Any]
    key: str = ""


def put(world: World, request: Request, draft: Draft) -> dict[str, Any]:
    """Writes a new generation under the request's preconditions and returns it.

    Raises `ApiError` 400 (name, checksum), 403 (key), 404 (bucket), 412 (precondition), 501 (field).
    """
    check_name(draft.name)
    wire.conform(draft.resource, SHAPE, "Object")
    checked = checksums.verify(draft.content, draft.resource)
    with world.store.transaction():
        owner = bucket(world, draft.bucket)
        present = live(world, draft.bucket, draft.name)
        conditions.check(request, present)
        now = world.stamp()
        made: dict[str, Any] = {
            "name": draft.name,
            "bucket": draft.bucket,
            "generation": next_generation(world),
            "metageneration": "1",
            "contentType": "application/octet-stream",
            "storageClass": owner["storageClass"],
            **{field: draft.resource[field] for field in WRITABLE if draft.resource.get(field)},
            "size": str(len(draft.content)),
            **checked,
            "timeCreated": now,
            "updated": now,
            "timeStorageClassUpdated": now,
        }
        if used := encrypting_key(world, owner, draft.key):
            made["kmsKeyName"] = used
        if present:
            retire(world, owner, present)
        world.store.create(LIVE, f"{draft.bucket}/{draft.name}", made)
        world.store.put_blob(archive_key(draft.bucket, draft.name, made["generation"]), draft.content)
    return made


def retire(world: World, owner: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    """Takes the live object away: into the noncurrent ones where versioning is on, for good otherwise."""
    key = archive_key(present["bucket"], present["name"], present["generation"])
    world.store.delete(LIVE, f"{present['bucket']}/{present['name']}")
    if owner.get("versioning", {}).get("enabled"):
        world.store.create(NONCURRENT, key, {**present, "timeDeleted": world.stamp()})
    else:
        world.store.delete_blob(key)


def remove(world: World, found: Mapping[str, Any]) -> None:
    """Deletes one generation for good."""
    key = archive_key(found["bucket"], found["name"], found["generation"])
    if "timeDeleted" in found:
        world.store.delete(NONCURRENT, key)
    else:
        world.store.delete(LIVE, f"{found['bucket']}/{found['name']}")
    world.store.delete_blob(key)


def change(world: World, found: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Replaces metadata fields, None removing one, and counts the metageneration up."""
    kind = NONCURRENT if "timeDeleted" in found else LIVE
    key = f"{found['bucket']}/{found['name']}"
    if kind == NONCURRENT:
        key = archive_key(found["bucket"], found["name"], found["generation"])

    def apply(present: dict[str, Any]) -> dict[str, Any]:
        merged = {**present, **fields, "metageneration": str(int(present["metageneration"]) + 1)}
        return {
            name: value for name, value in {**merged, "updated": world.stamp()}.items() if value is not None
        }

    return world.store.update(kind, key, apply)


def next_generation(world: World) -> str:
    """Microseconds since 1970 as in the real service, made unique and rising by a counter."""
    return str(int(world.clock.now().timestamp() * 1_000_000) + world.store.next_id("generation"))


def check_name(name: str) -> None:
    """Raises `ApiError` 400 for a name that Cloud Storage refuses ("About Cloud Storage objects")."""
    if not name or len(name.encode()) > LONGEST_NAME or FORBIDDEN.search(name) or name in (".", ".."):
        raise ApiError.invalid(
            f"Invalid object name: '{name[:80]}'.", ("name", "1 to 1024 bytes, no line breaks")
        )


def encrypting_key(world: World, owner: Mapping[str, Any], asked: str) -> str:
    """The key version that a new object is encrypted with, "" for Google's own; raises `ApiError` 400, 403."""
    name = asked or owner.get("encryption", {}).get("defaultKmsKeyName", "")
    if not name:
        return ""
    check_key(world, owner, name)
    key = cryptokeys.find(world, name)
    return str(key["primary"]["name"]) if key else name


def check_key(world: World, owner: Mapping[str, Any], name: str) -> None:
    """Raises `ApiError` unless the key exists in the bucket's location and the storage agent may use it."""
    key = cryptokeys.find(world, name)
    if key is None:
        raise ApiError.invalid(f"Cloud KMS key '{name}' does not exist.")
    location = name.split("/")[3]
    if location != owner["location"].lower():
        raise ApiError.invalid(
            f"Cloud KMS key location '{location}' does not match the bucket's location '{owner['location'].lower()}'."
        )
    require_grant(world, owner, name)


def require_grant(world: World, owner: Mapping[str, Any], name: str) -> None:
    """Raises `ApiError` 403 unless the bucket's storage agent may use an enabled version of the key."""
    agent = agents.storage(owner["projectNumber"])
    if not cryptokeys.usable_by(world, name, agent):
        raise ApiError.permission_denied(
            "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account "
            f"{agent} has been authorized to use this key: {name}."
        )


def readable(world: World, found: Mapping[str, Any]) -> bytes:
    """The bytes, as a caller may read them; raises `ApiError` 403 when the key of an encrypted object is not usable."""
    if key := found.get("kmsKeyName", "").partition("/cryptoKeyVersions/")[0]:
        require_grant(world, bucket(world, found["bucket"]), key)
    return data(world, found)


def shown(request: Request, found: Mapping[str, Any]) -> dict[str, Any]:
    """The object as the API shows it, with links that lead back to this emulator."""
    name = quote(found["name"], safe="")
    base = f"http://{request.headers.get('host', 'localhost')}"
    path = f"storage/v1/b/{found['bucket']}/o/{name}"
    generation = found["generation"]
    return {
        "kind": "storage#object",
        "id": f"{found['bucket']}/{found['name']}/{generation}",
        "selfLink": f"{base}/{path}",
        "mediaLink": f"{base}/download/{path}?generation={generation}&alt=media",
        **found,
        "etag": etag(generation, found["metageneration"]),
    }


def etag(*numbers: str) -> str:
    """An etag over generation and metageneration."""
    return base64.b64encode("/".join(numbers).encode()).decode()
