"""Cloud Storage JSON API: objects.

Object ACLs, holds, retention, compose, customer-supplied keys and soft delete are not emulated and answer 501.
Downloads are sent as stored: gzip content is not decompressed on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.wire import ApiError, Request, Response, Route
from tuneform_emulator.world import World

from .storage import conditions, generations, listing

OBJECT = "/storage/v1/b/{bucket}/o/{object*}"
URI = re.compile(r"gs://([^/]+)/(.+)", re.DOTALL)
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def split_uri(uri: str) -> tuple[str, str] | None:
    """Bucket and object name of a gs:// URI, None for anything else."""
    found = URI.fullmatch(uri)
    return (found[1], found[2]) if found else None


def read(world: World, uri: str) -> bytes | None:
    """The bytes of the live object that a gs:// URI names, None when there is none.

    For services that act on a user's behalf: no grant is checked, the key's neither.
    """
    parts = split_uri(uri)
    found = generations.live(world, *parts) if parts else None
    return generations.data(world, found) if found else None


def download(world: World, request: Request) -> Response:
    """objects.get with alt=media: the bytes, or a range of them; raises `ApiError` 416 for an impossible range."""
    found = named(world, request)
    conditions.check(request, found, reading=True)
    content = generations.readable(world, found)
    headers = {
        "x-goog-hash": f"crc32c={found['crc32c']},md5={found['md5Hash']}",
        "x-goog-generation": found["generation"],
        "x-goog-metageneration": found["metageneration"],
        "x-goog-storage-class": found["storageClass"],
        "x-goog-stored-content-length": found["size"],
        "x-goog-stored-content-encoding": found.get("contentEncoding", "identity"),
        "etag": generations.etag(found["generation"], found["metageneration"]),
        "accept-ranges": "bytes",
    }
    for field, header in (
        ("contentEncoding", "content-encoding"),
        ("contentDisposition", "content-disposition"),
        ("contentLanguage", "content-language"),
        ("cacheControl", "cache-control"),
    ):
        if field in found:
            headers[header] = found[field]
    span = asked_range(request, len(content))
    if span is None:
        return Response(content, 200, headers, found["contentType"])
    first, last = span
    headers["content-range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, headers, found["contentType"])


def asked_range(request: Request, size: int) -> tuple[int, int] | None:
    """First and last byte asked for, None for all; raises `ApiError` 416."""
    found = RANGE.fullmatch(request.headers.get("range", "").strip())
    if not found or found[0] == "bytes=-":
        return None
    head, tail = found.groups()
    first = int(head) if head else max(size - int(tail), 0)
    last = min(int(tail), size - 1) if head and tail else size - 1
    if first > last:
        raise ApiError(
            416,
            "OUT_OF_RANGE",
            "The requested range cannot be satisfied.",
            reason="requestedRangeNotSatisfiable",
        )
    return first, last


def named(world: World, request: Request) -> dict[str, Any]:
    """The object, or its generation, that a call names; raises `ApiError` 404."""
    params = request.params
    return generations.require(world, params["bucket"], params["object"], request.one("generation"))


def get(world: World, request: Request) -> Mapping[str, Any] | Response:
    """objects.get, metadata or media; 304 when a ...NotMatch condition fails."""
    try:
        if request.one("alt") == "media":
            return download(world, request)
        found = named(world, request)
        conditions.check(request, found, reading=True)
    except conditions.NotModified:
        return Response(b"", 304)
    return generations.shown(request, found)


def patch(world: World, request: Request, *, whole: bool) -> Mapping[str, Any]:
    """objects.patch, and objects.update (`whole`), which removes what the body leaves out."""
    body = request.json()
    wire.conform(body, generations.SHAPE, "Object")
    with world.store.transaction():
        found = named(world, request)
        conditions.check(request, found)
        fields = {field: body[field] for field in generations.WRITABLE if field in body}
        for field in ("storageClass", "contentType"):
            if field in fields and not fields[field]:
                # Every object has these: null leaves them as they are.
                del fields[field]
        if fields.get("storageClass", found["storageClass"]) != found["storageClass"]:
            raise ApiError.invalid("The storage class of an object is changed by rewriting it.")
        if whole:
            kept = {"storageClass", "contentType"}
            fields = {**dict.fromkeys(set(generations.WRITABLE) - kept), **fields}
        elif isinstance(fields.get("metadata"), dict):
            merged = {**found.get("metadata", {}), **fields["metadata"]}
            fields["metadata"] = {name: value for name, value in merged.items() if value is not None} or None
        return generations.shown(request, generations.change(world, found, fields))


def delete(world: World, request: Request) -> Response:
    """objects.delete: the live object (kept noncurrent where versioning is on), or one generation for good."""
    with world.store.transaction():
        found = named(world, request)
        conditions.check(request, found)
        if request.one("generation"):
            generations.remove(world, found)
        else:
            generations.retire(world, generations.bucket(world, found["bucket"]), found)
    return Response(b"", 204)


def copy(world: World, request: Request) -> dict[str, Any]:
    """The new object of objects.copy and objects.rewrite: source and destination have conditions of their own.

    A body replaces all of the source's metadata, no body keeps it (API reference, objects.copy).
    """
    params = request.params
    body = request.json()
    wire.conform(body, generations.SHAPE, "Object")
    with world.store.transaction():
        source = generations.require(
            world, params["bucket"], params["object"], request.one("sourceGeneration")
        )
        conditions.check(request, source, prefix="Source")
        content = generations.readable(world, source)
        given = {field: body[field] for field in generations.WRITABLE if field in body}
        inherited = {
            field: source[field] for field in set(generations.WRITABLE) - {"storageClass"} if field in source
        }
        fields = {"contentType": source["contentType"], **given} if given else inherited
        key = request.one("destinationKmsKeyName")
        draft = generations.Draft(params["toBucket"], params["toObject"], content, fields, key)
        return generations.put(world, request, draft)


def routes(world: World) -> tuple[Route, ...]:
    """get, download, list, patch, update, delete, copy, rewrite."""

    def rewrite(request: Request) -> Mapping[str, Any]:
        made = copy(world, request)
        return {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": made["size"],
            "objectSize": made["size"],
            "done": True,
            "resource": generations.shown(request, made),
        }

    def media(request: Request) -> Response:
        try:
            return download(world, request)
        except conditions.NotModified:
            return Response(b"", 304)

    return (
        Route("GET", "/storage/v1/b/{bucket}/o", lambda request: listing.listed(world, request)),
        Route("GET", OBJECT, lambda request: get(world, request)),
        Route("GET", f"/download{OBJECT}", media),
        Route("PATCH", OBJECT, lambda request: patch(world, request, whole=False)),
        Route("PUT", OBJECT, lambda request: patch(world, request, whole=True)),
        Route("DELETE", OBJECT, lambda request: delete(world, request)),
        Route(
            "POST",
            f"{OBJECT}/copyTo/b/{{toBucket}}/o/{{toObject*}}",
            lambda request: generations.shown(request, copy(world, request)),
        ),
        Route("POST", f"{OBJECT}/rewriteTo/b/{{toBucket}}/o/{{toObject*}}", rewrite),
    )
