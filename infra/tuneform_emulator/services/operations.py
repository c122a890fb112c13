"""Long-running operations. In this cut they are done when they are returned; clients poll them all the same.

Vertex clients poll under `/ui/` first and under `/v1/` or `/v1beta1/` otherwise (tuning-api.md §0.5), and insist
on metadata types of their own version (§0.6): the version is the polled path's, or the creating call's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneform_emulator.wire import ApiError, Request, Response, Route
from tuneform_emulator.world import World

TYPES = "type.googleapis.com/"
KIND = "operation"


def done(
    world: World,
    version: str,
    parent: str,
    metadata_type: str,
    response: Mapping[str, Any] | None = None,
    *,
    response_type: str = "Empty",
    metadata: Mapping[str, Any] | None = None,
    error: ApiError | None = None,
) -> dict[str, Any]:
    """Records an operation that has finished and returns it as `version` shows it.

    `parent` is the full name it lives under, e.g. "projects/1/locations/l/models/2", or "" for services whose
    operations have no parent. Types are short names of Vertex ("DeleteOperationMetadata", "Model"), full names
    with dots, or "Empty".
    """
    now = world.stamp()
    number = str(world.store.next_id("operation") + 10**18)
    name = f"{parent}/operations/{number}" if parent else f"operations/emulator.{number}"
    generic = {"createTime": now, "updateTime": now}
    vertex = "." not in metadata_type
    doc: dict[str, Any] = {
        "version": version,
        "name": name,
        "metadataType": metadata_type,
        "metadata": {**({"genericMetadata": generic} if vertex else {}), **(metadata or {})},
        "responseType": response_type,
        "response": dict(response or {}),
    }
    if error is not None:
        doc["error"] = {"code": RPC_CODES.get(error.status, 2), "message": error.message}
    world.store.create(KIND, name, doc)
    return render(doc, version)


RPC_CODES = {
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "UNIMPLEMENTED": 12,
}


def render(doc: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The stored operation as a google.longrunning.Operation."""
    version = version or doc["version"]
    operation = {
        "name": doc["name"],
        "metadata": {"@type": type_url(doc["metadataType"], version), **doc["metadata"]},
        "done": True,
    }
    if "error" in doc:
        return {**operation, "error": doc["error"]}
    return {**operation, "response": {"@type": type_url(doc["responseType"], version), **doc["response"]}}


def type_url(name: str, version: str) -> str:
    """The `@type` of a short Vertex name, "Empty" or a full name."""
    if name == "Empty":
        return TYPES + "google.protobuf.Empty"
    return TYPES + (name if "." in name else f"google.cloud.aiplatform.{version}.{name}")


def routes(world: World) -> tuple[Route, ...]:
    """Polling, under every prefix the clients use."""

    def get(request: Request) -> Mapping[str, Any]:
        return render(find(world, request), request.version)

    def forget(request: Request) -> Response:
        world.store.delete(KIND, find(world, request)["name"])
        return Response({})

    tails = ("operations/{operation}", "{collection}/{resource}/operations/{operation}")
    found = [Route("GET", "/{version}/operations/{operation}", get)]
    for prefix in ("/{version}", "/ui"):
        for tail in tails:
            pattern = f"{prefix}/projects/{{project}}/locations/{{location}}/{tail}"
            found += [
                Route("GET", pattern, get),
                Route("POST", f"{pattern}:wait", get),
                Route("DELETE", pattern, forget),
            ]
    return tuple(found)


def find(world: World, request: Request) -> dict[str, Any]:
    """The operation that a request's path names, by project id or number; raises `ApiError` 404."""
    params = request.params
    if "project" in params:
        middle = f"/{params['collection']}/{params['resource']}" if "collection" in params else ""
        project = world.names.number(params["project"])
        parent = f"projects/{project}/locations/{params['location']}{middle}/"
    else:
        parent = ""
    name = f"{parent}operations/{params['operation']}"
    doc = world.store.get(KIND, name)
    if doc is None:
        raise ApiError.not_found(f"Operation not found: {name}")
    return doc
