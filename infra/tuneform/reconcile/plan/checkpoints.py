"""Which checkpoint of a job is meant, and which tuned model a tuning goes on from."""

from __future__ import annotations

from typing import Literal

from tuneform.reconcile.actions import Blocked, Origin
from tuneform.reconcile.desired import Parent, Tuning
from tuneform.reconcile.live import Checkpoint, Job
from tuneform.reconcile.observe import ObservedTuning

Wanted = Literal["last", "best"] | int


def choose(wanted: Wanted, job: Job, best: str) -> Checkpoint | Blocked:
    """The checkpoint that is meant: the last, the best (as recorded when the job ended), or that of a named epoch."""
    by_epoch = sorted(job.checkpoints, key=lambda checkpoint: checkpoint.epoch)
    if wanted == "best":
        found = next((checkpoint for checkpoint in by_epoch if checkpoint.id == best), None)
        if best and found is not None:
            return found
        return Blocked(
            f"{job.name} has no evaluation loss to choose the best checkpoint by",
            "give the dataset a validation split, or use checkpoint: last",
        )
    if wanted == "last":
        return by_epoch[-1] if by_epoch else Checkpoint("", 0, 0, job.endpoint)
    for checkpoint in by_epoch:
        if checkpoint.epoch == wanted:
            return checkpoint
    epochs = ", ".join(str(checkpoint.epoch) for checkpoint in by_epoch)
    return Blocked(f"{job.name} has no checkpoint of epoch {wanted}", f"it has those of {epochs or 'none'}")


def origin(tuning: Tuning, parent: Parent, observed: ObservedTuning) -> Origin | Blocked | str:
    """The model to go on from; or why there can be none; or, as text, when there will be one."""
    if parent.model:
        return _elsewhere(tuning, parent, observed)
    name, seen = parent.names[0], observed.parent
    record = seen.records.get(parent.revision) if seen else None
    job = seen.job(record.last.job) if seen and record and record.last else None
    named = job is not None and job.revision == parent.revision and job.succeeded
    if seen is None or record is None or job is None or not (record.kept and named):
        return f"once {parent.revision} of {name} has succeeded"
    if job.name not in seen.models:
        return Blocked(
            f"the model of {name}, to go on from, is gone", f"see what `tuneform plan` says of {name}"
        )
    chosen = choose(parent.checkpoint or "last", job, record.best)
    return chosen if isinstance(chosen, Blocked) else Origin(job.model, chosen.id)


def _elsewhere(tuning: Tuning, parent: Parent, observed: ObservedTuning) -> Origin | Blocked:
    if observed.elsewhere is None:
        return Blocked(f"there is no model {parent.model}", "name one that is there in preTunedModel.name")
    if observed.elsewhere.display_name == (tuning.display_name or tuning.name):
        return Blocked(
            f"{parent.model} has the display name {observed.elsewhere.display_name!r} too: Vertex AI would make the "
            "new model a version of it",
            "give this one another tunedModelDisplayName",
        )
    return Origin(parent.model, str(parent.checkpoint or ""))
