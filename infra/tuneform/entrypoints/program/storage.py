"""Encryption keys and dataset buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from tuneform import specs
from tuneform.entrypoints import inputs
from tuneform.entrypoints.program.project import Base
from tuneform.entrypoints.program.scope import Scope, options
from tuneform.specs.kinds.dataset_bucket import LifecycleRule

_USE_KEY = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


@dataclass(frozen=True)
class Key:
    """A key's full name, and what has to be there before it can be used: itself and the grants."""

    name: str
    ready: tuple[pulumi.Resource, ...]


@dataclass(frozen=True)
class Bucket:
    """A bucket's name, and what has to be there before it can be used."""

    name: str
    ready: tuple[pulumi.Resource, ...]
    retained: bool


def declare_keys(scope: Scope, base: Base) -> Mapping[str, Key]:
    """Every EncryptionKey by name: made, or only granted when it is an existing one."""
    rings: dict[str, gcp.kms.KeyRing] = {}
    keys: dict[str, Key] = {}
    with_bucket = {b.spec.encryption_key.ref for b in scope.of(specs.DatasetBucket) if b.spec.encryption_key}
    for document in scope.of(specs.EncryptionKey):
        name = inputs.key_name(scope.tree, document)
        made = [] if document.spec.existing else [_key(scope, base, document, rings)]
        members = {"vertex": base.vertex_agent}
        if document.name in with_bucket:
            members["storage"] = _storage_agent(scope)
        grants = [
            gcp.kms.CryptoKeyIAMMember(
                f"{document.name}-{agent}",
                crypto_key_id=name,
                role=_USE_KEY,
                member=member,
                opts=options(document, [*made, base.vertex_identity], suffix=f"-{agent}"),
            )
            for agent, member in members.items()
        ]
        keys[document.name] = Key(name, (*made, *grants))
    return keys


def _key(
    scope: Scope,
    base: Base,
    document: specs.Document[specs.EncryptionKey],
    rings: dict[str, gcp.kms.KeyRing],
) -> gcp.kms.CryptoKey:
    spec = document.spec
    ring, _, _ = inputs.key_name(scope.tree, document).partition("/cryptoKeys/")
    if ring not in rings:
        rings[ring] = gcp.kms.KeyRing(
            f"{spec.location}-{spec.key_ring}",
            project=scope.project_id,
            location=spec.location,
            name=spec.key_ring,
            opts=pulumi.ResourceOptions(
                depends_on=[base.services["cloudkms"]],
                retain_on_delete=True,  # Google never deletes a key ring; it would only be forgotten
                import_=ring if scope.adoption.found(ring) else None,
            ),
        )
    hsm = gcp.kms.CryptoKeyVersionTemplateArgs(
        algorithm="GOOGLE_SYMMETRIC_ENCRYPTION", protection_level="HSM"
    )
    return gcp.kms.CryptoKey(
        document.name,
        key_ring=ring,
        name=spec.key_name,
        rotation_period=f"{int(spec.rotation_period.total_seconds())}s",
        version_template=hsm if spec.protection_level == "HSM" else None,
        labels=scope.labels(document),
        opts=options(
            document,
            [rings[ring]],
            retain=spec.deletion_policy == "Retain",
            adoption=scope.adoption,
            live=inputs.key_name(scope.tree, document),
        ),
    )


def _storage_agent(scope: Scope) -> str:
    """Cloud Storage's agent, which is made by asking for it."""
    return str(gcp.storage.get_project_service_account(project=scope.project_id).member)


def declare_buckets(scope: Scope, base: Base, keys: Mapping[str, Key]) -> Mapping[str, Bucket]:
    """Every DatasetBucket by name.

    On destroy a bucket goes when it is empty: datasets delete their own objects, and what others put there is theirs.
    """
    return {document.name: _bucket(scope, base, document, keys) for document in scope.of(specs.DatasetBucket)}


def _bucket(
    scope: Scope, base: Base, document: specs.Document[specs.DatasetBucket], keys: Mapping[str, Key]
) -> Bucket:
    spec = document.spec
    key = keys[spec.encryption_key.ref] if spec.encryption_key else None
    retained = spec.deletion_policy == "Retain"
    bucket = gcp.storage.Bucket(
        document.name,
        project=scope.project_id,
        name=spec.bucket_name,
        location=spec.location.upper(),  # as the API answers it
        storage_class=spec.storage_class,
        uniform_bucket_level_access=spec.uniform_bucket_level_access,
        public_access_prevention=spec.public_access_prevention,
        versioning=gcp.storage.BucketVersioningArgs(enabled=spec.versioning),
        lifecycle_rules=[_rule(rule) for rule in spec.lifecycle] or None,
        encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=key.name) if key else None,
        labels=scope.labels(document),
        opts=options(
            document,
            [base.services["storage"], *(key.ready if key else ())],
            retain=retained,
            adoption=scope.adoption,
            live=spec.bucket_name,
        ),
    )
    return Bucket(spec.bucket_name, (bucket,), retained)


def _rule(rule: LifecycleRule) -> gcp.storage.BucketLifecycleRuleArgs:
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type=rule.action),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(
            age=rule.age, num_newer_versions=rule.num_newer_versions
        ),
    )
