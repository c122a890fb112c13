"""Level-based reconciling: observe, plan, perform, until nothing is left to do.

Nothing is remembered between rounds but what the ledger and the platform hold, so that any process can go on
where another one died. The faces (Pulumi provider, command line, later an operator) have no logic of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from tuneform.errors import LedgerConflict, MachineError, ReconcileError
from tuneform.reconcile.actions import (
    Adopt,
    Blocked,
    Cancel,
    Create,
    PatchModel,
    Revoke,
    TuningAction,
    Wait,
    explain,
)
from tuneform.reconcile.attempts import Attempts, held
from tuneform.reconcile.desired import Identity, Project, Tuning
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import (
    ATTEMPT_LABEL,
    REVISION_LABEL,
    Checkpoint,
    Curves,
    Job,
    JobState,
    progress,
)
from tuneform.reconcile.plan import ObservedTuning, TuningPlan, labels, plan_tuning, usable
from tuneform.reconcile.ports import Clock, Ledger, Listener, Objects, Reader, Writer
from tuneform.reconcile.retire import retire_job


@dataclass(frozen=True)
class Ports:
    """Everything the core reaches the outside through."""

    reader: Reader
    writer: Writer
    ledger: Ledger
    objects: Objects
    clock: Clock
    listener: Listener
    poll: float = 10.0
    """Seconds between two looks at a job that is waited for."""


@dataclass(frozen=True)
class TuningStatus:
    """What one tuning has come to. `model` is empty until the job has succeeded."""

    revision: str
    job: Job | None
    model: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()
    curves: Curves = Curves()


class Interrupted(MachineError):
    """Waiting was called off. The job goes on, and is recorded."""

    code = "E420"


def observe_tuning(ports: Ports, project: Project, name: str, current: str = "") -> ObservedTuning:
    """Everything live and recorded about one tuning. `current` is the revision that was wanted last."""
    jobs = ports.reader.jobs(project, name)
    found = {job.name: ports.reader.model(job.model) for job in jobs if job.model}
    history = ports.ledger.history(project, name)
    return ObservedTuning(
        jobs=jobs,
        models={name: model for name, model in found.items() if model is not None},
        records={versioned.record.revision: versioned.record for versioned in history},
        current=current,
    )


def preview_tuning(ports: Ports, tuning: Tuning, current: str = "") -> TuningPlan:
    """What `apply_tuning` would do now."""
    return plan_tuning(tuning, observe_tuning(ports, tuning.project, tuning.name, current))


def apply_tuning(ports: Ports, tuning: Tuning, *, current: str = "", wait: bool = True) -> TuningStatus:
    """Bring one tuning to its wanted revision; with `wait`, until its job has succeeded.

    Raises:
        ReconcileError: the plan is blocked, or the job failed or was cancelled.
        Interrupted: waiting was called off.
        RemoteError: a call failed; whatever was begun is in the ledger, and the next run goes on from there.
    """
    while True:
        observed = observe_tuning(ports, tuning.project, tuning.name, current)
        plan = plan_tuning(tuning, observed)
        for action in plan.actions:
            if isinstance(action, Blocked):
                raise ReconcileError(action.reason, remedy=action.remedy)
        ended = {job.name for job in observed.jobs if job.state.ended}
        todo = [a for a in plan.actions if wait or not isinstance(a, Wait) or a.job in ended]
        if not todo:
            return tuning_status(ports, plan.revision, observed)
        for action in todo:
            try:
                _perform(ports, tuning, observed, action)
            except LedgerConflict:
                break
        current = plan.revision


def tuning_status(ports: Ports, revision: str, observed: ObservedTuning) -> TuningStatus:
    """What a revision has come to, from what was observed."""
    jobs = [job for job in observed.jobs if job.revision == revision and usable(job, observed.models)]
    job = min(jobs, key=lambda job: (job.state is not JobState.SUCCEEDED, job.attempt), default=None)
    if job is None or job.state is not JobState.SUCCEEDED:
        return TuningStatus(revision, job)
    return TuningStatus(revision, job, job.model, job.checkpoints, ports.reader.curves(job))


def _perform(ports: Ports, tuning: Tuning, observed: ObservedTuning, action: TuningAction) -> None:
    attempts = attempts_of(ports)
    jobs = {job.name: job for job in observed.jobs}
    if not isinstance(action, Wait):
        ports.listener.say(tuning.identity, explain(action))
    match action:
        case Create():
            attempts.create(tuning, action)
        case Adopt(job=name):
            attempts.adopt(tuning, jobs[name])
        case Wait(job=name):
            _wait(ports, tuning, jobs[name])
        case Revoke(revision=revision, attempt=number):
            _take_over(ports, tuning, revision, number)
        case Cancel(job=name):
            ports.writer.cancel_job(name)
            attempts.ended(tuning, jobs[name], AttemptState.CANCELLED, "superseded by another recipe")
        case PatchModel(model=name):
            _patch_model(ports, tuning, name)
        case Blocked():
            raise ReconcileError(action.reason, remedy=action.remedy)
        case _:
            assert_never(action)


def attempts_of(ports: Ports) -> Attempts:
    """The attempt protocol over these ports."""
    return Attempts(ports.reader, ports.writer, ports.ledger, ports.objects, ports.clock)


def _take_over(ports: Ports, tuning: Tuning, revision: str, number: int) -> None:
    """Revoke an attempt whose holder is gone, or give a living one time to finish."""
    found = ports.ledger.read(tuning.project, tuning.name, revision)
    last = found.record.last if found else None
    if found is None or last is None or last.number != number or not last.state.unresolved:
        return
    if held(last, ports.clock.now()):
        ports.listener.say(tuning.identity, f"{last.holder} is creating the job; waiting for it")
        _pause(ports, tuning.identity, "nothing was created by this run")
        return
    attempts_of(ports).revoke(tuning, found, last)


def _wait(ports: Ports, tuning: Tuning, job: Job) -> None:
    """Follow a job to its end and record it; past `limits.timeout` it is cancelled."""
    attempts = attempts_of(ports)
    record = attempts.adopt(tuning, job).record
    attempt = next(a for a in record.attempts if a.job == job.name)
    fenced = bool(attempt.fence)
    while not job.state.ended:
        curves = ports.reader.curves(job) if job.experiment else Curves()
        ports.listener.progress(tuning.identity, progress(job, curves))
        if fenced and curves.train_loss:
            ports.objects.delete(attempt.fence)
            fenced = False
        if _overdue(ports, tuning, job):
            ports.writer.cancel_job(job.name)
        _pause(ports, tuning.identity, f"{job.name} goes on; run the same command again to follow it")
        job = ports.reader.job(job.name) or job
    ports.listener.progress(tuning.identity, progress(job, ports.reader.curves(job)))
    states = {JobState.SUCCEEDED: AttemptState.SUCCEEDED, JobState.CANCELLED: AttemptState.CANCELLED}
    attempts.ended(tuning, job, states.get(job.state, AttemptState.FAILED), job.error)


def _overdue(ports: Ports, tuning: Tuning, job: Job) -> bool:
    limit = tuning.limits.timeout
    late = limit is not None and job.created is not None and ports.clock.now() - job.created > limit
    if late and job.state is not JobState.CANCELLING:
        ports.listener.say(tuning.identity, f"{job.name} is past limits.timeout and is cancelled")
        return True
    return False


def _pause(ports: Ports, identity: Identity, remedy: str) -> None:
    if ports.clock.wait(ports.poll):
        raise Interrupted(f"waiting for {identity} was called off", remedy=remedy)


def _patch_model(ports: Ports, tuning: Tuning, model: str) -> None:
    live = ports.reader.model(model)
    if live is None:
        return
    google = {k: v for k, v in live.labels.items() if k.startswith("google-") or k == "tune-type"}
    attempt = {k: v for k, v in live.labels.items() if k in {REVISION_LABEL, ATTEMPT_LABEL}}
    ports.writer.patch_model(
        model,
        labels={**google, **attempt, **labels(tuning.project, tuning.name, tuning.labels)},
        display_name=tuning.display_name,
        description=tuning.description,
    )


def remove_tuning(ports: Ports, project: Project, name: str) -> None:
    """Cancel what runs, wait for it, and retire every model of one tuning; the job records stay in Vertex."""
    identity = Identity(project.name, name)
    running = [job for job in ports.reader.jobs(project, name) if not job.state.ended]
    for job in running:
        ports.listener.say(identity, f"cancels {job.name}")
        ports.writer.cancel_job(job.name)
    for job in running:
        while not job.state.ended:
            ports.listener.progress(identity, progress(job, Curves()))
            _pause(ports, identity, "run the same command again to go on")
            job = ports.reader.job(job.name) or job  # noqa: PLW2901 (the same job, looked at again)
    for job in ports.reader.jobs(project, name):
        retire_job(ports.reader, ports.writer, ports.ledger, project, job)
    for versioned in ports.ledger.history(project, name):
        for attempt in versioned.record.attempts:
            if attempt.fence:
                ports.objects.delete(attempt.fence)
