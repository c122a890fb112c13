"""Resource Manager v3: folders, which hold projects and other folders.

An organisation is whatever number is named as one: nothing makes it, and nothing is known of it. Moving, changing and
deleting folders, and their policies, answer 501.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from . import operations, paging

KIND = "folder"
PARENT = re.compile(r"(folders|organizations)/\d+")
TERM = re.compile(r"(parent|state|lifecycleState)\s*[:=]\s*(\S+)")
TYPE = "google.cloud.resourcemanager.v3."
WRITABLE = {"parent": str, "displayName": str}
OUTPUT_ONLY = {
    "name": str,
    "state": (str, int),
    "createTime": str,
    "updateTime": str,
    "deleteTime": str,
    "etag": str,
}


def known_parent(world: World, parent: str) -> str:
    """A parent as it was named; raises `ApiError` 400 for none, 403 for a folder that is not there."""
    if not PARENT.fullmatch(parent):
        raise ApiError.invalid(f"parent must be folders/NUMBER or organizations/NUMBER, not '{parent}'.")
    if parent.startswith("folders/") and world.store.get(KIND, parent) is None:
        # As with projects: a missing one is not told from a forbidden one.
        raise ApiError.permission_denied(
            f"The caller does not have permission on {parent} (or it may not exist)."
        )
    return parent


def wanted(request: Request) -> dict[str, str]:
    """The terms of a search's query; raises `ApiError` 501 for what is not emulated."""
    query = request.one("query")
    terms = [term for term in re.split(r"\s+AND\s+|\s+", query) if term]
    found = {}
    for term in terms:
        match = TERM.fullmatch(term)
        if match is None:
            raise ApiError.unimplemented(
                f"tuneform-emulator does not emulate '{term}' in the query of a search"
            )
        found["state" if match[1] == "lifecycleState" else match[1]] = match[2]
    return found


def routes(world: World) -> tuple[Route, ...]:
    """create, get, list and search."""

    def create(request: Request) -> Mapping[str, Any]:
        body = wire.camel(request.json())
        wire.conform(body, {**WRITABLE, **OUTPUT_ONLY}, "Folder")
        parent = known_parent(world, body.get("parent") or "")
        if not body.get("displayName"):
            raise ApiError.invalid("displayName is required.", ("displayName", "required"))
        name = f"folders/{world.store.next_id('folder') + 10**11}"
        now = world.stamp()
        made = {
            "name": name,
            "parent": parent,
            "displayName": body["displayName"],
            "state": "ACTIVE",
            "createTime": now,
            "updateTime": now,
        }
        world.store.create(KIND, name, made)
        return operations.done(
            world, "v3", "", f"{TYPE}CreateFolderMetadata", made, response_type=f"{TYPE}Folder"
        )

    def get(request: Request) -> Mapping[str, Any]:
        name = f"folders/{request.params['folder']}"
        known_parent(world, name)
        return world.store.get(KIND, name) or {}

    def list_all(request: Request) -> Mapping[str, Any]:
        parent = known_parent(world, request.one("parent"))
        rows = [(name, row) for name, row in world.store.list(KIND) if row["parent"] == parent]
        return paging.page(request, rows, "folders", most=300)

    def search(request: Request) -> Mapping[str, Any]:
        terms = wanted(request)
        rows = [
            (name, row)
            for name, row in world.store.list(KIND)
            if all(row[field] == value for field, value in terms.items())
        ]
        return paging.page(request, rows, "folders", most=300)

    return (
        Route("POST", "/v3/folders", create),
        Route("GET", "/v3/folders", list_all),
        Route("GET", "/v3/folders:search", search),
        Route("GET", "/v3/folders/{folder}", get),
    )
