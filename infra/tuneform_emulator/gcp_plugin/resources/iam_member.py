"""One member's one role on a bucket, a key, a service account or a project: non-authoritative grants.

A policy is changed by read-modify-write. The etag makes a lost race visible, and the change is made again on the
policy as it is then; changes from this process do not race each other at all.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from typing_extensions import override

from ..rest import CONFLICT, NOT_FOUND, PluginError, Rest, RestError, resource_path, segment
from ..schema_check import Problem, Shape
from .base import Context, Live, Properties, Resource
from .kms_names import key_name

RACE_LOST = (CONFLICT, 412)
ATTEMPTS = 10
PAUSE_SECONDS = 0.05
POLICY_VERSION = 3
ROLE = re.compile(r"(?:(?:projects|organizations)/[^/ ]+/)?roles/[\w.]+")
ID = re.compile(rf"(?P<resource>.+?)[/ ](?P<role>{ROLE.pattern})[/ ](?P<member>\S+)")
EVERYONE = ("allUsers", "allAuthenticatedUsers")

Policy = dict[str, Any]


class IamMember(Resource):
    """What the four grants share. The id is RESOURCE/ROLE/MEMBER; imported as that or with blanks between."""

    resource_input: ClassVar[str]
    computed = frozenset({"etag"})

    def resource_name(self, value: str, project: str) -> str:
        """The granted resource's name in ids, from any spelling that pulumi-gcp accepts."""
        raise NotImplementedError

    def get_policy(self, resource: str, rest: Rest) -> Policy:
        """The IAM policy; raises `RestError`."""
        raise NotImplementedError

    def set_policy(self, resource: str, policy: Policy, rest: Rest) -> None:
        """Replaces the policy if its etag is still right; raises `RestError`."""
        raise NotImplementedError

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """Roles and members in the form that the API wants."""
        role, member = inputs.get("role"), inputs.get("member")
        if isinstance(role, str) and not ROLE.fullmatch(role):
            yield Problem("role", f"'{role}' is no role such as roles/storage.objectViewer")
        if isinstance(member, str) and member not in EVERYONE and not re.fullmatch(r"\w+:\S+", member):
            yield Problem("member", f"'{member}' needs its kind, such as serviceAccount:{member}")

    @override
    def canonical(self, inputs: Properties) -> dict[str, Any]:
        """The resource under one name, the member's address in lower case."""
        plain = super().canonical(inputs)
        if isinstance(value := plain.get(self.resource_input), str):
            plain[self.resource_input] = self.resource_name(value, "")
        if isinstance(member := plain.get("member"), str):
            plain["member"] = _normal(member)
        return plain

    @override
    def create(self, inputs: Properties, context: Context) -> str:
        """Grants; a grant that is there already is left as it is."""
        resource = self.resource_name(inputs[self.resource_input], context.project)
        role, member = inputs["role"], _normal(inputs["member"])
        self._change(resource, lambda policy: _grant(policy, role, member), context.rest)
        return f"{resource}/{role}/{member}"

    @override
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The grant, None when the policy or its resource lacks it."""
        resource, role, member = self._parse(identity, given, context)
        try:
            policy = self.get_policy(resource, context.rest)
        except RestError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        if not any(role == bound and member in map(_normal, members) for bound, members in _bindings(policy)):
            return None
        inputs = {self.resource_input: resource, "role": role, "member": member}
        return Live(f"{resource}/{role}/{member}", inputs, {"etag": policy.get("etag", "")})

    @override
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Takes this grant back and leaves all others."""
        resource, role, member = self._parse(identity, properties, context)
        try:
            self._change(resource, lambda policy: _revoke(policy, role, member), context.rest)
        except RestError as error:
            if error.status != NOT_FOUND:
                raise

    def _parse(self, identity: str, given: Properties, context: Context) -> tuple[str, str, str]:
        if given:
            resource, role, member = given[self.resource_input], given["role"], given["member"]
        elif found := ID.fullmatch(identity):
            resource, role, member = found["resource"], found["role"], found["member"]
        else:
            raise PluginError(f"'{identity}' does not name a grant: 'RESOURCE ROLE MEMBER' is needed")
        return self.resource_name(resource, context.project), role, _normal(member)

    def _change(self, resource: str, change: Callable[[Policy], bool], rest: Rest) -> None:
        """Applies `change` (false: nothing to do) to the policy; raises `RestError` when races keep being lost."""
        with rest.exclusive(f"{self.tokens[0]} {resource}"):
            for attempt in range(1, ATTEMPTS + 1):
                policy = self.get_policy(resource, rest)
                if not change(policy):
                    return
                try:
                    self.set_policy(resource, policy, rest)
                except RestError as error:
                    if error.status not in RACE_LOST or attempt == ATTEMPTS:
                        raise
                    threading.Event().wait(PAUSE_SECONDS * attempt)
                else:
                    return


def _normal(member: str) -> str:
    """The API keeps addresses in lower case; the kind and principals of federation keep their case."""
    kind, separator, address = member.partition(":")
    return member if kind.startswith("principal") else f"{kind}{separator}{address.lower()}"


def _bindings(policy: Policy) -> Iterator[tuple[str, list[str]]]:
    """The unconditional bindings: a conditional one is another grant."""
    for binding in policy.get("bindings", []):
        if "condition" not in binding:
            yield binding["role"], binding.get("members", [])


def _grant(policy: Policy, role: str, member: str) -> bool:
    if any(role == bound and member in map(_normal, members) for bound, members in _bindings(policy)):
        return False
    for bound, members in _bindings(policy):
        if bound == role:
            members.append(member)
            return True
    policy.setdefault("bindings", []).append({"role": role, "members": [member]})
    return True


