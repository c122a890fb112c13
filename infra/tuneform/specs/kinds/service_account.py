"""ServiceAccount: the identity that tuning runs as."""

from __future__ import annotations

from typing import Annotated

from tuneform.specs.kinds.base import BucketRef, SpecModel, matching

Role = Annotated[
    str,
    matching(
        r"(roles|projects/[^/]+/roles|organizations/[^/]+/roles)/[A-Za-z0-9_.]+",
        "an IAM role, such as roles/storage.objectViewer",
    ),
]
Member = Annotated[
    str,
    matching(
        r"(user|group|serviceAccount|domain):[^\s:]+|(principal|principalSet)://\S+",
        "an IAM member, such as group:team@example.com",
    ),
]


class BucketRole(SpecModel):
    """A role on one bucket."""

    bucket: BucketRef
    """The DatasetBucket."""
    role: Role
    """The IAM role on it."""


class ServiceAccount(SpecModel):
    """A service account for tuning. The two grants that Vertex AI needs to use it are made with it."""

    identifying = frozenset({"accountId"})

    account_id: Annotated[
        str,
        matching(
            r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "an account id: 6 to 30 lower-case letters, digits and dashes"
        ),
    ] = ""
    """What stands before the @ of its address; metadata.name unless said otherwise."""
    display_name: str = ""
    """A name for people."""
    project_roles: tuple[Role, ...] = ()
    """Roles it has on the whole project."""
    bucket_roles: tuple[BucketRole, ...] = ()
    """Roles it has on single buckets."""
    impersonators: tuple[Member, ...] = ()
    """Who may act as it (roles/iam.serviceAccountTokenCreator on it)."""
