"""Cloud Storage JSON API: uploads, in one request (media, multipart) or in several (resumable).

A resumable session survives a restart of the emulator and does not expire.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import quote

from tuneform_emulator import wire
from tuneform_emulator.wire import ApiError, Request, Response, Route, parse_object
from tuneform_emulator.world import World

from . import checksums, conditions, generations

UPLOAD = "/upload/storage/v1/b/{bucket}/o"
SESSION = "upload"
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
REFUSED = ("predefinedAcl",)
RESUME = 308
CANCELLED = 499


def start(world: World, request: Request) -> Mapping[str, Any] | Response:
    """objects.insert by the kind of upload that was asked for."""
    for name in REFUSED:
        if request.one(name):
            raise ApiError.unimplemented(
                f"tuneform-emulator does not implement the parameter '{name}' of objects.insert"
            )
    match request.one("uploadType"):
        case "media":
            resource = {"contentType": request.headers.get("content-type", "")}
            return insert(world, request, resource, request.body)
        case "multipart":
            resource, content = parts(request)
            return insert(world, request, resource, content)
        case "resumable":
            return open_session(world, request)
        case other:
            raise ApiError.invalid(f"Invalid uploadType '{other}'.")


def insert(world: World, request: Request, resource: Mapping[str, Any], content: bytes) -> Mapping[str, Any]:
    """Writes the object that query and resource name."""
    claimed = checksums.from_header(request.headers.get("x-goog-hash", ""))
    name = request.one("name") or str(resource.get("name") or "")
    if not name:
        raise ApiError(400, "INVALID_ARGUMENT", "Required parameter: name", reason="required")
    key = request.one("kmsKeyName") or str(resource.get("kmsKeyName") or "")
    draft = generations.Draft(
        request.params["bucket"],
        name,
        content,
        {**resource, **claimed},
        key.partition("/cryptoKeyVersions/")[0],
    )
    return generations.shown(request, generations.put(world, request, draft))


def parts(request: Request) -> tuple[dict[str, Any], bytes]:
    """Resource and content of a multipart/related body; raises `ApiError` 400 unless it has these two parts."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/related" or not boundary:
        raise ApiError.invalid("A multipart upload needs Content-Type: multipart/related with a boundary.")
    pieces = (b"\r\n" + request.body).split(b"\r\n--" + boundary.encode())
    if len(pieces) != 4 or not pieces[3].startswith(b"--"):
        raise ApiError.invalid("A multipart upload needs two parts: the object's resource and its content.")
    head, _, resource = pieces[1].partition(b"\r\n\r\n")
    head, separator, content = pieces[2].partition(b"\r\n\r\n")
    if not separator:
        raise ApiError.invalid("The second part of the multipart upload has no header.")
    declared = re.search(rb"(?im)^content-type:[ \t]*(.+?)\r?$", head)
    described = parse_object(resource)
    if declared and "contentType" not in described:
        described["contentType"] = declared[1].decode("latin-1")
    return described, content


def open_session(world: World, request: Request) -> Response:
    """Begins a resumable upload: the answer's Location is where the content goes."""
    bucket = request.params["bucket"]
    resource = request.json()
    wire.conform(resource, generations.SHAPE, "Object")
    name = request.one("name") or str(resource.get("name") or "")
    if not name:
        raise ApiError(400, "INVALID_ARGUMENT", "Required parameter: name", reason="required")
    generations.check_name(name)
    generations.bucket(world, bucket)
    conditions.check(request, generations.live(world, bucket, name))
    if declared := request.headers.get("x-upload-content-type"):
        resource.setdefault("contentType", declared)
    upload_id = secrets.token_urlsafe(32)
    kept = {name: list(values) for name, values in request.query.items()}
    session = {"bucket": bucket, "resource": {**resource, "name": name}, "query": kept}
    world.store.create(SESSION, upload_id, session)
    base = f"http://{request.headers.get('host', 'localhost')}"
    place = f"{base}/upload/storage/v1/b/{quote(bucket)}/o?uploadType=resumable&upload_id={upload_id}"
    return Response(b"", 200, {"location": place, "x-guploader-uploadid": upload_id})


def resume(world: World, request: Request) -> Mapping[str, Any] | Response:
    """Takes a piece of a resumable upload, or says how much is there already (`Content-Range: bytes */…`)."""
    upload_id = request.one("upload_id")
    with world.store.transaction():
        session = require_session(world, upload_id)
        if "done" in session:
            return generations.shown(request, session["done"])
        sofar = world.store.get_blob(f"{SESSION} {upload_id}") or b""
        content, total = joined(request, sofar)
        if total is None or len(content) < total:
            world.store.put_blob(f"{SESSION} {upload_id}", content)
            return Response(b"", RESUME, {"range": f"bytes=0-{len(content) - 1}"} if content else {})
        asked = Request(
            "POST",
            request.path,
            {"bucket": session["bucket"]},
            {name: tuple(values) for name, values in session["query"].items()},
            request.headers,
        )
        made = insert(world, asked, session["resource"], content)
        stored = generations.live(world, session["bucket"], session["resource"]["name"])
        world.store.update(SESSION, upload_id, lambda present: {**present, "done": stored})
        world.store.delete_blob(f"{SESSION} {upload_id}")
        return made


def require_session(world: World, upload_id: str) -> dict[str, Any]:
    """The session; raises `ApiError` 404."""
    session = world.store.get(SESSION, upload_id)
    if session is None:
        raise ApiError.not_found("The upload session does not exist; start a new one.")
    return session


def joined(request: Request, sofar: bytes) -> tuple[bytes, int | None]:
    """All bytes received by now and how many there are to be, None when that is not known yet.

    A piece that overlaps what is there is taken from where it goes on; one that leaves a gap is a 400.
    """
    header = request.headers.get("content-range", "")
    if not header:
        return request.body, len(request.body)
    found = CONTENT_RANGE.fullmatch(header)
    if not found:
        raise ApiError.invalid(f"Invalid Content-Range '{header}'.")
    first, last, size = found.groups()
    total = None if size == "*" else int(size)
    if first is None:
        return sofar, total
    begin = int(first)
    if int(last) - begin + 1 != len(request.body):
        raise ApiError.invalid(f"Content-Range '{header}' does not fit a body of {len(request.body)} bytes.")
    if begin > len(sofar):
        raise ApiError.invalid(
            f"Content-Range '{header}' leaves a gap: {len(sofar)} bytes have been received."
        )
    return sofar[:begin] + request.body, total


def cancel(world: World, request: Request) -> Response:
    """Gives up a resumable upload; 499 is what the real service answers."""
    upload_id = request.one("upload_id")
    require_session(world, upload_id)
    world.store.delete(SESSION, upload_id)
    world.store.delete_blob(f"{SESSION} {upload_id}")
    return Response(b"", CANCELLED)


def routes(world: World) -> tuple[Route, ...]:
    """insert, and the steps of a resumable upload."""
    return (
        Route("POST", UPLOAD, lambda request: start(world, request)),
        Route("PUT", UPLOAD, lambda request: resume(world, request)),
        Route("DELETE", UPLOAD, lambda request: cancel(world, request)),
    )
