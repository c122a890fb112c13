"""One attempt, from claim to known job: the only place that pays. docs/decisions/attempts.md has the argument.

    claim   compare-and-swap the next attempt into the ledger                       nothing paid yet
    fence   copy the training data to an object that only this attempt's call names
    send    record `sent`, then create the job: one call, one time
    known   record the job's name

After any doubt (timeout, reset, 5xx, a dead holder) the attempt is revoked before anything else is sent: its end is
recorded as sought, its object is deleted, so that a create that arrives later finds no data and costs nothing, and
the job is looked for until lists must have shown it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuneform.errors import Ambiguous, LedgerConflict, NotFound, ReconcileError, Retryable, Terminal
from tuneform.reconcile.actions import Create, Origin
from tuneform.reconcile.desired import Project, Tuning
from tuneform.reconcile.holders import held
from tuneform.reconcile.ledger import Attempt, AttemptState, Record, Versioned
from tuneform.reconcile.live import ATTEMPT_LABEL, REVISION_LABEL, Job
from tuneform.reconcile.plan.fields import labels
from tuneform.reconcile.ports import Ports
from tuneform.reconcile.recipe import recipe
from tuneform.reconcile.turns import QUEUED


class NoPlace(Retryable):
    """The service takes no job of this project now: a quota of jobs, or of calls. Nothing was made."""


@dataclass(frozen=True)
class Attempts:
    """The attempt protocol for the revisions of one tuning. `names` are its name and its earlier ones."""

    ports: Ports
    project: Project
    name: str
    names: tuple[str, ...]

    def create(self, tuning: Tuning, action: Create, judged: Versioned | None) -> Job:
        """Claim, fence, send, record. `judged` is the record that the plan was made from.

        Raises:
            LedgerConflict: somebody else changed the record first; observe again.
            Terminal: the service refused the job. Nothing was paid; the attempt is recorded as revoked.
            NoPlace: the service takes no job now. Nothing was paid; the attempt is recorded as revoked, and as queued.
            Retryable: another call did nothing. Nothing was paid; the attempt is recorded as revoked.
            Ambiguous: nobody knows whether a job was made; the attempt is being revoked.
        """
        versioned = self._claimable(tuning, action, judged)
        claimed = Attempt(
            number=action.attempt,
            state=AttemptState.CLAIMED,
            cause=action.cause,
            holder=self.ports.holder,
            fence=fence_uri(tuning, action.revision, action.attempt),
        )
        wanted = self.ports.ledger.now()
        record = replace(
            versioned.record,
            wanted=wanted,
            training=tuning.training.uri,
            retain=tuning.retain,
            verdict=None,
            best="",
            cleared=False,
            served="",
            promoted=None,
        )
        versioned = self._record(replace(versioned, record=record), claimed)
        self._fence(tuning, versioned, claimed)
        versioned = self._record(versioned, replace(claimed, state=AttemptState.FENCED))
        sent = replace(claimed, state=AttemptState.SENT)
        return self._send(tuning, action.origin, self._record(versioned, sent), sent)

    def _claimable(self, tuning: Tuning, action: Create, judged: Versioned | None) -> Versioned:
        """The judged record, to be swapped for the claim: one read afresh may know a job that the plan did not."""
        versioned = judged or Versioned(self._new(tuning, action.revision))
        last = versioned.record.last
        if versioned.lean or (last.number if last else 0) != action.attempt - 1:
            raise LedgerConflict(f"attempt {action.attempt} of {action.revision} was claimed by someone else")
        if action.lost and last is not None:
            # Without a recorded model its job's end was never seen; the look that found it lost asked by name.
            if last.model and self.ports.reader.model(last.model) is not None:
                raise LedgerConflict(f"the model of {action.revision} is there after all")
            lost = replace(last, state=AttemptState.LOST, cause="its model was deleted by someone else")
            versioned = replace(versioned, record=versioned.record.with_attempt(lost))
        return versioned

    def _fence(self, tuning: Tuning, versioned: Versioned, attempt: Attempt) -> None:
        """Copy the data, in one call; when it is refused, nothing was sent and the attempt is over.

        A copy that may arrive later could give its data back to an attempt that was starved: unclear is revoked.
        """
        try:
            self.ports.objects.copy(tuning.training.uri, attempt.fence)
        except Ambiguous:
            self.begin_revoking(versioned, attempt)
            raise
        except (Terminal, Retryable) as refused:
            self._over(versioned, attempt, f"not sent: {refused.message}")
            if isinstance(refused, NotFound):
                raise ReconcileError(
                    f"the training data {tuning.training.uri} is not in the bucket",
                    remedy="run the command again: it uploads what is missing",
                ) from refused
            raise

    def _send(self, tuning: Tuning, origin: Origin | None, versioned: Versioned, attempt: Attempt) -> Job:
        wanted = {
            **labels(tuning.project, tuning.name, tuning.labels),
            REVISION_LABEL: versioned.record.revision,
            ATTEMPT_LABEL: str(attempt.number),
        }
        try:
            job = self.ports.writer.create_job(tuning, attempt.fence, wanted, origin)
        except Terminal as refused:
            self._over(versioned, attempt, f"refused: {refused.message}")
            raise
        except Retryable as refused:
            self._over(versioned, attempt, f"{QUEUED}{refused.message}")
            raise NoPlace(
                refused.message, remedy=refused.remedy, retry_after=refused.retry_after
            ) from refused
        except Ambiguous:
            self.begin_revoking(versioned, attempt)
            raise
        self.known(versioned, job, attempt)
        return job

    def _over(self, versioned: Versioned, attempt: Attempt, cause: str) -> None:
        self.ports.objects.delete(attempt.fence)
        self._record(versioned, replace(attempt, state=AttemptState.REVOKED, cause=cause))

    def revoke(self, tuning: Tuning | None, revision: str, number: int) -> bool:
        """Go on with making an unresolved attempt harmless; says whether that is done.

        Not done means: its holder may be alive, or lists may not show a new job yet. Look again later. `tuning` is
        None when its document was removed: then a job that is found gets no data back.
        """
        found = self.find(revision)
        last = found.record.last if found else None
        if found is None or last is None or last.number != number or not last.state.unresolved:
            return True
        if last.state is not AttemptState.REVOKING:
            if held(last.holder, self.ports.holder, found.updated, self.ports.ledger.now()):
                return False
            if job := self._job(revision, number):
                self.known(found, job, last)
                return True
            found = self.begin_revoking(found, last)
        elif not last.starved:
            found = self._starve(found, last)
        last = found.record.attempts[-1]
        # From the deletion, not from the decision: what read the data before it must be in the lists by then.
        if found.updated is None or self.ports.ledger.now() - found.updated < self.ports.list_lag:
            return False
        return self._conclude(tuning, found, last)

    def begin_revoking(self, versioned: Versioned, attempt: Attempt) -> Versioned:
        """Record that an attempt's end is sought, so that its holder cannot go on, then delete its data."""
        cause = f"how attempt {attempt.number} ended was unknown; it was revoked"
        revoking = replace(attempt, state=AttemptState.REVOKING, cause=cause, doubted=True)
        return self._starve(self._record(versioned, revoking), revoking)

    def _starve(self, versioned: Versioned, attempt: Attempt) -> Versioned:
        self.ports.objects.delete(attempt.fence)
        return self._record(versioned, replace(attempt, starved=True))

    def _conclude(self, tuning: Tuning | None, versioned: Versioned, attempt: Attempt) -> bool:
        job = self._job(versioned.record.revision, attempt.number)
        if job is None:
            self.ports.objects.delete(attempt.fence)  # a copy that was slow may have put it back
            self._record(versioned, replace(attempt, state=AttemptState.REVOKED))
            return True
        self.known(versioned, job, attempt)
        self._give_back(tuning, job, attempt)
        return True

    def _give_back(self, tuning: Tuning | None, job: Job, attempt: Attempt) -> None:
        """Let a job that was found after its data was taken away have it again; one that has read it does not mind.

        Only after its record says `known`: until then somebody else may begin a newer attempt.
        """
        if attempt.doubted and attempt.fence and not job.state.ended and tuning is not None:
            self.ports.objects.copy(tuning.training.uri, attempt.fence)

    def _job(self, revision: str, number: int) -> Job | None:
        jobs = (job for name in self.names for job in self.ports.reader.jobs(self.project, name))
        return next((job for job in jobs if (job.revision, job.attempt) == (revision, number)), None)

    def known(self, versioned: Versioned, job: Job, attempt: Attempt) -> Versioned:
        """Record an attempt's job."""
        return self._record(versioned, replace(attempt, state=AttemptState.KNOWN, job=job.name))

    def adopt(self, tuning: Tuning, job: Job, judged: Versioned | None) -> Versioned:
        """Record that this job is the wanted one: found live, imported, asked for again, or renamed.

        `judged` is the record that the plan was made from, which nobody may have changed since.
        """
        versioned = judged or Versioned(self._new(tuning, job.revision))
        record = replace(
            versioned.record,
            recipe=recipe(tuning),
            wanted=self.ports.ledger.now(),
            training=tuning.training.uri,
            retain=tuning.retain,
        )
        attempt = next((a for a in record.attempts if a.job == job.name), None)
        if attempt is not None:
            return self.write(replace(versioned, record=record))
        attempt = self._attempt_for(record, job)
        versioned = self._record(replace(versioned, record=record), attempt)
        self._give_back(tuning, job, attempt)
        return versioned

    def remember(self, job: Job) -> Versioned:
        """The record that knows a job; one that the ledger lost is recorded by what its labels say."""
        found = self.find(job.revision) or Versioned(Record(self.project.name, self.name, job.revision, {}))
        if any(attempt.job == job.name for attempt in found.record.attempts):
            return found
        return self._record(found, self._attempt_for(found.record, job))

    def _attempt_for(self, record: Record, job: Job) -> Attempt:
        """The number under which a job is adopted: its own where that is free or its own, else the next one."""
        last = record.last
        if last is None:
            number = max(job.attempt, 1)
        elif job.attempt == last.number and not last.job:
            return replace(last, state=AttemptState.KNOWN, job=job.name)
        else:
            number = max(last.number + 1, job.attempt)
        return Attempt(number, AttemptState.KNOWN, "adopted", holder=self.ports.holder, job=job.name)

    def retire(self, judged: Versioned | None, job: Job) -> None:
        """Record that a job's model goes, before it goes, against the record that was judged.

        The other way round a run that wants the revision in this moment would find its model lost.
        """
        known = next((a for a in judged.record.attempts if a.job == job.name), None) if judged else None
        if judged is None or known is None or known.state is AttemptState.RETIRED:
            return
        retired = replace(known, state=AttemptState.RETIRED, cause="retired")
        self._record(replace(judged, record=replace(judged.record, cleared=True)), retired)

    def change(self, revision: str, **fields: object) -> Versioned | None:
        """Set fields of a record; None when there is no such record."""
        found = self.find(revision)
        if found is None:
            return None
        record = replace(found.record, **fields)  # type: ignore[arg-type]
        return (
            found
            if record == found.record and found.generation
            else self.write(replace(found, record=record))
        )

    def attempt(self, revision: str, job: str, **fields: object) -> Attempt | None:
        """Set fields of the attempt that a job is known as; None when it is not known."""
        found = self.find(revision)
        known = next((a for a in found.record.attempts if a.job == job), None) if found else None
        if found is None or known is None:
            return None
        changed = replace(known, **fields)  # type: ignore[arg-type]
        if changed != known:
            self._record(found, changed)
        return changed

    def find(self, revision: str) -> Versioned | None:
        """A revision's record; one that an earlier name left behind counts as not yet written under this one."""
        for name in self.names:
            found = self.ports.ledger.read(self.project, name, revision)
            if found is not None:
                if name == self.name:
                    return found
                return Versioned(replace(found.record, name=self.name), 0, found.updated)
        return None

    def _record(self, versioned: Versioned, attempt: Attempt) -> Versioned:
        record = versioned.record
        for number in range(len(record.attempts) + 1, attempt.number):
            gap = Attempt(number, AttemptState.REVOKED, "the ledger that knew this attempt was lost")
            record = record.with_attempt(gap)
        return self.write(replace(versioned, record=record.with_attempt(attempt)))

    def write(self, versioned: Versioned) -> Versioned:
        """Swap a record for the one that was read."""
        return self.ports.ledger.write(self.project, versioned)

    def _new(self, tuning: Tuning, revision: str) -> Record:
        return Record(self.project.name, self.name, revision, recipe(tuning))


def fence_uri(tuning: Tuning, revision: str, number: int) -> str:
    """Where an attempt's own copy of the training data lies: in the dataset's bucket, under the tuning's name.

    The name is part of it since two tunings may share a recipe and must not share a fence.
    """
    bucket = tuning.training.uri.removeprefix("gs://").partition("/")[0]
    return f"gs://{bucket}/attempts/{tuning.identity}/{revision}/{number}.jsonl"
