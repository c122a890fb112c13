"""Cancelling a tuning's job because a person wants it: recorded first, then asked for, then watched to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tuneform.entrypoints.cli.looking.opening import person
from tuneform.errors import LedgerConflict
from tuneform.reconcile.actions import last
from tuneform.reconcile.desired import Desired, Project
from tuneform.reconcile.execute.attempts import Attempts
from tuneform.reconcile.ledger import Attempt, AttemptState
from tuneform.reconcile.live import Job, JobState
from tuneform.reconcile.observe import ObservedTuning, observe
from tuneform.reconcile.ports import Ports

Changing = Callable[[Attempt], Attempt]

PATIENCE = timedelta(minutes=2)
"""How long the end of a cancelled job is waited for."""
TRIES = 5
"""How often a record is tried to be changed that others change as well."""


@dataclass(frozen=True)
class Cancelled:
    """What became of a job that was to be cancelled; `job` is as it was seen last."""

    job: Job
    text: str

    @property
    def won(self) -> bool:
        """Whether the cancellation came in time."""
        return self.job.state is JobState.CANCELLED

    @property
    def pending(self) -> bool:
        """Whether the job had not ended yet when waiting for it did."""
        return not self.job.state.ended


def look(ports: Ports, project: Project, names: tuple[str, ...]) -> ObservedTuning:
    """What is live and recorded of a tuning, under all its names."""
    return observe(ports.view, Desired(project, gone=names, whole=False)).tuning(*names)


def running(observed: ObservedTuning) -> Job | None:
    """The job to cancel: one that has not ended, of the revision that is wanted rather than of another one."""
    jobs = [job for job in observed.jobs if not job.state.ended]
    return max(jobs, key=lambda job: (job.revision == observed.current, job.live, job.attempt), default=None)


@dataclass(frozen=True)
class Canceller:
    """Cancels one job of a tuning; `names` are the tuning's name and its earlier ones."""

    ports: Ports
    project: Project
    names: tuple[str, ...]

    def cancel(self, job: Job) -> Cancelled:
        """Record, ask, wait for the end, record that.

        Raises:
            RemoteError: a call failed. What the record says by then is only that a cancellation was asked for.
        """
        when = self.ports.ledger.now()
        cause = f"cancelled by {person()} on {when:%Y-%m-%d %H:%M} UTC"
        before = self._note(job, cause)
        self.ports.writer.cancel_job(job.name)
        ended = self._followed(job, self.ports.clock.now() + PATIENCE)
        if ended.state is JobState.CANCELLED:
            self._settle(ended, cause)
        elif ended.state.ended and before is not None:
            self._note(ended, before.cause)
        return Cancelled(ended, _told(ended))

    def _followed(self, job: Job, until: datetime) -> Job:
        while True:
            job = self.ports.reader.job(job.name) or job
            if job.state.ended or self.ports.clock.now() >= until or self.ports.clock.wait(self.ports.poll):
                return job

    def _note(self, job: Job, cause: str) -> Attempt | None:
        """Set the attempt's cause, and return it as it was before; None where the ledger does not know the job."""
        return self._changed(job, lambda attempt: replace(attempt, cause=cause))

    def _settle(self, job: Job, cause: str) -> None:
        """Record the end as the core does, with our cause rather than the service's words."""

        def settled(attempt: Attempt) -> Attempt:
            if attempt.fence:
                self.ports.objects.delete(attempt.fence)
            return replace(attempt, state=AttemptState.CANCELLED, cause=cause, fence="")

        self._changed(job, settled)

    def _changed(self, job: Job, change: Changing) -> Attempt | None:
        attempts = Attempts(self.ports, self.project, self.names[0], self.names)
        for tries in range(1, TRIES + 1):
            found = attempts.find(job.revision)
            if found is None:
                return None
            of_job = (a for a in found.record.attempts if a.job == job.name or _is_of(a, job))
            attempt = next(of_job, None)
            if attempt is None:
                return None
            changed = change(replace(attempt, job=job.name, state=_known(attempt)))
            try:
                record = found.record.with_attempt(changed)
                self.ports.ledger.write(self.project, replace(found, record=record))
            except LedgerConflict:
                if tries == TRIES:
                    raise
                continue
            return attempt
        raise AssertionError("the last try returns or raises")


def _is_of(attempt: Attempt, job: Job) -> bool:
    """Whether a job that was seen is the one that an attempt's create call made without its answer being seen."""
    return attempt.number == job.attempt and not attempt.job and attempt.state.unresolved


def _known(attempt: Attempt) -> AttemptState:
    return AttemptState.KNOWN if attempt.state.unresolved else attempt.state


def _told(job: Job) -> str:
    name = last(job.name)
    if job.state is JobState.CANCELLED:
        return (
            f"{name} of {job.revision} is cancelled; a cancelled model is never promoted. To stop earlier on purpose, "
            "set a lower hyperParameters.epochCount: that is a new revision"
        )
    if job.succeeded:
        return f"too late: {name} of {job.revision} has succeeded, and its model {job.model} is there and paid for"
    if job.state.ended:
        return (
            f"too late: {name} of {job.revision} ended as {job.state.value}: {job.error or 'it says no more'}"
        )
    return f"{name} of {job.revision} is asked to stop and has not stopped yet; `tuneform status` says when it has"
