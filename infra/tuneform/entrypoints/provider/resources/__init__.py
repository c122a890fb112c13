"""The provider's resources, by type token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tuneform.entrypoints.provider.resources.base import Call, Resource
from tuneform.entrypoints.provider.resources.dataset import DatasetResource
from tuneform.entrypoints.provider.resources.tuned_model import TunedModelResource
from tuneform.entrypoints.provider.resources.tuning_job import TuningJobResource

RESOURCES: Final[Mapping[str, Resource]] = {
    resource.token: resource for resource in (DatasetResource(), TuningJobResource(), TunedModelResource())
}

__all__ = ["RESOURCES", "Call", "Resource"]
