"""Cloud KMS v1 crypto keys for symmetric encryption, as CMEK needs them.

Nothing is ever encrypted: a key is a record that others may be granted. Rotation periods are kept and shown,
but no rotation happens by itself. Other purposes than ENCRYPT_DECRYPT and the calls that use a key (encrypt,
decrypt, sign) answer 501.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.clock import parse_stamp
from tuneform_emulator.store import Exists
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from .. import iam_policy, paging
from . import key_versions, keyrings

KIND = "crypto-key"
KEYS = keyrings.PARENT + "/keyRings/{ring}/cryptoKeys"
KEY = KEYS + "/{key}"
PURPOSES = {1: "ENCRYPT_DECRYPT"}
LEVELS = {1: "SOFTWARE", 2: "HSM"}
ALGORITHM = "GOOGLE_SYMMETRIC_ENCRYPTION"
MASKABLE = {"labels", "rotationPeriod", "nextRotationTime", "versionTemplate"}
TEMPLATE = {"protectionLevel": (str, int), "algorithm": (str, int)}
SHAPE = {
    "purpose": (str, int),
    "labels": {"*": str},
    "rotationPeriod": str,
    "nextRotationTime": str,
    "versionTemplate": TEMPLATE,
    "destroyScheduledDuration": str,
    "importOnly": bool,
    "name": str,
    "createTime": str,
    "primary": object,
    "etag": str,
}
DURATION = re.compile(r"(\d{1,12})(\.\d+)?s")
SHORTEST_ROTATION = timedelta(days=1)
LONGEST_ROTATION = timedelta(days=36500)


def find(world: World, name: str) -> dict[str, Any] | None:
    """A key by its full name, project as id or number, as the API shows it; None when there is none."""
    if not re.fullmatch(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+", name):
        return None
    key = world.store.get(KIND, iam_policy.canonical(world, name))
    return shown(world, key) if key else None


def usable_by(world: World, name: str, email: str) -> bool:
    """Whether the key exists, has an enabled primary version and lets the account encrypt and decrypt with it."""
    key = find(world, name)
    if key is None or key.get("primary", {}).get("state") != "ENABLED":
        return False
    return iam_policy.has_role(world, key["name"], f"serviceAccount:{email}", iam_policy.ENCRYPTER)


def disable(world: World, name: str, state: str) -> None:
    """Takes the primary version of a key out of use, as DISABLED or DESTROYED; a key without one stays as it is."""
    key = find(world, name)
    if key and "primary" in key:
        world.store.update(key_versions.KIND, key["primary"]["name"], lambda row: {**row, "state": state})


def shown(world: World, key: Mapping[str, Any]) -> dict[str, Any]:
    """The key with its primary version."""
    answer = {name: value for name, value in key.items() if name != "primaryVersion"}
    if key.get("primaryVersion"):
        answer["primary"] = key_versions.require(
            world, f"{key['name']}/cryptoKeyVersions/{key['primaryVersion']}"
        )
    return answer


def key_name(world: World, request: Request) -> str:
    """The key that a path names."""
    return f"{keyrings.ring_name(world, request)}/cryptoKeys/{request.params['key']}"


def require(world: World, name: str) -> dict[str, Any]:
    """The key as stored; raises `ApiError` 404."""
    key = world.store.get(KIND, name)
    if key is None:
        raise ApiError.not_found(f"CryptoKey {name} not found.")
    return key


def choice(value: Any, known: Mapping[int, str], field: str) -> str:
    """An enum's name from its name or number; raises `ApiError` 501 for one outside `known`."""
    name = known.get(value) if isinstance(value, int) else value
    if name not in known.values():
        raise ApiError.unimplemented(f"tuneform-emulator does not implement {field} {value!r}")
    return str(name)


def seconds(text: Any, field: str) -> timedelta:
    """A ProtoJSON duration; raises `ApiError` 400."""
    found = DURATION.fullmatch(str(text))
    if not found:
        raise ApiError.invalid(
            f"Invalid duration '{text}' for {field}: write it as '7776000s'.", (field, str(text))
        )
    return timedelta(seconds=float(f"{found[1]}{found[2] or ''}"))


def check_rotation(world: World, key: Mapping[str, Any]) -> None:
    """Raises `ApiError` 400 for a rotation schedule that KMS refuses (API reference, CryptoKey)."""
    if "rotationPeriod" in key:
        period = seconds(key["rotationPeriod"], "rotation_period")
        if not SHORTEST_ROTATION <= period <= LONGEST_ROTATION:
            raise ApiError.invalid(
                "rotation_period must be from 24 hours to 876,000 hours.", ("rotation_period", "")
            )
        if "nextRotationTime" not in key:
            raise ApiError.invalid(
                "next_rotation_time must be set when rotation_period is.", ("next_rotation_time", "required")
            )
    if "nextRotationTime" in key:
        try:
            moment = parse_stamp(str(key["nextRotationTime"]))
        except ValueError:
            raise ApiError.invalid(
                "Invalid next_rotation_time.", ("next_rotation_time", "timestamp")
            ) from None
        if moment.tzinfo is None or moment <= world.clock.now():
            raise ApiError.invalid(
                "next_rotation_time must be in the future.", ("next_rotation_time", "past")
            )


