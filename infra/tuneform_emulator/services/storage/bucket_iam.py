"""Cloud Storage JSON API: policies of buckets. A stale etag is 412 here, where the other APIs say 409."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from .. import iam_policy
from . import generations

IAM = "/storage/v1/b/{bucket}/iam"


def defaults(world: World, bucket: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bindings that every new bucket has (documentation, "IAM roles for Cloud Storage", basic roles)."""
    project = world.names.project_id(bucket["projectNumber"])
    owners = [f"projectEditor:{project}", f"projectOwner:{project}"]
    return [
        {"role": "roles/storage.legacyBucketOwner", "members": owners},
        {"role": "roles/storage.legacyBucketReader", "members": [f"projectViewer:{project}"]},
    ]


def shown(name: str, policy: Mapping[str, Any]) -> dict[str, Any]:
    """The policy as this API shows it."""
    return {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{name}", **policy}


def refuse_public(bucket: Mapping[str, Any], policy: Mapping[str, Any]) -> None:
    """Raises `ApiError` 412 for a grant to everybody on a bucket that prevents public access."""
    if bucket["iamConfiguration"]["publicAccessPrevention"] != "enforced":
        return
    for binding in policy.get("bindings") or []:
        if iam_policy.PUBLIC.intersection(binding.get("members") or []):
            raise ApiError.conditional(
                "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
                "prevention is enforced."
            )


def routes(world: World) -> tuple[Route, ...]:
    """getIamPolicy, setIamPolicy, testIamPermissions."""

    def get(request: Request) -> Mapping[str, Any]:
        bucket = generations.bucket(world, request.params["bucket"])
        policy = iam_policy.read(world, f"b/{bucket['name']}", defaults(world, bucket))
        return shown(bucket["name"], policy)

    def put(request: Request) -> Mapping[str, Any]:
        bucket = generations.bucket(world, request.params["bucket"])
        policy = request.json()
        refuse_public(bucket, policy)
        try:
            new = iam_policy.write(world, f"b/{bucket['name']}", policy, defaults(world, bucket))
        except ApiError as error:
            if error.status != "ABORTED":
                raise
            raise ApiError.conditional(error.message) from error
        return shown(bucket["name"], new)

    def test_permissions(request: Request) -> Mapping[str, Any]:
        generations.bucket(world, request.params["bucket"])
        asked = list(request.query.get("permissions", ()))
        return {"kind": "storage#testIamPermissionsResponse", **({"permissions": asked} if asked else {})}

    return (
        Route("GET", IAM, get),
        Route("PUT", IAM, put),
        Route("GET", IAM + "/testPermissions", test_permissions),
    )