def _revoke(policy: Policy, role: str, member: str) -> bool:
    changed = False
    for bound, members in _bindings(policy):
        if bound == role and member in map(_normal, members):
            members[:] = [other for other in members if _normal(other) != member]
            changed = True
    policy["bindings"] = [binding for binding in policy.get("bindings", []) if binding.get("members")]
    return changed


def _shape(resource_input: str) -> Shape:
    return {resource_input: {}, "member": {}, "role": {}}


class BucketIamMember(IamMember):
    """gcp:storage/bucketIAMMember:BucketIAMMember."""

    tokens = ("gcp:storage/bucketIAMMember:BucketIAMMember",)
    module = "pulumi_gcp.storage"
    args = "BucketIAMMemberArgs"
    resource_input = "bucket"
    supported: ClassVar[Shape] = _shape(resource_input)
    replace_on = frozenset(supported)

    @override
    def resource_name(self, value: str, project: str) -> str:
        """b/BUCKET."""
        return f"b/{value.removeprefix('b/')}"

    @override
    def get_policy(self, resource: str, rest: Rest) -> Policy:
        """storage.buckets.getIamPolicy."""
        query = {"optionsRequestedPolicyVersion": str(POLICY_VERSION)}
        return rest.call("GET", f"storage/v1/{resource_path(resource)}/iam", query=query)

    @override
    def set_policy(self, resource: str, policy: Policy, rest: Rest) -> None:
        """storage.buckets.setIamPolicy."""
        rest.call("PUT", f"storage/v1/{resource_path(resource)}/iam", body=policy)


class CryptoKeyIamMember(IamMember):
    """gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember."""

    tokens = ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",)
    module = "pulumi_gcp.kms"
    args = "CryptoKeyIAMMemberArgs"
    resource_input = "cryptoKeyId"
    supported: ClassVar[Shape] = _shape(resource_input)
    replace_on = frozenset(supported)

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """A key must be named in one of three forms."""
        yield from super().flaws(inputs)
        key = inputs.get("cryptoKeyId")
        if isinstance(key, str) and key.count("/") not in (SHORT_FORM_SLASHES, 3, 7):
            yield Problem("cryptoKeyId", f"'{key}' is no key: give the id of a gcp:kms/cryptoKey:CryptoKey")

    @override
    def resource_name(self, value: str, project: str) -> str:
        """The key's full name."""
        return key_name(value, project) if project or value.count("/") != SHORT_FORM_SLASHES else value

    @override
    def get_policy(self, resource: str, rest: Rest) -> Policy:
        """cloudkms cryptoKeys.getIamPolicy, a GET in this API."""
        query = {"options.requestedPolicyVersion": str(POLICY_VERSION)}
        return rest.call("GET", f"v1/{resource_path(resource)}:getIamPolicy", query=query)

    @override
    def set_policy(self, resource: str, policy: Policy, rest: Rest) -> None:
        """cloudkms cryptoKeys.setIamPolicy."""
        rest.call("POST", f"v1/{resource_path(resource)}:setIamPolicy", body={"policy": policy})


SHORT_FORM_SLASHES = 2
"""LOCATION/RING/KEY: which project it means, only the provider's setting can tell."""


class AccountIamMember(IamMember):
    """gcp:serviceaccount/iAMMember:IAMMember: who may use a service account."""

    tokens = ("gcp:serviceaccount/iAMMember:IAMMember", "gcp:serviceAccount/iAMMember:IAMMember")
    module = "pulumi_gcp.serviceaccount"
    args = "IAMMemberArgs"
    resource_input = "serviceAccountId"
    supported: ClassVar[Shape] = _shape(resource_input)
    replace_on = frozenset(supported)

    @override
    def resource_name(self, value: str, project: str) -> str:
        """projects/PROJECT/serviceAccounts/EMAIL, as the account's id and name have it."""
        return value

    @override
    def get_policy(self, resource: str, rest: Rest) -> Policy:
        """iam serviceAccounts.getIamPolicy, a POST with the version as a query parameter."""
        query = {"options.requestedPolicyVersion": str(POLICY_VERSION)}
        return rest.call("POST", f"v1/{resource_path(resource)}:getIamPolicy", query=query)

    @override
    def set_policy(self, resource: str, policy: Policy, rest: Rest) -> None:
        """iam serviceAccounts.setIamPolicy."""
        rest.call("POST", f"v1/{resource_path(resource)}:setIamPolicy", body={"policy": policy})


class ProjectIamMember(IamMember):
    """gcp:projects/iAMMember:IAMMember."""

    tokens = ("gcp:projects/iAMMember:IAMMember",)
    module = "pulumi_gcp.projects"
    args = "IAMMemberArgs"
    resource_input = "project"
    supported: ClassVar[Shape] = _shape(resource_input)
    replace_on = frozenset(supported)

    @override
    def defaults(self, context: Context) -> dict[str, Any]:
        """None: the project of a grant is not taken from the provider's settings (pulumi-gcp, same)."""
        return {}

    @override
    def resource_name(self, value: str, project: str) -> str:
        """The project's id alone."""
        return value.removeprefix("projects/")

    @override
    def get_policy(self, resource: str, rest: Rest) -> Policy:
        """cloudresourcemanager v1 projects.getIamPolicy."""
        body = {"options": {"requestedPolicyVersion": POLICY_VERSION}}
        return rest.call("POST", f"v1/projects/{segment(resource)}:getIamPolicy", body=body)

    @override
    def set_policy(self, resource: str, policy: Policy, rest: Rest) -> None:
        """cloudresourcemanager v1 projects.setIamPolicy."""
        rest.call("POST", f"v1/projects/{segment(resource)}:setIamPolicy", body={"policy": policy})
