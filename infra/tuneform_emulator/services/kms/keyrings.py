"""Cloud KMS v1 key rings. They cannot be deleted, as in the real service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.store import Exists
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from .. import iam_policy, paging

KIND = "key-ring"
IDENTIFIER = re.compile(r"[a-zA-Z0-9_-]{1,63}")
LOCATION = re.compile(
    r"global|us|eu|europe|asia|asia1|eur\d|nam\d+|(us|northamerica|southamerica|europe|asia|africa|me|australia)-[a-z]+\d+"
)
PARENT = "/v1/projects/{project}/locations/{location}"


def parent_name(world: World, request: Request) -> str:
    """The location that a path names, its project as an id; raises `ApiError` for one that does not exist."""
    location = request.params["location"]
    if not LOCATION.fullmatch(location):
        raise ApiError.not_found(f"Location '{location}' not found.")
    return f"projects/{world.names.project_id(request.params['project'])}/locations/{location}"


def ring_name(world: World, request: Request) -> str:
    """The key ring that a path names."""
    return f"{parent_name(world, request)}/keyRings/{request.params['ring']}"


def require(world: World, name: str) -> dict[str, Any]:
    """The key ring; raises `ApiError` 404."""
    ring = world.store.get(KIND, name)
    if ring is None:
        raise ApiError.not_found(f"KeyRing {name} not found.")
    return ring


def check_identifier(value: str, field: str) -> None:
    """Raises `ApiError` 400 for an id outside [a-zA-Z0-9_-]{1,63}."""
    if not IDENTIFIER.fullmatch(value):
        raise ApiError.invalid(
            f"Invalid {field} '{value}': it must match {IDENTIFIER.pattern}.", (field, value)
        )


def routes(world: World) -> tuple[Route, ...]:
    """create, get, list and the policy of key rings."""

    def create(request: Request) -> Mapping[str, Any]:
        ring_id = request.one("keyRingId")
        check_identifier(ring_id, "key_ring_id")
        wire.conform(wire.camel(request.json()), {"name": str, "createTime": str}, "KeyRing")
        name = f"{parent_name(world, request)}/keyRings/{ring_id}"
        ring = {"name": name, "createTime": world.stamp()}
        try:
            world.store.create(KIND, name, ring)
        except Exists:
            raise ApiError.already_exists(f"KeyRing {name} already exists.") from None
        return ring

    def get(request: Request) -> Mapping[str, Any]:
        return require(world, ring_name(world, request))

    def list_all(request: Request) -> Mapping[str, Any]:
        rings = world.store.list(KIND, f"{parent_name(world, request)}/keyRings/")
        return paging.page(request, rings, "keyRings", total=True)

    def get_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.read(world, get(request)["name"])

    def set_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.write(world, get(request)["name"], iam_policy.body_policy(request))

    def test_permissions(request: Request) -> Mapping[str, Any]:
        get(request)
        return iam_policy.permissions(request)

    ring = PARENT + "/keyRings/{ring}"
    return (
        Route("POST", PARENT + "/keyRings", create),
        Route("GET", PARENT + "/keyRings", list_all),
        Route("GET", ring, get),
        Route("GET", ring + ":getIamPolicy", get_policy),
        Route("POST", ring + ":setIamPolicy", set_policy),
        Route("POST", ring + ":testIamPermissions", test_permissions),
    )