def template(given: Mapping[str, Any]) -> dict[str, Any]:
    """The version template with its defaults."""
    level = choice(given.get("protectionLevel") or 1, LEVELS, "protectionLevel")
    return {
        "protectionLevel": level,
        "algorithm": choice(given.get("algorithm") or 1, {1: ALGORITHM}, "algorithm"),
    }


def new_key(world: World, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A key from a create body, checked."""
    wire.conform(body, SHAPE, "CryptoKey")
    if not body.get("purpose"):
        raise ApiError.invalid("crypto_key.purpose is required.", ("crypto_key.purpose", "required"))
    if body.get("importOnly"):
        raise ApiError.unimplemented(
            "tuneform-emulator does not implement the field 'importOnly' of CryptoKey"
        )
    key: dict[str, Any] = {
        "name": name,
        "purpose": choice(body["purpose"], PURPOSES, "purpose"),
        "createTime": world.stamp(),
        "versionTemplate": template(body.get("versionTemplate") or {}),
        "destroyScheduledDuration": body.get("destroyScheduledDuration") or "2592000s",
    }
    seconds(key["destroyScheduledDuration"], "destroy_scheduled_duration")
    key |= {
        field: body[field] for field in ("labels", "rotationPeriod", "nextRotationTime") if body.get(field)
    }
    check_rotation(world, key)
    return key


def patched(world: World, key: Mapping[str, Any], mask: list[str], body: Mapping[str, Any]) -> dict[str, Any]:
    """The key with the masked fields replaced, or removed where the body leaves them out."""
    changed = dict(key)
    for field in mask:
        if field not in MASKABLE:
            raise ApiError.invalid(
                f"The field '{field}' of CryptoKey cannot be updated.", ("update_mask", field)
            )
        changed.pop(field, None)
        if body.get(field):
            changed[field] = template(body[field]) if field == "versionTemplate" else body[field]
    changed.setdefault("versionTemplate", key["versionTemplate"])
    if {"rotationPeriod", "nextRotationTime"}.intersection(mask):
        check_rotation(world, changed)
    return changed


def routes(world: World) -> tuple[Route, ...]:
    """create, get, list, patch, primary version and policy of keys, and their versions."""

    def create(request: Request) -> Mapping[str, Any]:
        ring = keyrings.require(world, keyrings.ring_name(world, request))
        key_id = request.one("cryptoKeyId")
        keyrings.check_identifier(key_id, "crypto_key_id")
        key = new_key(world, f"{ring['name']}/cryptoKeys/{key_id}", wire.camel(request.json()))
        with world.store.transaction():
            if not request.flag("skipInitialVersionCreation"):
                key["primaryVersion"] = "1"
            try:
                world.store.create(KIND, key["name"], key)
            except Exists:
                raise ApiError.already_exists(f"CryptoKey {key['name']} already exists.") from None
            if "primaryVersion" in key:
                key_versions.add(world, key)
        return shown(world, key)

    def get(request: Request) -> Mapping[str, Any]:
        return shown(world, require(world, key_name(world, request)))

    def list_all(request: Request) -> Mapping[str, Any]:
        ring = keyrings.require(world, keyrings.ring_name(world, request))
        rows = world.store.list(KIND, f"{ring['name']}/cryptoKeys/")
        return paging.page(
            request, [(name, shown(world, key)) for name, key in rows], "cryptoKeys", total=True
        )

    def patch(request: Request) -> Mapping[str, Any]:
        name = require(world, key_name(world, request))["name"]
        mask = [wire.camel_key(field) for field in request.one("updateMask").split(",") if field]
        if not mask:
            raise ApiError.invalid("update_mask is required.", ("update_mask", "required"))
        body = wire.camel(request.json())
        wire.conform(body, SHAPE, "CryptoKey")
        return shown(world, world.store.update(KIND, name, lambda key: patched(world, key, mask, body)))

    def set_primary(request: Request) -> Mapping[str, Any]:
        name = require(world, key_name(world, request))["name"]
        body = wire.camel(request.json())
        wire.conform(body, {"cryptoKeyVersionId": str}, "UpdateCryptoKeyPrimaryVersionRequest")
        number = body.get("cryptoKeyVersionId") or ""
        key_versions.require(world, f"{name}/cryptoKeyVersions/{number}")
        return shown(world, world.store.update(KIND, name, lambda key: {**key, "primaryVersion": number}))

    def get_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.read(world, require(world, key_name(world, request))["name"])

    def set_policy(request: Request) -> Mapping[str, Any]:
        name = require(world, key_name(world, request))["name"]
        return iam_policy.write(world, name, iam_policy.body_policy(request))

    def test_permissions(request: Request) -> Mapping[str, Any]:
        require(world, key_name(world, request))
        return iam_policy.permissions(request)

    return (
        Route("POST", KEYS, create),
        Route("GET", KEYS, list_all),
        Route("GET", KEY, get),
        Route("PATCH", KEY, patch),
        Route("POST", KEY + ":updatePrimaryVersion", set_primary),
        Route("GET", KEY + ":getIamPolicy", get_policy),
        Route("POST", KEY + ":setIamPolicy", set_policy),
        Route("POST", KEY + ":testIamPermissions", test_permissions),
    )
