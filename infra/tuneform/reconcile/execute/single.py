"""One tuning or one served model, as Pulumi's provider asks for it: the loop of `run` over that document alone."""

from __future__ import annotations

from tuneform.reconcile.desired import Desired, Project, Serving, Tuning
from tuneform.reconcile.execute.retire import clear_endpoint
from tuneform.reconcile.execute.run import Outcome, apply
from tuneform.reconcile.execute.status import ServingStatus, TuningStatus, serving_status, tuning_status
from tuneform.reconcile.live import OWNER_LABEL
from tuneform.reconcile.observe import World, observe
from tuneform.reconcile.plan import ServingPlan, TuningPlan, plan_serving, plan_tuning
from tuneform.reconcile.ports import Ports


def preview_tuning(ports: Ports, tuning: Tuning) -> tuple[TuningPlan, World]:
    """What `apply_tuning` would do now, and what was seen."""
    world = observe(ports.view, Desired(tuning.project, (tuning,), whole=False))
    return plan_tuning(tuning, world.of(tuning)), world


def preview_serving(ports: Ports, serving: Serving) -> tuple[ServingPlan, World]:
    """What `apply_serving` would do now, and what was seen."""
    world = observe(ports.view, Desired(serving.project, servings=(serving,), whole=False))
    return plan_serving(serving, world.serving(serving)), world


def apply_tuning(ports: Ports, tuning: Tuning, *, wait: bool = True) -> TuningStatus:
    """Bring one tuning to its wanted revision; with `wait`, until its job has succeeded.

    Raises:
        ReconcileError: the plan is blocked, or the job failed or was cancelled.
        Interrupted: waiting was called off.
        RemoteError: a call failed; whatever was begun is in the ledger, and the next run goes on from there.
    """
    outcome = apply(ports, Desired(tuning.project, (tuning,), whole=False), wait=wait)
    _raise_first(outcome)
    return tuning_status(ports.reader, tuning, outcome.world)


def apply_serving(ports: Ports, serving: Serving) -> ServingStatus | None:
    """Make the wanted revision's checkpoint serve; None while its job has not succeeded.

    Raises:
        ReconcileError: the gate was not passed (what served goes on serving), or the plan is blocked.
    """
    outcome = apply(ports, Desired(serving.project, servings=(serving,), whole=False), wait=False)
    _raise_first(outcome)
    return serving_status(ports.reader, serving, outcome.world)


def _raise_first(outcome: Outcome) -> None:
    for failure in outcome.failures:
        raise failure.error


def remove_tuning(ports: Ports, project: Project, name: str) -> None:
    """Cancel what runs, wait for it, and retire every model of one tuning; the job records stay in Vertex."""
    _raise_first(apply(ports, Desired(project, gone=(name,), whole=False)))


def remove_serving(ports: Ports, serving: Serving) -> None:
    """Take everything off the serving endpoint and delete it; another owner's endpoint is left alone."""
    for name in (serving.candidate, serving.endpoint):
        live = ports.reader.endpoint(name)
        if live is not None and live.labels.get(OWNER_LABEL) == serving.project.owner:
            clear_endpoint(ports, name)
    if serving.pointer:
        ports.ledger.unpoint(serving.project, serving.name)
