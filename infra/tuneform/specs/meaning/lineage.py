"""A tuning job against what it is tuned from: the base model under it, its parent's key and checkpoints."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import Dataset, SpecModel, TuningJob
from tuneform.specs.tree import Document, Documents

PREFERENCES = "preference-jsonl"
"""The format of datasets for preference tuning."""


def check_lineage(document: Document[SpecModel], job: TuningJob, index: Documents) -> Iterator[Diagnostic]:
    """Errors where a job cannot be tuned from what it names, or cannot learn from its dataset."""
    yield from _method(document, job, index)
    source = job.pre_tuned_model
    parent = index.get(("TuningJob", document.project, source.ref)) if source and source.ref else None
    if source is None or parent is None or not isinstance(parent.spec, TuningJob):
        return
    yield from _key(document, job, parent.name, parent.spec)
    if _display_name(document, job) == _display_name(parent, parent.spec):
        message = f"the tuned model would have the display name of TuningJob {parent.name!r}"
        hint = "give it another tunedModelDisplayName, or Vertex AI makes it a version of that model"
        yield document.diagnostic("E157", message, "spec", "tunedModelDisplayName", hint=hint)
    if source.checkpoint not in (None, "last"):
        yield from _checkpoint(document, parent.name, parent.spec, source.checkpoint, index)


def _method(document: Document[SpecModel], job: TuningJob, index: Documents) -> Iterator[Diagnostic]:
    dataset = index.get(("Dataset", document.project, job.dataset.ref))
    if dataset is None or not isinstance(dataset.spec, Dataset):
        return
    compares = dataset.spec.format == PREFERENCES
    if compares and job.method != "PREFERENCE_TUNING":
        message = f"Dataset {dataset.name!r} compares answers, and {job.method} learns from one answer each"
        hint = "write method: PREFERENCE_TUNING, or name another Dataset"
    elif not compares and job.method == "PREFERENCE_TUNING":
        message = f"PREFERENCE_TUNING learns from pairs of answers, and Dataset {dataset.name!r} has one each"
        hint = f"name a Dataset with format: {PREFERENCES}"
    else:
        return
    yield document.diagnostic("E155", message, "spec", "dataset", "ref", hint=hint)


def _key(document: Document[SpecModel], job: TuningJob, name: str, parent: TuningJob) -> Iterator[Diagnostic]:
    own, theirs = (each.encryption_key.ref if each.encryption_key else "" for each in (job, parent))
    if own == theirs:
        return
    message = (
        f"TuningJob {name!r}, which it goes on from, has {f'the key {theirs!r}' if theirs else 'no key'}"
    )
    hint = f"write encryptionKey: {{ref: {theirs}}}" if theirs else "leave encryptionKey out"
    yield document.diagnostic(
        "E156", message, "spec", "encryptionKey", key=True, hint=f"{hint}: continuous tuning keeps the key"
    )


def _checkpoint(
    document: Document[SpecModel], name: str, parent: TuningJob, wanted: str | int, index: Documents
) -> Iterator[Diagnostic]:
    path = ("spec", "preTunedModel", "checkpoint")
    if parent.export_last_checkpoint_only:
        message = f"checkpoint {wanted} needs more checkpoints than the last"
        hint = f"TuningJob {name!r} says exportLastCheckpointOnly"
        yield document.diagnostic("E130", message, *path, hint=hint)
        return
    data = index.get(("Dataset", document.project, parent.dataset.ref))
    if wanted != "best" or data is None or not isinstance(data.spec, Dataset):
        return
    split = data.spec.split
    if data.spec.validation is None and not (split and split.validation):
        message = f"best is measured on validation examples, and Dataset {data.name!r} has none"
        hint = "give it validation: or split: {validation: 0.1}"
        yield document.diagnostic("E153", message, *path, hint=hint)


def _display_name(document: Document[SpecModel], job: TuningJob) -> str:
    return job.tuned_model_display_name or document.name
