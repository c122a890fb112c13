"""Project: the Google Cloud project, location and owner that other documents belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tuneform.specs.kinds.base import Labels, SpecModel, matching

ProjectId = Annotated[
    str,
    matching(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "a project id: 6 to 30 lower-case letters, digits and dashes"),
]
Location = Annotated[str, matching(r"[a-z][a-z0-9-]*", "a location, such as us-central1")]
BucketName = Annotated[
    str,
    matching(
        r"[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]",
        "a bucket name: 3 to 63 of a-z, 0-9, '-', '_' and '.', a letter or digit first and last",
    ),
]
"""https://cloud.google.com/storage/docs/buckets#naming."""


class Project(SpecModel):
    """A Google Cloud project with a location: the context that other documents belong to."""

    values_not_yet: ClassVar[Mapping[str, tuple[str, ...]]] = {"platform": ("gemini-api",)}

    project_id: ProjectId
    """The Google Cloud project's id."""
    location: Location
    """Where tuning runs, and where what is declared here lives unless it says otherwise."""
    owner: Annotated[str, matching(r"[a-z][a-z0-9-]{0,62}", "a slug: lower-case letters, digits and dashes")]
    """Who owns what is made here; goes on every tuning job as the label `tuneform-owner`."""
    serving_location: Location = Field(default_factory=lambda done: str(done["location"]))
    """Where tuned models serve; the same as `location` unless said otherwise."""
    platform: Literal["vertex"] = "vertex"
    """The API that tunes."""
    labels: Labels = Field(default={})
    """Labels for everything in the project; a document's own labels win."""
    state_bucket: BucketName = Field(default_factory=lambda done: f"{done['project_id']}-tuneform-state")
    """The bucket that keeps the ledger of paid attempts."""
    defaults: dict[str, dict[str, Any]] = Field(default={})
    """What documents of a kind say here unless they say otherwise: by kind, a part of its spec."""
