"""Cloud KMS v1 key versions: what state a key's material is in.

A destroyed version waits out the key's `destroyScheduledDuration`; it is shown as DESTROYED once that is over
on the emulator's clock. EXTERNAL and imported material, and raw use of a version, answer 501.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.clock import parse_stamp, stamp
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from .. import paging
from . import keyrings

KIND = "key-version"
VERSIONS = keyrings.PARENT + "/keyRings/{ring}/cryptoKeys/{key}/cryptoKeyVersions"
SHAPE = {"state": (str, int), "name": str}
STATES = {1: "ENABLED", 2: "DISABLED"}


def add(world: World, key: Mapping[str, Any]) -> dict[str, Any]:
    """A new enabled version of a key, numbered from 1."""
    number = world.store.next_id(f"key-version {key['name']}")
    now = world.stamp()
    version = {
        "name": f"{key['name']}/cryptoKeyVersions/{number}",
        "state": "ENABLED",
        **key["versionTemplate"],
        "createTime": now,
        "generateTime": now,
    }
    world.store.create(KIND, version["name"], version)
    return version


def require(world: World, name: str) -> dict[str, Any]:
    """A version as it is now; raises `ApiError` 404."""
    version = world.store.get(KIND, name)
    if version is None:
        raise ApiError.not_found(f"CryptoKeyVersion {name} not found.")
    return aged(world, version)


def aged(world: World, version: dict[str, Any]) -> dict[str, Any]:
    """The version with what time alone has done to it."""
    due = version.get("destroyTime")
    if version["state"] != "DESTROY_SCHEDULED" or parse_stamp(str(due)) > world.clock.now():
        return version
    kept = {name: value for name, value in version.items() if name != "destroyTime"}
    return {**kept, "state": "DESTROYED", "destroyEventTime": due}


def routes(world: World) -> tuple[Route, ...]:
    """create, get, list, patch (state), destroy and restore of versions."""

    def parent(request: Request) -> dict[str, Any]:
        name = f"{keyrings.ring_name(world, request)}/cryptoKeys/{request.params['key']}"
        key = world.store.get("crypto-key", name)
        if key is None:
            raise ApiError.not_found(f"CryptoKey {name} not found.")
        return key

    def named(request: Request) -> dict[str, Any]:
        return require(world, f"{parent(request)['name']}/cryptoKeyVersions/{request.params['number']}")

    def create(request: Request) -> Mapping[str, Any]:
        wire.conform(wire.camel(request.json()), SHAPE, "CryptoKeyVersion")
        return add(world, parent(request))

    def list_all(request: Request) -> Mapping[str, Any]:
        rows = world.store.list(KIND, f"{parent(request)['name']}/cryptoKeyVersions/")
        return paging.page(
            request, [(name, aged(world, row)) for name, row in rows], "cryptoKeyVersions", total=True
        )

    def patch(request: Request) -> Mapping[str, Any]:
        version = named(request)
        body = wire.camel(request.json())
        wire.conform(body, {"*": object, "state": (str, int)}, "CryptoKeyVersion")
        wanted = body.get("state")
        state = STATES.get(wanted) if isinstance(wanted, int) else wanted
        if state not in STATES.values() or request.one("updateMask") != "state":
            raise ApiError.invalid(
                "Only state can be updated, to ENABLED or DISABLED.", ("update_mask", "state")
            )
        if version["state"] not in STATES.values():
            raise ApiError.failed_precondition(f"{version['name']} is {version['state']}.")
        return world.store.update(KIND, version["name"], lambda row: {**row, "state": state})

    def destroy(request: Request) -> Mapping[str, Any]:
        version = named(request)
        if version["state"] not in STATES.values():
            raise ApiError.failed_precondition(
                f"{version['name']} is {version['state']}, so it cannot be destroyed."
            )
        wait = timedelta(seconds=float(parent(request)["destroyScheduledDuration"].rstrip("s")))
        scheduled = {"state": "DESTROY_SCHEDULED", "destroyTime": stamp(world.clock.now() + wait)}
        return world.store.update(KIND, version["name"], lambda row: {**row, **scheduled})

    def restore(request: Request) -> Mapping[str, Any]:
        version = named(request)
        if version["state"] != "DESTROY_SCHEDULED":
            raise ApiError.failed_precondition(
                f"{version['name']} is {version['state']}, so it cannot be restored."
            )
        kept = {name: value for name, value in version.items() if name != "destroyTime"}
        return world.store.update(KIND, version["name"], lambda row: {**kept, "state": "DISABLED"})  # noqa: ARG005

    version = VERSIONS + "/{number}"
    return (
        Route("POST", VERSIONS, create),
        Route("GET", VERSIONS, list_all),
        Route("GET", version, named),
        Route("PATCH", version, patch),
        Route("POST", version + ":destroy", destroy),
        Route("POST", version + ":restore", restore),
    )
