"""One attempt, from claim to known job: the only place that pays.

    claim   compare-and-swap the next attempt into the ledger, under a lease        nothing paid yet
    fence   copy the training data to an object that only this attempt's call names
    send    record `sent`, then create the job: one call, one time
    known   record the job's name

After any doubt (timeout, reset, 5xx, a dead holder) the attempt is revoked before anything else is sent: its
object is deleted, so a create that arrives later finds no data and costs nothing; then the jobs are listed.
"""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from tuneform.errors import Ambiguous, LedgerConflict, Retryable, Terminal
from tuneform.reconcile.actions import Create
from tuneform.reconcile.desired import Tuning
from tuneform.reconcile.ledger import Attempt, AttemptState, Record, Versioned
from tuneform.reconcile.live import ATTEMPT_LABEL, REVISION_LABEL, Job
from tuneform.reconcile.plan import labels
from tuneform.reconcile.ports import Clock, Ledger, Objects, Reader, Writer
from tuneform.reconcile.recipe import recipe

LEASE = timedelta(minutes=3)
"""How long a claim keeps others away. A create call's deadline is shorter, so a holder that is alive is done."""


def holder() -> str:
    """Who this process is, for a lease: host, process id, and an id that a reused process id has not."""
    return f"{socket.gethostname()}:{os.getpid()}:{_PROCESS}"


_PROCESS = uuid.uuid4().hex[:8]


def is_gone(name: str) -> bool:
    """Whether a lease's holder is surely dead: it ran on this host and its process does not exist any more."""
    host, _, rest = name.partition(":")
    pid, _, process = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return process != _PROCESS
    return not is_alive(int(pid))


def is_alive(pid: int) -> bool:
    """Whether a process of this host still works: one that ended and that nobody has asked after does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return True  # not Linux, or gone just now: then the next look says so
    return state not in {"Z", "X"}


def held(attempt: Attempt, now: datetime) -> bool:
    """Whether somebody else may still be at work on this attempt."""
    if attempt.holder == holder() or is_gone(attempt.holder):
        return False
    return attempt.lease is not None and now < attempt.lease


@dataclass(frozen=True)
class Attempts:
    """The attempt protocol over the ports."""

    reader: Reader
    writer: Writer
    ledger: Ledger
    objects: Objects
    clock: Clock

    def create(self, tuning: Tuning, action: Create) -> Job:
        """Claim, fence, send, record.

        Raises:
            LedgerConflict: somebody else claimed first; observe again.
            Terminal: the service refused the job. Nothing was paid; the attempt is recorded as revoked.
            Ambiguous: nobody knows whether a job was made; the attempt was revoked.
        """
        found = self.ledger.read(tuning.project, tuning.name, action.revision)
        versioned = found or Versioned(_new_record(tuning, action.revision))
        last = versioned.record.last
        if (last.number if last else 0) != action.attempt - 1:
            raise LedgerConflict(f"attempt {action.attempt} of {action.revision} was claimed by someone else")
        claimed = Attempt(
            number=action.attempt,
            state=AttemptState.CLAIMED,
            cause=action.cause,
            holder=holder(),
            lease=self.clock.now() + LEASE,
            fence=fence_uri(tuning, action.revision, action.attempt),
        )
        versioned = self._record(tuning, versioned, claimed)
        self.objects.copy(tuning.training.uri, claimed.fence)
        versioned = self._record(tuning, versioned, replace(claimed, state=AttemptState.FENCED))
        versioned = self._record(tuning, versioned, replace(claimed, state=AttemptState.SENT))
        return self._send(tuning, versioned, replace(claimed, state=AttemptState.SENT))

    def _send(self, tuning: Tuning, versioned: Versioned, attempt: Attempt) -> Job:
        wanted = {
            **labels(tuning.project, tuning.name, tuning.labels),
            REVISION_LABEL: versioned.record.revision,
            ATTEMPT_LABEL: str(attempt.number),
        }
        try:
            job = self.writer.create_job(tuning, attempt.fence, wanted)
        except (Terminal, Retryable) as refused:
            self.objects.delete(attempt.fence)
            cause = f"refused: {refused.message}"
            self._record(tuning, versioned, replace(attempt, state=AttemptState.REVOKED, cause=cause))
            raise
        except Ambiguous:
            self.revoke(tuning, versioned, attempt)
            raise
        self.known(tuning, versioned, job, attempt)
        return job

    def revoke(self, tuning: Tuning, versioned: Versioned, attempt: Attempt) -> None:
        """Make an unresolved attempt harmless, then look for its job; adopt it if it is there after all."""
        self.objects.delete(attempt.fence)
        jobs = self.reader.jobs(tuning.project, tuning.name)
        revision = versioned.record.revision
        job = next((j for j in jobs if (j.revision, j.attempt) == (revision, attempt.number)), None)
        if job is None:
            cause = f"how attempt {attempt.number} ended was unknown; it was revoked"
            self._record(tuning, versioned, replace(attempt, state=AttemptState.REVOKED, cause=cause))
            return
        if not job.state.ended:  # a job that has read it already does not mind
            self.objects.copy(tuning.training.uri, attempt.fence)
        self.known(tuning, versioned, job, attempt)

    def known(self, tuning: Tuning, versioned: Versioned, job: Job, attempt: Attempt) -> Versioned:
        """Record an attempt's job."""
        return self._record(tuning, versioned, replace(attempt, state=AttemptState.KNOWN, job=job.name))

    def adopt(self, tuning: Tuning, job: Job) -> Versioned:
        """Record a live job of ours that the ledger does not know, or knows only as begun."""
        found = self.ledger.read(tuning.project, tuning.name, job.revision)
        versioned = found or Versioned(_new_record(tuning, job.revision))
        if any(attempt.job == job.name for attempt in versioned.record.attempts):
            return versioned
        last = versioned.record.last
        if last is not None and last.number == job.attempt:
            return self.known(tuning, versioned, job, last)
        number = (last.number if last else 0) + 1
        attempt = Attempt(number, AttemptState.KNOWN, "adopted", holder=holder(), job=job.name)
        return self._record(tuning, versioned, attempt)

    def ended(self, tuning: Tuning, job: Job, state: AttemptState, cause: str) -> None:
        """Record how an attempt ended, and remove what only it needed."""
        versioned = self.adopt(tuning, job)
        attempt = next(a for a in versioned.record.attempts if a.job == job.name)
        if attempt.fence:
            self.objects.delete(attempt.fence)
        self._record(
            tuning, versioned, replace(attempt, state=state, cause=cause or attempt.cause, model=job.model)
        )

    def _record(self, tuning: Tuning, versioned: Versioned, attempt: Attempt) -> Versioned:
        changed = replace(versioned, record=versioned.record.with_attempt(attempt))
        return self.ledger.write(tuning.project, changed)


def fence_uri(tuning: Tuning, revision: str, number: int) -> str:
    """Where an attempt's own copy of the training data lies: in the dataset's bucket, under the tuning's name.

    The name is part of it since two tunings may share a recipe and must not share a fence.
    """
    bucket = tuning.training.uri.removeprefix("gs://").partition("/")[0]
    return f"gs://{bucket}/attempts/{tuning.identity}/{revision}/{number}.jsonl"


def _new_record(tuning: Tuning, revision: str) -> Record:
    return Record(tuning.project.name, tuning.name, revision, recipe(tuning))
