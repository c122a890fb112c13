"""The spec language: YAML documents that say what is tuned, with what, and what serves."""

from __future__ import annotations

from tuneform.specs.kinds import (
    KINDS,
    Dataset,
    DatasetBucket,
    EncryptionKey,
    Metadata,
    Policy,
    Project,
    Ref,
    ServiceAccount,
    SpecModel,
    TunedModel,
    TuningJob,
)
from tuneform.specs.loader import examine, load
from tuneform.specs.tree import Document, Tree

__all__ = [
    "KINDS",
    "Dataset",
    "DatasetBucket",
    "Document",
    "EncryptionKey",
    "Metadata",
    "Policy",
    "Project",
    "Ref",
    "ServiceAccount",
    "SpecModel",
    "Tree",
    "TunedModel",
    "TuningJob",
    "examine",
    "load",
]
