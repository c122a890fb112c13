"""Whether a TunedModel can be promoted as it asks: checkpoints and measurements that will be there."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import Dataset, SpecModel, TunedModel, TuningJob
from tuneform.specs.kinds.tuned_model import Gate
from tuneform.specs.tree import Document, Documents


def check_promotion(
    document: Document[SpecModel], model: TunedModel, index: Documents
) -> Iterator[Diagnostic]:
    """Errors where a checkpoint or a gate wants something that the job or its dataset does not give."""
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
        (_compares_answers(model.gate) and not test, "test", ("gate", "noWorseThan")),
    ]
    for lacking, split_name, path in needs:
        if lacking:
            message = f"{path[-1]} is measured on {split_name} examples, and Dataset {name!r} has none"
            hint = f"give it {split_name}: or split: {{{split_name}: 0.1}}"
            yield document.diagnostic("E153", message, "spec", *path, key=True, hint=hint)


def _compares_answers(gate: Gate) -> bool:
    """Whether noWorseThan has nothing else to compare than exactMatch."""
    given = (gate.exact_match, gate.eval_loss, gate.eval_accuracy)
    return gate.no_worse_than is not None and all(condition is None for condition in given)
