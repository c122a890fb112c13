"""What an audit sees of projects, tuneform's own or not: what lists show, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tuneform.reconcile.live import Endpoint, Job, Model


@dataclass(frozen=True)
class ProjectSeen:
    """A project of Google Cloud. Empty fields are not known; `owners` and `roles` are None where its policy is not.

    `owners` are the people and groups with roles/owner, `roles` those of service accounts on the whole project.
    """

    project_id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] | None = None
    roles: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class JobSeen:
    """A tuning job. `examples` of its training data are None where Vertex AI has not counted them."""

    job: Job
    examples: int | None = None


@dataclass(frozen=True)
class ModelSeen:
    """A model of the registry; `tuned` says that it shows itself to come of a tuning."""

    model: Model
    tuned: bool
    created: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True)
class EndpointSeen:
    """An endpoint."""

    endpoint: Endpoint
    created: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True)
class DeleteRule:
    """A lifecycle rule that deletes. None is a condition that it does not have."""

    age: int | None = None
    newer_versions: int | None = None


@dataclass(frozen=True)
class BucketSeen:
    """A bucket. `public` are the grants to everybody, `role to member`; None where its policy may not be read."""

    name: str
    location: str
    labels: Mapping[str, str]
    uniform_access: bool
    public_access_prevention: str
    versioning: bool
    storage_class: str
    key: str = ""
    lifecycle: tuple[DeleteRule, ...] = ()
    created: datetime | None = None
    updated: datetime | None = None
    public: tuple[str, ...] | None = ()

    @property
    def may_be_public(self) -> bool:
        """Whether grants to everybody would count."""
        return self.public_access_prevention != "enforced"
