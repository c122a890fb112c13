"""Cloud Storage JSON API: buckets.

Lifecycle rules are kept and shown and never carried out; soft delete is not emulated, so what is deleted is
gone. Fields that change how a bucket behaves and are not emulated (CORS, retention, ACLs, Autoclass, logging…)
answer 501.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.clock import stamp
from tuneform_emulator.store import Exists
from tuneform_emulator.wire import ApiError, Request, Response, Route
from tuneform_emulator.world import World

from . import agents, iam_policy, paging
from .storage import conditions, generations

KIND = generations.BUCKET
BUCKET = "/storage/v1/b/{bucket}"
NAME = re.compile(r"(?!goog)[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]")
LOCATION = re.compile(r"US|EU|ASIA|NAM4|EUR[457]|ASIA1|[A-Z]+-[A-Z]+\d+")
DUAL = re.compile(r"NAM4|EUR\d|ASIA1")
CLASSES = {"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"}
UNIFORM = {"enabled": bool, "lockedTime": str}
WRITABLE = {
    "location": str,
    "storageClass": str,
    "labels": {"*": str},
    "versioning": {"enabled": bool},
    "lifecycle": {"rule": [{"action": {"type": str, "storageClass": str}, "condition": {"*": object}}]},
    "encryption": {"defaultKmsKeyName": str},
    "iamConfiguration": {
        "uniformBucketLevelAccess": UNIFORM,
        "bucketPolicyOnly": UNIFORM,
        "publicAccessPrevention": str,
    },
}
OUTPUT_ONLY = {
    "kind": str,
    "id": str,
    "selfLink": str,
    "name": str,
    "projectNumber": (str, int),
    "metageneration": (str, int),
    "generation": (str, int),
    "etag": str,
    "timeCreated": str,
    "updated": str,
    "locationType": str,
    "owner": object,
    "satisfiesPZS": bool,
}
KEEPS_LOCK = timedelta(days=90)
LABEL = re.compile(r"[\w-]{0,63}")


def location_type(location: str) -> str:
    """region, dual-region or multi-region."""
    if "-" in location:
        return "region"
    return "dual-region" if DUAL.fullmatch(location) else "multi-region"


def checked(world: World, owner: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a create, patch or update body, each in the form it is stored in; None for one removed."""
    wire.conform(body, {**WRITABLE, **OUTPUT_ONLY}, "Bucket")
    fields = {field: body[field] for field in WRITABLE if field in body}
    for field in ("storageClass", "iamConfiguration", "location"):
        if field in fields and fields[field] is None:
            # Every bucket has these: null leaves them as they are.
            del fields[field]
    if "storageClass" in fields and fields["storageClass"] not in CLASSES:
        raise ApiError.invalid(f"Invalid storage class {fields['storageClass']}.")
    for value in (fields.get("labels") or {}).values():
        if value is not None and not LABEL.fullmatch(value):
            raise ApiError.invalid(f"Invalid label value '{value}'.")
    if fields.get("lifecycle"):
        check_lifecycle(fields["lifecycle"])
    if fields.get("encryption") and (key := fields["encryption"].get("defaultKmsKeyName")):
        generations.check_key(world, owner, key)
    if "iamConfiguration" in fields:
        fields["iamConfiguration"] = access(
            world, owner.get("iamConfiguration") or {}, fields["iamConfiguration"]
        )
    return fields


def check_lifecycle(lifecycle: Mapping[str, Any]) -> None:
    """Raises `ApiError` 400 for a rule without an action of a known type or without a condition."""
    for rule in lifecycle.get("rule") or []:
        kind = (rule.get("action") or {}).get("type")
        if kind not in ("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"):
            raise ApiError.invalid(f"Invalid lifecycle action type '{kind}'.")
        if not rule.get("condition"):
            raise ApiError.invalid("A lifecycle rule needs at least one condition.")


