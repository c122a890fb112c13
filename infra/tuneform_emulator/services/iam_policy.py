"""IAM policies of any resource: reading, changing against an etag, and asking whether a grant is there.

Policies are kept and checked for form; they decide nothing about the caller, who may do everything. They are
asked where one Google service acts for another: CMEK keys, and the account that a tuning job runs as. Grants
are looked up by role name, on the resource and on what it inherits from; roles are not expanded into
permissions, and IAM conditions are refused with 501 rather than ignored.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.clock import parse_stamp
from tuneform_emulator.wire import ApiError, Request
from tuneform_emulator.world import World

from . import agents

KIND = "policy"
ENCRYPTER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
ROLE = re.compile(r"roles/[\w.]+|(projects|organizations)/[^/]+/roles/[\w.]+")
MEMBER = re.compile(
    r"allUsers|allAuthenticatedUsers|(user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer):.+"
    r"|principal(Set)?://.+|deleted:(user|serviceAccount|group):.+"
)
OWN_ACCOUNT = re.compile(
    r"serviceAccount:([-a-z0-9]+@(?!gcp-sa-|gs-project-accounts)[-a-z0-9]+\.iam\.gserviceaccount\.com)"
)
TUNING_AGENT = re.compile(rf"serviceAccount:service-(\d+)@{re.escape(agents.TUNING_DOMAIN)}")
PAST_EDITIONS = 20
"""How many editions of a policy are kept for `grants_lag_seconds`."""
PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers"})

POLICY = {
    "version": int,
    "etag": str,
    "kind": str,
    "resourceId": str,
    "bindings": [{"role": str, "members": [str]}],
}

Bindings = list[dict[str, Any]]


def canonical(world: World, resource: str) -> str:
    """The resource's name with its project as an id; service accounts under `projects/-`."""
    first, _, rest = resource.partition("/")
    project, _, tail = rest.partition("/")
    if first != "projects":
        return resource
    if tail.startswith("serviceAccounts/"):
        return f"projects/-/{tail}"
    return f"projects/{world.names.project_id(project)}" + (f"/{tail}" if tail else "")


