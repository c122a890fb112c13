"""A tuning job, and what serves it, against what is documented about the base model."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.capabilities import Capabilities, Model, is_region
from tuneform.errors import Diagnostic
from tuneform.specs.kinds import EncryptionKey, Project, SpecModel, TunedModel, TuningJob
from tuneform.specs.lineage import base_model, parents
from tuneform.specs.meaning.retirement import check_retirement
from tuneform.specs.shape import did_you_mean
from tuneform.specs.tree import Document, Documents

RANKS = {
    "ADAPTER_SIZE_ONE": 1,
    "ADAPTER_SIZE_TWO": 2,
    "ADAPTER_SIZE_FOUR": 4,
    "ADAPTER_SIZE_EIGHT": 8,
    "ADAPTER_SIZE_SIXTEEN": 16,
    "ADAPTER_SIZE_THIRTY_TWO": 32,
}
"""The rank that each adapter size stands for."""
_GUIDE = "'Tune Gemini models by using supervised fine-tuning', 2025-08-21"


def check_job(
    document: Document[SpecModel],
    job: TuningJob,
    base: str | None,
    project: Project,
    known: Capabilities,
) -> Iterator[Diagnostic]:
    """Errors where a document rules the job out; warnings where none names its base model, or it retires.

    What is unknown rules nothing out. `base` is the base model under the job, None where that is not known; what is
    wrong with its name is said of the job that names it.
    """
    yield from _region(document, project, known)
    yield from _evaluation(document, job, project)
    model = known.find(base) if base else None
    if model is None:
        if job.base_model is None:
            return
        hint = did_you_mean(job.base_model, list(known.models))
        hint = hint or f"documented: {', '.join(known.models)}"
        message = (
            f"no document that tuneform knows names the base model {job.base_model!r}; it is not checked"
        )
        yield document.diagnostic("W101", message, "spec", "baseModel", hint=hint, severity="warning")
        return
    yield from _method(document, job, model)
    yield from _further(document, job, model)
    yield from _places(document, job, project, model)
    yield from check_retirement(document, job, project, model, known)


def _region(document: Document[SpecModel], project: Project, known: Capabilities) -> Iterator[Diagnostic]:
    rule = known.vertex["tuning_location"]
    if rule.value and not is_region(project.location):
        message = f"{project.location} is no region, and models are tuned in a region"
        hint = f"give Project {document.project!r} a location such as us-central1; {rule.says}"
        yield document.diagnostic("E161", message, "spec", "baseModel", hint=hint)


EVALUATED_IN = "us-central1"
"""The one region of evaluationConfig: "Tune Gemini models with supervised fine-tuning", Google Cloud, as read on
2026-11-21."""


def _evaluation(document: Document[SpecModel], job: TuningJob, project: Project) -> Iterator[Diagnostic]:
    if job.evaluation_config is not None and project.location != EVALUATED_IN:
        message = (
            f"Vertex AI evaluates tuned models in {EVALUATED_IN}, and the project is in {project.location}"
        )
        hint = "leave evaluationConfig out, and use the gate of a TunedModel"
        yield document.diagnostic("E167", message, "spec", "evaluationConfig", key=True, hint=hint)


def _method(document: Document[SpecModel], job: TuningJob, model: Model) -> Iterator[Diagnostic]:
    method, size = model.method(job.method), job.hyper_parameters.adapter_size
    if method.offered.value is False:
        message = f"{model.name} is not tuned by {job.method}"
        hint = f"take another baseModel; {method.offered.says}"
        yield document.diagnostic("E163", message, "spec", "baseModel", hint=hint)
        return
    ranks, epochs = method.adapter_sizes, method.most_epochs
    if size and ranks.value and RANKS[size] not in ranks.value:
        allowed = ", ".join(name for name, rank in RANKS.items() if rank in ranks.value)
        message, path = f"{model.name} takes no {size}", ("spec", "hyperParameters", "adapterSize")
        yield document.diagnostic("E160", message, *path, hint=f"it takes {allowed}, {ranks.says}")
    count = job.hyper_parameters.epoch_count
    if count and epochs.value and count > epochs.value:
        message, path = f"{model.name} takes no {count:,} epochs", ("spec", "hyperParameters", "epochCount")
        yield document.diagnostic("E165", message, *path, hint=f"{epochs.value:,} at most, {epochs.says}")


def _further(document: Document[SpecModel], job: TuningJob, model: Model) -> Iterator[Diagnostic]:
    rule = model.continuous_tuning
    if job.pre_tuned_model is not None and rule.value is False:
        message = f"what was tuned from {model.name} is not tuned further"
        hint = f"take baseModel: {model.name}, or another model; {rule.says}"
        yield document.diagnostic("E163", message, "spec", "preTunedModel", hint=hint)


def _places(
    document: Document[SpecModel], job: TuningJob, project: Project, model: Model
) -> Iterator[Diagnostic]:
    places, keys = model.tuning_locations, model.customer_managed_keys
    if places.value and is_region(project.location) and project.location not in places.value:
        message = (
            f"{model.name} is not tuned in {project.location}, the location of Project {document.project!r}"
        )
        hint = f"it is tuned in {' and '.join(places.value)}, {places.says}"
        yield document.diagnostic("E161", message, "spec", "baseModel", hint=hint)
    if job.encryption_key and keys.value is False:
        message = f"{model.name} cannot be tuned with a key of your own"
        hint = f"leave encryptionKey out, {keys.says}"
        yield document.diagnostic("E162", message, "spec", "encryptionKey", key=True, hint=hint)


def check_key(
    document: Document[SpecModel], job: TuningJob, project: Project, index: Documents
) -> Iterator[Diagnostic]:
    """An error where the key of a job lies elsewhere than the job runs."""
    key = (
        index.get(("EncryptionKey", document.project, job.encryption_key.ref)) if job.encryption_key else None
    )
    if key is None or not isinstance(key.spec, EncryptionKey):
        return
    location = key.spec.existing.split("/")[3] if key.spec.existing else key.spec.location
    if location != project.location:
        message = (
            f"the key {key.name!r} lies in {location}, and the model would be tuned in {project.location}"
        )
        hint = f"a key lies in the region of what it encrypts, says {_GUIDE}"
        yield document.diagnostic("E168", message, "spec", "encryptionKey", "ref", hint=hint)


def check_serving(
    document: Document[SpecModel],
    served: TunedModel,
    project: Project,
    index: Documents,
    known: Capabilities,
) -> Iterator[Diagnostic]:
    """Errors where a document says that the base model, tuned, does not serve in this place or has no checkpoints."""
    job = index.get(("TuningJob", document.project, served.job.ref))
    base = (
        base_model(job.spec, parents(index, document.project))
        if job and isinstance(job.spec, TuningJob)
        else None
    )
    model = known.find(base) if base else None
    if model is None:
        return
    places, checkpoints = model.serving_locations, model.intermediate_checkpoints
    if places.value and project.serving_location not in places.value:
        message = f"{model.name} does not serve from {project.serving_location} when it is tuned"
        choice = f"give Project {document.project!r} servingLocation: {' or '.join(places.value)}"
        yield document.diagnostic("E164", message, "spec", "job", "ref", hint=f"{choice}, {places.says}")
    if checkpoints.value is False and served.checkpoint != "last":
        message = f"{model.name} keeps no checkpoint but the last"
        yield document.diagnostic(
            "E166", message, "spec", "checkpoint", hint=f"take last; {checkpoints.says}"
        )
