"""What documents mean together: live names of their own, choices that fit each other, files that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tuneform.errors import Diagnostic
from tuneform.specs.datafiles import check_files
from tuneform.specs.kinds import (
    Dataset,
    DatasetBucket,
    EncryptionKey,
    Project,
    ServiceAccount,
    SpecModel,
    TunedModel,
    TuningJob,
)
from tuneform.specs.limits import check_job
from tuneform.specs.tree import Document

# Google Cloud takes 64 labels; tuneform adds four of its own (owner, name, revision, attempt).
# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
MAX_LABELS = 60
_SHORTEST_ACCOUNT = 6

Documents = dict[tuple[str, str, str], Document[SpecModel]]


def check(documents: Sequence[Document[SpecModel]], root: Path) -> list[Diagnostic]:
    """Everything that is wrong, or worth a warning, about what sound documents mean."""
    index: Documents = {(d.kind, d.project, d.name): d for d in documents}
    found: list[Diagnostic] = []
    for document in documents:
        project = index.get(("Project", document.project, document.project))
        if project is None or not isinstance(project.spec, Project):
            continue
        found += _labels(document, project.spec)
        match document.spec:
            case ServiceAccount():
                found += _account(document)
            case Dataset():
                found += check_files(document, root)
            case TuningJob():
                found += check_job(document, document.spec, project.spec)
            case TunedModel():
                found += _promotion(document, document.spec, index)
            case _:
                pass
    found += _collisions(documents, index)
    found += _one_model_per_job(documents)
    return found


def _labels(document: Document[SpecModel], project: Project) -> Iterator[Diagnostic]:
    count = len({*project.labels, *document.metadata.labels})
    if count > MAX_LABELS:
        message = f"{count} labels with those of the project; {MAX_LABELS} at most"
        hint = "Google Cloud takes 64, four of which are tuneform's own"
        yield document.diagnostic("E129", message, "metadata", "labels", key=True, hint=hint)


def _account(document: Document[SpecModel]) -> Iterator[Diagnostic]:
    if isinstance(document.spec, ServiceAccount) and len(document.spec.account_id) < _SHORTEST_ACCOUNT:
        message = f"{document.name!r} is too short to be an account id as well"
        hint = f"write accountId: with at least {_SHORTEST_ACCOUNT} characters"
        yield document.diagnostic("E127", message, "metadata", "name", hint=hint)


def _promotion(document: Document[SpecModel], model: TunedModel, index: Documents) -> Iterator[Diagnostic]:
    job = index.get(("TuningJob", document.project, model.job.ref))
    if job is None or not isinstance(job.spec, TuningJob):
        return
    if job.spec.export_last_checkpoint_only and model.checkpoint != "last":
        message = f"checkpoint {model.checkpoint} needs more checkpoints than the last"
        hint = f"TuningJob {job.name!r} says exportLastCheckpointOnly"
        yield document.diagnostic("E130", message, "spec", "checkpoint", hint=hint)
    dataset = index.get(("Dataset", document.project, job.spec.dataset.ref))
    if dataset is None or not isinstance(dataset.spec, Dataset):
        return
    yield from _measured_on(document, model, dataset.name, dataset.spec)


def _measured_on(
    document: Document[SpecModel], model: TunedModel, name: str, dataset: Dataset
) -> Iterator[Diagnostic]:
    split = dataset.split
    validation = dataset.validation is not None or bool(split and split.validation)
    test = dataset.test is not None or bool(split and split.test)
    needs: list[tuple[bool, str, tuple[str, ...]]] = [
        (model.checkpoint == "best" and not validation, "validation", ("checkpoint",)),
        (model.gate.eval_loss is not None and not validation, "validation", ("gate", "evalLoss")),
        (model.gate.eval_accuracy is not None and not validation, "validation", ("gate", "evalAccuracy")),
        (model.gate.exact_match is not None and not test, "test", ("gate", "exactMatch")),
    ]
    for lacking, split_name, path in needs:
        if lacking:
            message = f"{path[-1]} is measured on {split_name} examples, and Dataset {name!r} has none"
            hint = f"give it {split_name}: or split: {{{split_name}: 0.1}}"
            yield document.diagnostic("E153", message, "spec", *path, key=True, hint=hint)


def _live_name(document: Document[SpecModel], project: Project) -> tuple[str, tuple[str, ...]] | None:
    """What a document is called in Google Cloud, and the field that says so."""
    match document.spec:
        case DatasetBucket() as bucket:
            return f"bucket gs://{bucket.bucket_name}", ("spec", "bucketName")
        case EncryptionKey() as key:
            home = key.existing or (
                f"projects/{project.project_id}/locations/{key.location}/keyRings/{key.key_ring}/cryptoKeys/{key.key_name}"
            )
            return f"key {home}", ("spec", "existing" if key.existing else "keyName")
        case ServiceAccount() as account:
            address = f"{account.account_id}@{project.project_id}.iam.gserviceaccount.com"
            return f"service account {address}", ("spec", "accountId")
        case TunedModel():
            home = f"projects/{project.project_id}/locations/{project.serving_location}"
            return f"endpoint {home}/endpoints/{document.name}", ("metadata", "name")
        case _:
            return None


def _collisions(documents: Sequence[Document[SpecModel]], index: Documents) -> Iterator[Diagnostic]:
    taken: dict[str, tuple[Document[SpecModel], tuple[str, ...]]] = {}
    for document in documents:
        if isinstance(document.spec, Project):
            taken[f"bucket gs://{document.spec.state_bucket}"] = (document, ("spec", "stateBucket"))
    for document in documents:
        project = index.get(("Project", document.project, document.project))
        named = _live_name(document, project.spec) if project and isinstance(project.spec, Project) else None
        if named is None:
            continue
        live, field = named
        if not document.origin.has(*field):
            field = ("metadata", "name")
        if live in taken:
            owner, where = taken[live]
            message = f"{live} belongs to {owner.kind} {owner.name!r} already"
            yield document.diagnostic("E152", message, *field, hint=f"that one is at {owner.at(*where)}")
        else:
            taken[live] = (document, field)


def _one_model_per_job(documents: Sequence[Document[SpecModel]]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str], Document[SpecModel]] = {}
    for document in documents:
        if isinstance(document.spec, TunedModel):
            key = (document.project, document.spec.job.ref)
            other = first.setdefault(key, document)
            if other is not document:
                message = f"TuningJob {key[1]!r} has a TunedModel already: {other.name!r}"
                hint = f"that one is at {other.at('spec', 'job', 'ref')}"
                yield document.diagnostic("E144", message, "spec", "job", "ref", hint=hint)
