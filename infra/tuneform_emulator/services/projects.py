"""Resource Manager v1 and v3: projects and their policies.

A project springs into being when it is first named, with a number derived from its id and an empty policy; such a one
lies in no folder. One can be made in a folder, and deleted: then nothing of it can be read any more. Moving, changing
and undeleting projects answers 501.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from . import folders, iam_policy, names, operations, paging

BORN = "2024-01-01T00:00:00.000000Z"
"""When every project that was not made by a call was created, for want of a better moment."""

ACTIVE = "ACTIVE"
WRITABLE = {"projectId": str, "parent": str, "displayName": str, "labels": {"*": str}}
OUTPUT_ONLY = {
    "name": str,
    "state": (str, int),
    "createTime": str,
    "updateTime": str,
    "deleteTime": str,
    "etag": str,
}

Kept = Mapping[str, Any]
"""A project as it is stored: its id, and what else a call said of it."""


def shown_v1(number: str, kept: Kept) -> dict[str, Any]:
    """The project as v1 has it."""
    kind, _, parent = kept.get("parent", "").partition("/")
    return {
        "projectNumber": number,
        "projectId": kept["projectId"],
        "lifecycleState": kept.get("state", ACTIVE),
        "name": kept.get("displayName", kept["projectId"]),
        "createTime": kept.get("createTime", BORN),
        **({"labels": kept["labels"]} if kept.get("labels") else {}),
        **({"parent": {"type": kind.removesuffix("s"), "id": parent}} if parent else {}),
    }


def shown_v3(number: str, kept: Kept) -> dict[str, Any]:
    """The project as v3 has it."""
    more = {name: kept[name] for name in ("parent", "labels", "deleteTime") if kept.get(name)}
    born = kept.get("createTime", BORN)
    return {
        "name": f"projects/{number}",
        "projectId": kept["projectId"],
        "state": kept.get("state", ACTIVE),
        "displayName": kept.get("displayName", kept["projectId"]),
        "createTime": born,
        "updateTime": kept.get("deleteTime", born),
        "etag": f'W/"{base64.b64encode(kept["projectId"].encode()).decode()}"',
        **more,
    }


def create(world: World, request: Request) -> Mapping[str, Any]:
    """projects.create."""
    body = wire.camel(request.json())
    wire.conform(body, {**WRITABLE, **OUTPUT_ONLY}, "Project")
    project_id = body.get("projectId") or ""
    if not names.PROJECT_ID.fullmatch(project_id):
        raise ApiError.invalid(f"Invalid project id '{project_id}'.")
    number = names.derive_number(project_id)
    parent = folders.known_parent(world, body["parent"]) if body.get("parent") else ""
    made = {
        "projectId": project_id,
        "parent": parent,
        "displayName": body.get("displayName") or project_id,
        "labels": body.get("labels") or {},
        "state": ACTIVE,
        "createTime": world.stamp(),
    }
    with world.store.transaction():
        if world.store.get(names.KIND, number) is not None:
            raise ApiError.already_exists("Requested entity already exists")
        world.store.create(names.KIND, number, made)
    meta = f"{folders.TYPE}CreateProjectMetadata"
    shown = shown_v3(number, made)
    return operations.done(world, "v3", "", meta, shown, response_type=f"{folders.TYPE}Project")


def routes(world: World) -> tuple[Route, ...]:
    """get and the policy in both versions; create, delete, list and search in v3."""

    def found(request: Request) -> tuple[str, Kept]:
        """A project, deleted or not."""
        project = request.params["project"]
        number = project if project.isdigit() else names.derive_number(project)
        if world.store.get(names.KIND, number) is None:
            number = world.names.number(project)
        return number, world.store.get(names.KIND, number) or {}

    def project_id(request: Request) -> str:
        return world.names.project_id(request.params["project"])

    def get_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.read(world, f"projects/{project_id(request)}")

    def set_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.write(world, f"projects/{project_id(request)}", iam_policy.body_policy(request))

    def test_permissions(request: Request) -> Mapping[str, Any]:
        project_id(request)
        return iam_policy.permissions(request)

    def delete(request: Request) -> Mapping[str, Any]:
        number, _ = found(request)

        def gone(kept: dict[str, Any]) -> dict[str, Any]:
            if kept.get("state", ACTIVE) != ACTIVE:
                raise ApiError.failed_precondition(f"Project {kept['projectId']} is not active.")
            return {**kept, "state": "DELETE_REQUESTED", "deleteTime": world.stamp()}

        shown = shown_v3(number, world.store.update(names.KIND, number, gone))
        meta = f"{folders.TYPE}DeleteProjectMetadata"
        return operations.done(world, "v3", "", meta, shown, response_type=f"{folders.TYPE}Project")

    def all_shown() -> list[tuple[str, dict[str, Any]]]:
        return [(number, shown_v3(number, kept)) for number, kept in world.store.list(names.KIND)]

    def list_all(request: Request) -> Mapping[str, Any]:
        parent = folders.known_parent(world, request.one("parent"))
        deleted = request.flag("showDeleted")
        rows = [
            (number, row)
            for number, row in all_shown()
            if row.get("parent") == parent and (deleted or row["state"] == ACTIVE)
        ]
        return paging.page(request, rows, "projects")

    def search(request: Request) -> Mapping[str, Any]:
        terms = folders.wanted(request)
        rows = [
            (number, row)
            for number, row in all_shown()
            if all(row.get(field) == value for field, value in terms.items())
        ]
        return paging.page(request, rows, "projects")

    made = [
        Route("GET", "/v1/projects/{project}", lambda request: shown_v1(*found(request))),
        Route("GET", "/v3/projects/{project}", lambda request: shown_v3(*found(request))),
        Route("POST", "/v3/projects", lambda request: create(world, request)),
        Route("DELETE", "/v3/projects/{project}", delete),
        Route("GET", "/v3/projects", list_all),
        Route("GET", "/v3/projects:search", search),
    ]
    for version in ("v1", "v3"):
        project = f"/{version}/projects/{{project}}"
        made += [
            Route("POST", project + ":getIamPolicy", get_policy),
            Route("POST", project + ":setIamPolicy", set_policy),
            Route("POST", project + ":testIamPermissions", test_permissions),
        ]
    return tuple(made)