def access(world: World, present: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """iamConfiguration with its defaults; bucketPolicyOnly is the older name of uniform access."""
    uniform = given.get("uniformBucketLevelAccess") or given.get("bucketPolicyOnly") or {}
    before = present.get("uniformBucketLevelAccess") or {"enabled": False}
    on = bool(uniform.get("enabled", before["enabled"]))
    shown = before
    if on != before["enabled"]:
        lock = stamp(world.clock.now() + KEEPS_LOCK)
        shown = {"enabled": True, "lockedTime": lock} if on else {"enabled": False}
    prevention = given.get("publicAccessPrevention") or present.get("publicAccessPrevention", "inherited")
    if prevention not in ("enforced", "inherited"):
        raise ApiError.invalid(f"Invalid publicAccessPrevention '{prevention}'.")
    return {
        "uniformBucketLevelAccess": shown,
        "bucketPolicyOnly": shown,
        "publicAccessPrevention": prevention,
    }


def create(world: World, request: Request) -> Mapping[str, Any]:
    """buckets.insert."""
    body = request.json()
    if not request.one("project"):
        raise ApiError(400, "INVALID_ARGUMENT", "Required parameter: project", reason="required")
    number = world.names.number(request.one("project"))
    name = body.get("name") or ""
    wire.conform(name, str, "Bucket.name")
    if not NAME.fullmatch(name):
        raise ApiError.invalid(f"Invalid bucket name: '{name}'")
    location = body.get("location") or "US"
    wire.conform(location, str, "Bucket.location")
    location = location.upper()
    if not LOCATION.fullmatch(location):
        raise ApiError.invalid("The specified location constraint is not valid.")
    now = world.stamp()
    base = {
        "name": name,
        "projectNumber": number,
        "location": location,
        "locationType": location_type(location),
        "storageClass": "STANDARD",
        "metageneration": "1",
        "timeCreated": now,
        "updated": now,
        "iamConfiguration": access(world, {}, {}),
    }
    made = changed(base, {**checked(world, base, body), "location": location})
    try:
        world.store.create(KIND, name, made)
    except Exists:
        raise ApiError.already_exists(taken(world, name, number)) from None
    return shown(request, made)


def taken(world: World, name: str, number: str) -> str:
    """Why a bucket's name is not free: names are global."""
    if generations.bucket(world, name)["projectNumber"] == number:
        return "Your previous request to create the named bucket succeeded and you already own it."
    return "The requested bucket name is not available. The bucket namespace is shared by all users of the system."


def changed(present: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The bucket with checked fields put in; iamConfiguration comes complete and is not merged."""
    complete = {name: fields[name] for name in ("iamConfiguration",) if fields.get(name)}
    return {
        **merge_patch(present, {name: fields[name] for name in fields if name not in complete}),
        **complete,
    }


def merge_patch(present: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7396): None removes, objects merge, all else replaces; empty objects go away."""
    merged = dict(present)
    for name, value in fields.items():
        before = merged.get(name)
        inside = before if isinstance(before, dict) else {}
        merged[name] = merge_patch(inside, value) if isinstance(value, dict) else value
    return {name: value for name, value in merged.items() if value is not None and value != {}}


def change(world: World, request: Request, *, whole: bool) -> Mapping[str, Any]:
    """buckets.patch, and buckets.update (`whole`), which removes what the body leaves out."""
    body = request.json()
    name = request.params["bucket"]
    generations.bucket(world, name)

    def apply(present: dict[str, Any]) -> dict[str, Any]:
        conditions.check(request, present)
        if str(body.get("location") or present["location"]).upper() != present["location"]:
            raise ApiError.invalid("The location of a bucket cannot be changed.")
        fields = {**checked(world, present, body), "location": present["location"]}
        if whole:
            kept = ("iamConfiguration", "storageClass", "location")
            present = {key: value for key, value in present.items() if key in kept or key not in WRITABLE}
        counted = {"metageneration": str(int(present["metageneration"]) + 1), "updated": world.stamp()}
        return {**changed(present, fields), **counted}

    return shown(request, world.store.update(KIND, name, apply))


def delete(world: World, request: Request) -> Response:
    """buckets.delete; raises `ApiError` 409 while any generation of any object is left."""
    name = request.params["bucket"]
    with world.store.transaction():
        conditions.check(request, generations.bucket(world, name))
        for kind in (generations.LIVE, generations.NONCURRENT):
            if world.store.count(kind, f"{name}/"):
                raise ApiError.conflict("The bucket you tried to delete is not empty.")
        world.store.delete(KIND, name)
        iam_policy.forget(world, f"b/{name}")
    return Response(b"", 204)


def shown(request: Request, bucket: Mapping[str, Any]) -> dict[str, Any]:
    """The bucket as the API shows it."""
    base = f"http://{request.headers.get('host', 'localhost')}"
    return {
        "kind": "storage#bucket",
        "id": bucket["name"],
        "selfLink": f"{base}/storage/v1/b/{bucket['name']}",
        **bucket,
        "etag": generations.etag(bucket["metageneration"]),
    }


def routes(world: World) -> tuple[Route, ...]:
    """insert, get, list, patch, update, delete, and the project's storage agent."""

    def get(request: Request) -> Mapping[str, Any] | Response:
        found = generations.bucket(world, request.params["bucket"])
        try:
            conditions.check(request, found, reading=True)
        except conditions.NotModified:
            return Response(b"", 304)
        return shown(request, found)

    def list_all(request: Request) -> Mapping[str, Any]:
        number = world.names.number(request.one("project"))
        rows = world.store.list(KIND, request.one("prefix"))
        owned = [(name, shown(request, row)) for name, row in rows if row["projectNumber"] == number]
        return {
            "kind": "storage#buckets",
            **paging.page(request, owned, "items", size="maxResults", default=1000),
        }

    def agent(request: Request) -> Mapping[str, Any]:
        email = agents.storage(world.names.number(request.params["project"]))
        return {"kind": "storage#serviceAccount", "email_address": email}

    return (
        Route("POST", "/storage/v1/b", lambda request: create(world, request)),
        Route("GET", "/storage/v1/b", list_all),
        Route("GET", BUCKET, get),
        Route("PATCH", BUCKET, lambda request: change(world, request, whole=False)),
        Route("PUT", BUCKET, lambda request: change(world, request, whole=True)),
        Route("DELETE", BUCKET, lambda request: delete(world, request)),
        Route("GET", "/storage/v1/projects/{project}/serviceAccount", agent),
    )