def read(world: World, resource: str, default: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The policy of a resource that exists; `default` are the bindings of one that nobody has set yet."""
    name = canonical(world, resource)
    stored = world.store.get(KIND, name) or {"bindings": [dict(item) for item in default], "edition": 0}
    policy = {"version": 1, "etag": etag(name, stored["edition"])}
    return {**policy, "bindings": stored["bindings"]} if stored["bindings"] else policy


def write(
    world: World, resource: str, policy: Mapping[str, Any], default: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Replaces the policy; raises `ApiError` 409 when the etag sent along is not the present one, 400 for bad
    bindings.
    """
    name = canonical(world, resource)
    wire.conform(policy, POLICY, "Policy")
    bindings = merged(world, policy.get("bindings") or [])
    with world.store.transaction():
        present = read(world, resource, default)["etag"]
        if policy.get("etag") and policy["etag"] != present:
            raise ApiError.aborted(
                "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
                "backoff."
            )
        stored = world.store.get(KIND, name) or {"edition": 0}
        past = [*stored.get("past", ()), {"since": world.stamp(), "bindings": bindings}][-PAST_EDITIONS:]
        world.store.delete(KIND, name)
        world.store.create(KIND, name, {"bindings": bindings, "edition": stored["edition"] + 1, "past": past})
    return read(world, resource, default)


def forget(world: World, resource: str) -> None:
    """Drops the policy of a deleted resource."""
    world.store.delete(KIND, canonical(world, resource))


def etag(name: str, edition: int) -> str:
    """The etag of a policy's edition: another resource or another edition has another."""
    return base64.b64encode(hashlib.sha256(f"{name}#{edition}".encode()).digest()[:8]).decode()


def merged(world: World, bindings: Sequence[Mapping[str, Any]]) -> Bindings:
    """The bindings as given, with those of one role and the repeated members put together."""
    roles: dict[str, list[str]] = {}
    for binding in bindings:
        role = binding.get("role") or ""
        if not ROLE.fullmatch(role):
            raise ApiError.invalid(
                f"Role {role or '(none)'} is not supported for this resource.", ("role", role)
            )
        members = roles.setdefault(role, [])
        for member in binding.get("members") or []:
            check_member(world, member)
            if member not in members:
                members.append(member)
    return [{"role": role, "members": members} for role, members in roles.items() if members]


def check_member(world: World, member: str) -> None:
    """Raises `ApiError` 400 for a member that is malformed, or is a user's service account that is not there."""
    if not MEMBER.fullmatch(member):
        raise ApiError.invalid(f"Invalid argument: '{member}' is not a valid member.", ("members", member))
    agent = TUNING_AGENT.fullmatch(member)
    if agent and not agents.tuning_exists(world, agent[1]):
        raise ApiError.invalid(
            f"Service account {member.partition(':')[2]} does not exist.", ("members", member)
        )
    account = OWN_ACCOUNT.fullmatch(member)
    if account and world.store.get("service-account", account[1]) is None:
        raise ApiError.invalid(f"Service account {account[1]} does not exist.", ("members", member))


def has_role(world: World, resource: str, member: str, role: str) -> bool:
    """Whether `member` (e.g. "serviceAccount:EMAIL") holds `role` on the resource or on what it inherits from.

    `resource` is "projects/ID", a key's or key ring's full name, "b/BUCKET" or
    "projects/-/serviceAccounts/EMAIL". With `grants_lag_seconds` it is the policy of so long ago that counts.
    """
    accepted = {member, *PUBLIC}
    for name in inherits(world, resource):
        stored = world.store.get(KIND, name)
        for binding in in_force(world, stored) if stored else ():
            if binding["role"] == role and accepted.intersection(binding["members"]):
                return True
    return False


def in_force(world: World, stored: Mapping[str, Any]) -> Bindings:
    """The bindings of a stored policy that have reached the services that ask for them."""
    lag = world.settings.grants_lag_seconds
    if not lag or "past" not in stored:
        found: Bindings = stored["bindings"]
        return found
    seen_until = world.clock.now() - timedelta(seconds=lag)
    reached = [edition for edition in stored["past"] if parse_stamp(edition["since"]) <= seen_until]
    return reached[-1]["bindings"] if reached else []


def inherits(world: World, resource: str) -> list[str]:
    """The canonical names whose policies count for a resource, itself first."""
    name = canonical(world, resource)
    if name.startswith("b/"):
        bucket = world.store.get("bucket", name.removeprefix("b/"))
        return [name, f"projects/{world.names.project_id(bucket['projectNumber'])}"] if bucket else [name]
    if name.startswith("projects/-/serviceAccounts/"):
        account = world.store.get("service-account", name.rpartition("/")[2])
        return [name, f"projects/{account['projectId']}"] if account else [name]
    found = [name]
    parts = name.split("/")
    if len(parts) > 6:
        found.append("/".join(parts[:6]))
    if len(parts) > 2:
        found.append("/".join(parts[:2]))
    return found


def permissions(request: Request) -> dict[str, Any]:
    """The answer of testIamPermissions: the caller has them all; raises `ApiError` 400 for a wildcard."""
    body = request.json()
    wire.conform(body, {"permissions": [str], "resource": str}, "TestIamPermissionsRequest")
    asked = body.get("permissions") or []
    if any("*" in permission for permission in asked):
        raise ApiError.invalid("Permissions with wildcards are not allowed.", ("permissions", "wildcard"))
    return {"permissions": list(asked)} if asked else {}


def body_policy(request: Request) -> dict[str, Any]:
    """The policy of a setIamPolicy body; `updateMask` may be there and changes nothing, as bindings always count."""
    body = wire.camel(request.json())
    shape = {"policy": POLICY, "updateMask": object, "resource": str}
    wire.conform(body, shape, "SetIamPolicyRequest")
    if not isinstance(body.get("policy"), dict):
        raise ApiError.invalid("policy is required.", ("policy", "required"))
    policy: dict[str, Any] = body["policy"]
    return policy
