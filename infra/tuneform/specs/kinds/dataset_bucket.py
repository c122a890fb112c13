"""DatasetBucket: where datasets are kept."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tuneform.specs.kinds.base import DeletionPolicy, KeyRef, SpecModel, Whole, matching, one_of, problem
from tuneform.specs.kinds.project import BucketName


class LifecycleRule(SpecModel):
    """Objects that meet every condition given are deleted by Cloud Storage."""

    model_config = one_of("age", "numNewerVersions", at_least=True)

    age: Annotated[Whole, Field(ge=0)] | None = None
    """Days since the object was made."""
    num_newer_versions: Annotated[Whole, Field(ge=1)] | None = None
    """How many newer versions there are."""
    action: Literal["Delete"] = "Delete"
    """What happens to the object."""

    @model_validator(mode="after")
    def _some_condition(self) -> Self:
        if self.age is None and self.num_newer_versions is None:
            raise problem(
                "E130",
                "a lifecycle rule without a condition would delete every object",
                hint="give age or numNewerVersions",
            )
        return self


class DatasetBucket(SpecModel):
    """A Cloud Storage bucket for datasets: closed to the public and versioned unless said otherwise."""

    identifying = frozenset({"bucketName"})

    bucket_name: BucketName = ""
    """The bucket's name, unique in all of Cloud Storage; `<projectId>-<name>` unless said otherwise."""
    location: Annotated[
        str, matching(r"[A-Za-z][A-Za-z0-9-]*", "a bucket location, such as us-central1 or EU")
    ] = ""
    """The project's location unless said otherwise."""
    storage_class: Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"] = "STANDARD"
    """Default storage class of its objects."""
    versioning: bool = True
    """Keep replaced and deleted objects as old versions."""
    lifecycle: tuple[LifecycleRule, ...] = ()
    """When objects are deleted."""
    encryption_key: KeyRef | None = None
    """Key that encrypts new objects; Google's own where it is left out."""
    uniform_bucket_level_access: bool = True
    """Access by IAM alone, without lists per object."""
    public_access_prevention: Literal["enforced", "inherited"] = "enforced"
    """Whether the bucket can be opened to the public at all."""
    deletion_policy: DeletionPolicy = "Delete"
    """What happens to the bucket when the document is removed. With objects of others in it, it is never deleted."""
