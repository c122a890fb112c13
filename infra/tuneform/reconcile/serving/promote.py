"""Serving: gate, deploy beside what serves, check, switch the traffic once, undeploy the old, retire the oldest.

Each step is found done or not done by looking, so that a promotion that was cut off anywhere goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from tuneform.errors import ReconcileError
from tuneform.reconcile.actions import (
    Blocked,
    CreateEndpoint,
    PatchEndpoint,
    Promote,
    Retire,
    ServingAction,
    explain,
)
from tuneform.reconcile.core import Ports, observe_tuning, tuning_status
from tuneform.reconcile.desired import Project, Serving
from tuneform.reconcile.ledger import GateResult, Record, Versioned
from tuneform.reconcile.live import Checkpoint, Curves, Endpoint, Job, bare
from tuneform.reconcile.plan import ObservedServing, ServingPlan, desired_endpoint, plan_serving
from tuneform.reconcile.retire import clear_endpoint, retire_job
from tuneform.reconcile.serving.gate import Measuring, at_step, measure_all, verdict


@dataclass(frozen=True)
class ServingStatus:
    """What serves: the lasting endpoint, the model's checkpoint behind it, and its measurements."""

    endpoint: str
    revision: str
    model: str
    checkpoint: Checkpoint
    gates: tuple[GateResult, ...]
    curves: Curves


def observe_serving(ports: Ports, serving: Serving) -> ObservedServing:
    """Everything live and recorded that serving depends on."""
    tuning = observe_tuning(ports, serving.project, serving.tuning)
    job = tuning_status(ports, serving.revision, tuning).job
    return ObservedServing(
        endpoint=ports.reader.endpoint(serving.endpoint),
        job=job,
        jobs=tuning.jobs,
        records=tuning.records,
        best=best_checkpoint(ports, job) if job is not None and serving.checkpoint == "best" else None,
    )


def best_checkpoint(ports: Ports, job: Job) -> Checkpoint | None:
    """The checkpoint with the least evaluation loss, the earlier one of equals; None without such losses."""
    losses = ports.reader.curves(job).eval_loss
    measured = [(at_step(losses, c.step), c) for c in sorted(job.checkpoints, key=lambda c: c.step)]
    known = [(loss, checkpoint) for loss, checkpoint in measured if loss is not None]
    return min(known, key=lambda pair: pair[0])[1] if known else None


def preview_serving(ports: Ports, serving: Serving) -> ServingPlan:
    """What `apply_serving` would do now."""
    return plan_serving(serving, observe_serving(ports, serving))


def apply_serving(ports: Ports, serving: Serving) -> ServingStatus | None:
    """Make the serving endpoint serve the wanted revision's checkpoint; None while its job has not succeeded.

    Raises:
        ReconcileError: the gate was not passed (what served goes on serving), or the plan is blocked.
    """
    observed = observe_serving(ports, serving)
    plan = plan_serving(serving, observed)
    for action in plan.actions:
        if isinstance(action, Blocked):
            raise ReconcileError(action.reason, remedy=action.remedy)
    if plan.checkpoint is None or observed.job is None:
        return None
    for action in plan.actions:
        ports.listener.say(serving.identity, explain(action))
        _perform(ports, serving, observed, action, plan.checkpoint)
    found = ports.ledger.read(serving.project, serving.tuning, serving.revision)
    return ServingStatus(
        endpoint=serving.endpoint,
        revision=serving.revision,
        model=observed.job.model,
        checkpoint=plan.checkpoint,
        gates=found.record.gates if found else (),
        curves=ports.reader.curves(observed.job),
    )


def _perform(
    ports: Ports, serving: Serving, observed: ObservedServing, action: ServingAction, checkpoint: Checkpoint
) -> None:
    assert observed.job is not None
    match action:
        case CreateEndpoint():
            ports.writer.create_endpoint(desired_endpoint(serving), kms_key=serving.kms_key)
        case PatchEndpoint():
            ports.writer.patch_endpoint(desired_endpoint(serving))
        case Promote():
            _pass_gate(ports, serving, observed.job, checkpoint)
            _switch(ports, serving, observed.job, checkpoint)
        case Retire(job=name):
            job = next(job for job in observed.jobs if job.name == name)
            retire_job(ports.reader, ports.writer, ports.ledger, serving.project, job)
        case Blocked():
            raise ReconcileError(action.reason, remedy=action.remedy)
        case _:
            assert_never(action)


def _pass_gate(ports: Ports, serving: Serving, job: Job, checkpoint: Checkpoint) -> None:
    """Measure what the gate asks for through the checkpoint's own endpoint, keep it, and stop if it is not met."""
    found = _versioned(ports, serving)
    measuring = Measuring(
        test=serving.test,
        read=ports.objects.read,
        curves=lambda: ports.reader.curves(job),
        ask=lambda request: ports.writer.ask(checkpoint.endpoint or job.endpoint, request),
        digest=serving.revision,
    )
    record, results = measure_all(found.record, serving.gate, checkpoint, measuring)
    if record != found.record:
        ports.ledger.write(serving.project, replace(found, record=record))
    for result in results:
        ports.listener.say(serving.identity, f"gate: {result.metric} {result.value:.4g}")
    if missed := verdict(serving.gate, results):
        raise ReconcileError(
            f"{serving.revision} did not pass its gate: {'; '.join(missed)}. What served before goes on serving",
            remedy="improve the data or the hyperparameters, or lower the gate if it asks too much",
        )


def _switch(ports: Ports, serving: Serving, job: Job, checkpoint: Checkpoint) -> None:
    live = ports.reader.endpoint(serving.endpoint)
    assert live is not None, "the plan creates the endpoint before it promotes"
    wanted = [d for d in live.deployed if (d.model, d.checkpoint) == (bare(job.model), checkpoint.id)]
    if wanted:
        deployed = wanted[0].id
    else:
        traffic = {d.id: d.traffic for d in live.deployed if d.traffic} or {"0": 100}
        deployed = ports.writer.deploy(serving.endpoint, job.model, checkpoint.id, traffic=traffic)
    ports.writer.set_traffic(serving.endpoint, {deployed: 100})
    for old in _others(ports, serving, deployed):
        ports.writer.undeploy(serving.endpoint, old)
    found = _versioned(ports, serving)
    ports.ledger.write(
        serving.project, replace(found, record=replace(found.record, promoted=ports.clock.now()))
    )


def _others(ports: Ports, serving: Serving, deployed: str) -> list[str]:
    live: Endpoint | None = ports.reader.endpoint(serving.endpoint)
    return [other.id for other in live.deployed if other.id != deployed] if live else []


def _versioned(ports: Ports, serving: Serving) -> Versioned:
    found = ports.ledger.read(serving.project, serving.tuning, serving.revision)
    return found or Versioned(Record(serving.project.name, serving.tuning, serving.revision, {}))


def remove_serving(ports: Ports, project: Project, endpoint: str) -> None:
    """Take everything off the serving endpoint and delete it; another owner's endpoint is left alone."""
    live = ports.reader.endpoint(endpoint)
    if live is not None and live.labels.get("tuneform-owner") == project.owner:
        clear_endpoint(ports.reader, ports.writer, endpoint)
