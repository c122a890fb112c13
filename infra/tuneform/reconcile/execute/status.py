"""What a tuning and a served model have come to, read from one look at them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tuneform.reconcile.desired import Serving, Tuning
from tuneform.reconcile.execute.serving import results_of
from tuneform.reconcile.ledger import GateResult
from tuneform.reconcile.live import Checkpoint, Curves, Job
from tuneform.reconcile.observe import World
from tuneform.reconcile.plan.serving import plan_serving
from tuneform.reconcile.plan.tuning import plan_tuning
from tuneform.reconcile.ports import Reader


@dataclass(frozen=True)
class TuningStatus:
    """What one tuning has come to. `model` is empty until the job has succeeded and that is recorded."""

    revision: str
    job: Job | None
    model: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()
    curves: Curves = field(default_factory=Curves)


@dataclass(frozen=True)
class ServingStatus:
    """What serves: the lasting endpoint (or the one pointed to), the model's checkpoint, and its measurements."""

    endpoint: str
    revision: str
    model: str
    checkpoint: Checkpoint
    gates: tuple[GateResult, ...]
    curves: Curves


def tuning_status(reader: Reader, tuning: Tuning, world: World) -> TuningStatus:
    """What a tuning's wanted revision has come to."""
    observed = world.of(tuning)
    plan = plan_tuning(tuning, observed)
    if plan.job is None:
        latest = next((job for job in observed.jobs if job.revision == plan.revision), None)
        return TuningStatus(plan.revision, latest)
    record = observed.records.get(plan.revision)
    if not plan.job.succeeded or record is None or not record.kept:
        return TuningStatus(plan.revision, plan.job)
    return TuningStatus(
        plan.revision, plan.job, plan.job.model, plan.job.checkpoints, reader.curves(plan.job)
    )


def serving_status(reader: Reader, serving: Serving, world: World) -> ServingStatus | None:
    """What serves of the wanted revision; None while it is not promoted."""
    observed = world.serving(serving)
    plan = plan_serving(serving, observed)
    record = observed.tuning.records.get(serving.revision)
    if plan.job is None or plan.checkpoint is None or record is None or record.served != plan.checkpoint.id:
        return None
    pointer = observed.pointer
    return ServingStatus(
        endpoint=pointer.endpoint if serving.pointer and pointer else serving.endpoint,
        revision=serving.revision,
        model=plan.job.model,
        checkpoint=plan.checkpoint,
        gates=results_of(record, plan.checkpoint.id),
        curves=reader.curves(plan.job),
    )
