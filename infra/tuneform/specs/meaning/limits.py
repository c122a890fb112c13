"""A tuning job against what is documented about its base model."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform import capabilities
from tuneform.errors import Diagnostic
from tuneform.specs.kinds import Project, SpecModel, TuningJob
from tuneform.specs.shape import did_you_mean
from tuneform.specs.tree import Document

RANKS = {
    "ADAPTER_SIZE_ONE": 1,
    "ADAPTER_SIZE_TWO": 2,
    "ADAPTER_SIZE_FOUR": 4,
    "ADAPTER_SIZE_EIGHT": 8,
    "ADAPTER_SIZE_SIXTEEN": 16,
    "ADAPTER_SIZE_THIRTY_TWO": 32,
}
"""The rank that each adapter size stands for."""


def check_job(document: Document[SpecModel], job: TuningJob, project: Project) -> Iterator[Diagnostic]:
    """Errors where a document rules the job out; a warning where no document names its base model."""
    model = capabilities.find(job.base_model)
    if model is None:
        hint = did_you_mean(job.base_model, list(capabilities.models()))
        hint = hint or f"documented: {', '.join(capabilities.models())}"
        message = (
            f"no document that tuneform knows names the base model {job.base_model!r}; it is not checked"
        )
        yield document.diagnostic("W101", message, "spec", "baseModel", hint=hint, severity="warning")
        return
    source = f"says {model.source}"
    size = job.hyper_parameters.adapter_size
    if size and model.adapter_sizes != "unknown" and RANKS[size] not in model.adapter_sizes:
        allowed = ", ".join(name for name, rank in RANKS.items() if rank in model.adapter_sizes)
        message = f"{model.name} takes no {size}"
        path = ("spec", "hyperParameters", "adapterSize")
        yield document.diagnostic("E160", message, *path, hint=f"it takes {allowed}, {source}")
    if model.tuning_locations != "unknown" and project.location not in model.tuning_locations:
        message = (
            f"{model.name} is not tuned in {project.location}, the location of Project {document.project!r}"
        )
        hint = f"it is tuned in {' and '.join(model.tuning_locations)}, {source}"
        yield document.diagnostic("E161", message, "spec", "baseModel", hint=hint)
    if job.encryption_key and model.customer_managed_keys is False:
        message = f"{model.name} cannot be tuned with a key of your own"
        hint = f"leave encryptionKey out, {source}"
        yield document.diagnostic("E162", message, "spec", "encryptionKey", key=True, hint=hint)
