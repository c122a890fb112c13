"""Buckets, keys and service accounts of pulumi-gcp, whoever declares them.

What a bucket does not ask for it does not have: without `publicAccessPrevention` it inherits, without
`uniformBucketLevelAccess` its objects may have lists (pulumi-gcp's documentation of storage.Bucket). Key rings and
single grants on keys and buckets say nothing that a document says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuneform.policy.judge import Subject
from tuneform.policy.shapes.values import UNKNOWN, Resource, drawn, key, key_parts, part

_ACCOUNT = "gcp:serviceaccount/account:Account"
_GRANT = "gcp:projects/iAMMember:IAMMember"
ACCOUNTS = frozenset({_ACCOUNT, _GRANT})
"""The types that `accounts` looks at."""
_MEMBER = "serviceAccount:"
_DOMAIN = "iam.gserviceaccount.com"
_CONDITIONS = {"age", "numNewerVersions"}


def _bucket(resource: Resource) -> tuple[Subject, ...]:
    given = resource.inputs
    encryption = given.get("encryption")
    spec = {
        "bucketName": given.get("name", UNKNOWN),
        "location": _location(given.get("location")),
        "storageClass": given.get("storageClass", "STANDARD"),
        "versioning": part(given.get("versioning"), "enabled", default=False),
        "lifecycle": _lifecycle(given.get("lifecycleRules", [])),
        "encryptionKey": key(part(encryption, "defaultKmsKeyName")),
        "uniformBucketLevelAccess": given.get("uniformBucketLevelAccess", False),
        "publicAccessPrevention": given.get("publicAccessPrevention", "inherited"),
        "deletionPolicy": UNKNOWN,
    }
    return (_drawn("DatasetBucket", resource, spec, given.get("project", UNKNOWN)),)


def _location(name: Any) -> Any:
    """A location as Google's pages write it: us-central1, and EU. The API takes either form of both."""
    if not isinstance(name, str):
        return name
    return name.lower() if "-" in name else name.upper()


def _lifecycle(rules: Any) -> Any:
    """The rules that delete. One that asks for more than documents can say is about other objects: then who knows."""
    if not isinstance(rules, Sequence):
        return rules
    found = []
    for rule in rules:
        action, condition = part(part(rule, "action"), "type"), part(rule, "condition", {})
        if action is UNKNOWN or condition is UNKNOWN:
            return UNKNOWN
        if action != "Delete":
            continue
        asked = {name: value for name, value in condition.items() if value not in (None, [], "")}
        if not asked or set(asked) - _CONDITIONS:
            return UNKNOWN
        found.append({**asked, "action": "Delete"})
    return found


def _crypto_key(resource: Resource) -> tuple[Subject, ...]:
    given = resource.inputs
    ring, name = given.get("keyRing"), given.get("name", UNKNOWN)
    whole = isinstance(ring, str) and isinstance(name, str)
    parts = key_parts(ring) if isinstance(ring, str) else dict.fromkeys(("projectId", "location"), UNKNOWN)
    spec = {
        "keyRing": ring.rpartition("/")[2] if isinstance(ring, str) else UNKNOWN,
        "keyName": name,
        **parts,
        "rotationPeriod": given.get("rotationPeriod"),
        "protectionLevel": part(given.get("versionTemplate"), "protectionLevel", "SOFTWARE"),
        "name": f"{ring}/cryptoKeys/{name}" if whole else UNKNOWN,
        "deletionPolicy": UNKNOWN,
    }
    return (_drawn("EncryptionKey", resource, spec, parts["projectId"]),)


def accounts(resources: Sequence[Resource]) -> tuple[tuple[Resource, Subject], ...]:
    """The service accounts that a stack declares, or grants roles on a project, with those roles.

    An account that is granted roles and not declared goes by its account id.
    """
    declared: dict[Any, Resource] = {}
    grants: dict[Any, list[Resource]] = {}
    for resource in resources:
        if resource.token == _ACCOUNT:
            declared[_email(resource) or resource.urn or resource.name] = resource
        elif resource.token == _GRANT:
            member = resource.inputs.get("member")
            if member is UNKNOWN or (isinstance(member, str) and member.startswith(_MEMBER)):
                address = member if member is UNKNOWN else member.removeprefix(_MEMBER)
                grants.setdefault(address, []).append(resource)
    open_ended = UNKNOWN in grants  # a grant to nobody knows whom may be a grant to anybody
    found = [
        (resource, _account(resource, grants.get(address, []), open_ended))
        for address, resource in declared.items()
    ]
    found += [
        (given[0], _stranger(address, given))
        for address, given in grants.items()
        if address is not UNKNOWN and address not in declared
    ]
    return tuple(found)


def _email(resource: Resource) -> str | None:
    identity, project = resource.inputs.get("accountId"), resource.inputs.get("project")
    both = isinstance(identity, str) and isinstance(project, str)
    return f"{identity}@{project}.{_DOMAIN}" if both else None


def _account(resource: Resource, grants: Sequence[Resource], open_ended: bool) -> Subject:
    given = resource.inputs
    roles = _roles(grants)
    email = _email(resource) or UNKNOWN
    spec = {
        "accountId": given.get("accountId", UNKNOWN),
        "displayName": given.get("displayName", ""),
        # Whose address is not known yet, his grants are not found.
        "projectRoles": UNKNOWN if open_ended or email is UNKNOWN else roles,
        "bucketRoles": UNKNOWN,
        "impersonators": UNKNOWN,
        "email": email,
    }
    return _drawn("ServiceAccount", resource, spec, given.get("project", UNKNOWN), labelled=False)


def _roles(grants: Sequence[Resource]) -> list[Any]:
    """The roles that are granted, in an order of ours: the engine registers grants in none."""
    return sorted((grant.inputs.get("role", UNKNOWN) for grant in grants), key=str)


def _stranger(address: str, grants: Sequence[Resource]) -> Subject:
    account, _, rest = address.partition("@")
    project, _, domain = rest.partition(".")
    named = Resource(_GRANT, account, grants[0].inputs)
    spec = {
        "accountId": account,
        "displayName": UNKNOWN,
        "projectRoles": _roles(grants),
        "bucketRoles": UNKNOWN,
        "impersonators": UNKNOWN,
        "email": address,
    }
    return _drawn("ServiceAccount", named, spec, project if domain == _DOMAIN else UNKNOWN, labelled=False)


def _drawn(
    kind: str, resource: Resource, spec: Mapping[str, Any], project_id: Any, *, labelled: bool = True
) -> Subject:
    """A subject of a Google Cloud project; which Project document that is, nobody has said."""
    given = resource.inputs
    project = {
        **dict.fromkeys(("name", "location", "owner", "servingLocation", "platform", "labels"), UNKNOWN),
        "stateBucket": UNKNOWN,
        "projectId": project_id,
    }
    labels = given.get("labels", {}) if labelled else UNKNOWN
    more = given.get("pulumiLabels", {})  # those and the default ones of the provider
    if labels is not UNKNOWN:
        labels = UNKNOWN if more is UNKNOWN else {**labels, **more}
    metadata = {"name": resource.name, "project": UNKNOWN, "labels": labels}
    return drawn(kind, metadata, spec, project, name=resource.name)


GOOGLE: Mapping[str, Callable[[Resource], tuple[Subject, ...]]] = {
    "gcp:storage/bucket:Bucket": _bucket,
    "gcp:kms/cryptoKey:CryptoKey": _crypto_key,
}
