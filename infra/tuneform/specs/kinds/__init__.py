"""The kinds of document, one module each."""

from __future__ import annotations

from collections.abc import Mapping

from tuneform.specs.kinds.base import Metadata, Ref, SpecModel
from tuneform.specs.kinds.dataset import Dataset
from tuneform.specs.kinds.dataset_bucket import DatasetBucket
from tuneform.specs.kinds.encryption_key import EncryptionKey
from tuneform.specs.kinds.policy import Policy
from tuneform.specs.kinds.project import Project
from tuneform.specs.kinds.service_account import ServiceAccount
from tuneform.specs.kinds.tuned_model import TunedModel
from tuneform.specs.kinds.tuning_job import TuningJob

KINDS: Mapping[str, type[SpecModel]] = {
    kind.__name__: kind
    for kind in (
        Project,
        DatasetBucket,
        EncryptionKey,
        ServiceAccount,
        Dataset,
        TuningJob,
        TunedModel,
        Policy,
    )
}
"""Every kind by its name in YAML, in the order in which they are usually read."""

__all__ = [
    "KINDS",
    "Dataset",
    "DatasetBucket",
    "EncryptionKey",
    "Metadata",
    "Policy",
    "Project",
    "Ref",
    "ServiceAccount",
    "SpecModel",
    "TunedModel",
    "TuningJob",
]
