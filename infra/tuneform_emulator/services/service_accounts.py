"""IAM v1 service accounts and their policies. Keys, tokens and signing answer 501: nothing here is a secret."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.store import Exists
from tuneform_emulator.wire import ApiError, Request, Response, Route
from tuneform_emulator.world import World

from . import iam_policy, paging

KIND = "service-account"
PARENT = "/v1/projects/{project}/serviceAccounts"
ACCOUNT = PARENT + "/{account}"
ACCOUNT_ID = re.compile(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])")
WRITABLE = ("displayName", "description")
SHAPE = {
    "displayName": str,
    "description": str,
    "name": str,
    "projectId": str,
    "uniqueId": str,
    "email": str,
    "etag": str,
    "oauth2ClientId": str,
    "disabled": bool,
}
LONGEST_DESCRIPTION = 256
LONGEST_NAME = 100


def find(world: World, email: str) -> dict[str, Any] | None:
    """A service account by its e-mail or unique id, as the API shows it; None when there is none."""
    account = world.store.get(KIND, email)
    if account is None and email.isdigit():
        known = world.store.get("service-account-id", email)
        account = world.store.get(KIND, known["email"]) if known else None
    return account


def resource(email: str) -> str:
    """The name its policy goes by."""
    return f"projects/-/serviceAccounts/{email}"


def with_etag(account: Mapping[str, Any]) -> dict[str, Any]:
    """The account with the etag of its content."""
    kept = {name: value for name, value in account.items() if name != "etag" and value not in ("", False)}
    return {
        **kept,
        "etag": base64.b64encode(hashlib.sha256(repr(sorted(kept.items())).encode()).digest()[:8]).decode(),
    }


def unique_id(world: World) -> str:
    """A 21-digit number never used before; the oauth2ClientId is the same, as in the real service."""
    return str(10**20 + world.store.next_id("service-account"))


def check_texts(account: Mapping[str, Any]) -> None:
    """Raises `ApiError` 400 for a display name or description that is too long."""
    for field, most in (("displayName", LONGEST_NAME), ("description", LONGEST_DESCRIPTION)):
        if len(str(account.get(field, "")).encode()) > most:
            raise ApiError.invalid(f"The {field} is longer than {most} bytes.", (field, "too long"))


def named(world: World, request: Request) -> dict[str, Any]:
    """The account that a path names, `projects/-` for any project; raises `ApiError` 404."""
    account = find(world, request.params["account"])
    project = request.params["project"]
    if account is None or (project != "-" and world.names.project_id(project) != account["projectId"]):
        raise ApiError.not_found(f"Unknown service account: {request.params['account']}")
    return account


def create(world: World, request: Request) -> Mapping[str, Any]:
    """serviceAccounts.create."""
    project = world.names.project_id(request.params["project"])
    body = wire.camel(request.json())
    wire.conform(body, {"accountId": str, "serviceAccount": SHAPE}, "CreateServiceAccountRequest")
    given = body.get("serviceAccount") or {}
    account_id = body.get("accountId") or ""
    if not ACCOUNT_ID.fullmatch(account_id):
        raise ApiError.invalid(
            f"Invalid account_id '{account_id}': 6 to 30 lowercase letters, digits and dashes, a letter first.",
            ("account_id", account_id),
        )
    check_texts(given)
    email = f"{account_id}@{project}.iam.gserviceaccount.com"
    number = unique_id(world)
    account = {
        "name": f"projects/{project}/serviceAccounts/{email}",
        "projectId": project,
        "uniqueId": number,
        "email": email,
        "oauth2ClientId": number,
        **{field: given[field] for field in WRITABLE if given.get(field)},
    }
    with world.store.transaction():
        try:
            world.store.create(KIND, email, with_etag(account))
        except Exists:
            raise ApiError.already_exists(
                f"Service account {account_id} already exists within project projects/{project}."
            ) from None
        world.store.create("service-account-id", number, {"email": email})
    return with_etag(account)


def change(world: World, email: str, fields: Mapping[str, Any], etag: str = "") -> Mapping[str, Any]:
    """Replaces fields; raises `ApiError` 409 when `etag` is given and stale."""
    check_texts(fields)

    def apply(account: dict[str, Any]) -> dict[str, Any]:
        if etag and etag != account["etag"]:
            raise ApiError.aborted("There were concurrent changes to the service account; read it again.")
        return with_etag({**account, **fields})

    return world.store.update(KIND, email, apply)


def patch(world: World, request: Request) -> Mapping[str, Any]:
    """serviceAccounts.patch: `{serviceAccount, updateMask}`."""
    body = wire.camel(request.json())
    wire.conform(body, {"serviceAccount": SHAPE, "updateMask": str}, "PatchServiceAccountRequest")
    given = body.get("serviceAccount") or {}
    mask = [wire.camel_key(field) for field in (body.get("updateMask") or "").split(",") if field]
    for field in mask:
        if field not in WRITABLE:
            raise ApiError.invalid(
                f"The field '{field}' of ServiceAccount cannot be updated.", ("update_mask", field)
            )
    fields = {field: given.get(field) or "" for field in mask or WRITABLE if mask or field in given}
    return change(world, named(world, request)["email"], fields, given.get("etag") or "")


def put(world: World, request: Request) -> Mapping[str, Any]:
    """serviceAccounts.update: the whole account; only display name and description count."""
    given = wire.camel(request.json())
    wire.conform(given, SHAPE, "ServiceAccount")
    fields = {field: given[field] or "" for field in WRITABLE if field in given}
    return change(world, named(world, request)["email"], fields, given.get("etag") or "")


def delete(world: World, request: Request) -> Response:
    """serviceAccounts.delete; its policy goes with it, grants that name it elsewhere stay, as in the real service."""
    account = named(world, request)
    with world.store.transaction():
        world.store.delete(KIND, account["email"])
        world.store.delete("service-account-id", account["uniqueId"])
        iam_policy.forget(world, resource(account["email"]))
    return Response({})


def routes(world: World) -> tuple[Route, ...]:
    """create, get, list, patch, update, enable, disable, delete and the policy of service accounts."""

    def list_all(request: Request) -> Mapping[str, Any]:
        project = world.names.project_id(request.params["project"])
        rows = [row for row in world.store.list(KIND) if row[1]["projectId"] == project]
        return paging.page(request, rows, "accounts", default=20, most=100)

    def switch(request: Request, *, disabled: bool) -> Mapping[str, Any]:
        change(world, named(world, request)["email"], {"disabled": disabled})
        return {}

    def get_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.read(world, resource(named(world, request)["email"]))

    def set_policy(request: Request) -> Mapping[str, Any]:
        email = named(world, request)["email"]
        return iam_policy.write(world, resource(email), iam_policy.body_policy(request))

    def test_permissions(request: Request) -> Mapping[str, Any]:
        named(world, request)
        return iam_policy.permissions(request)

    return (
        Route("POST", PARENT, lambda request: create(world, request)),
        Route("GET", PARENT, list_all),
        Route("GET", ACCOUNT, lambda request: named(world, request)),
        Route("PATCH", ACCOUNT, lambda request: patch(world, request)),
        Route("PUT", ACCOUNT, lambda request: put(world, request)),
        Route("DELETE", ACCOUNT, lambda request: delete(world, request)),
        Route("POST", ACCOUNT + ":enable", lambda request: switch(request, disabled=False)),
        Route("POST", ACCOUNT + ":disable", lambda request: switch(request, disabled=True)),
        Route("POST", ACCOUNT + ":getIamPolicy", get_policy),
        Route("POST", ACCOUNT + ":setIamPolicy", set_policy),
        Route("POST", ACCOUNT + ":testIamPermissions", test_permissions),
    )
