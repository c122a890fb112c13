"""Attempts that nobody saw the end of, and a person's word on what became of them. Nothing here pays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tuneform.entrypoints.cli.looking.opening import person
from tuneform.errors import ReconcileError
from tuneform.reconcile.desired import Project
from tuneform.reconcile.holders import LEASE, held
from tuneform.reconcile.ledger import Attempt, AttemptState, Versioned
from tuneform.reconcile.live import ATTEMPT_LABEL, NAME_LABEL, OWNER_LABEL, REVISION_LABEL, Job
from tuneform.reconcile.ports import Ports

NEAR = timedelta(minutes=15)
"""How far from the last write of an attempt's record a job may have been made and still be taken for its own."""


class CannotResolveError(ReconcileError):
    """What a person says of an attempt does not fit what is live."""

    code = "E630"


@dataclass(frozen=True)
class Candidate:
    """A job that may be an attempt's; `certain` where its labels or its data say so."""

    job: Job
    why: str
    certain: bool


@dataclass(frozen=True)
class Case:
    """An attempt to be decided about, with what may be its job."""

    versioned: Versioned
    attempt: Attempt
    busy: bool
    """Whether somebody may still be at work on it."""
    candidates: tuple[Candidate, ...] = ()

    @property
    def revision(self) -> str:
        """The revision that it is a try at."""
        return self.versioned.record.revision


@dataclass(frozen=True)
class Resolver:
    """Decides about the attempts of one tuning; `names` are its name and its earlier ones."""

    ports: Ports
    project: Project
    names: tuple[str, ...]

    def cases(self) -> tuple[Case, ...]:
        """Every attempt of the tuning that is to be decided about, by revision."""
        found = [v for name in self.names for v in self.ports.ledger.history(self.project, name)]
        open_ = [
            (v, v.record.last) for v in found if v.record.last is not None and self._is_open(v.record.last)
        ]
        if not open_:
            return ()
        ours = [job for name in self.names for job in self.ports.reader.jobs(self.project, name)]
        taken = {v.record.last.job for v in self.ports.ledger.heads(self.project) if v.record.last}
        others = [job for job in self.ports.reader.others(self.project) if OWNER_LABEL not in job.labels]
        free = [job for job in (*ours, *others) if job.name not in taken]
        now = self.ports.ledger.now()
        return tuple(
            Case(
                versioned,
                attempt,
                busy=attempt.state is not AttemptState.KNOWN
                and attempt.state is not AttemptState.REVOKING
                and held(attempt.holder, self.ports.holder, versioned.updated, now),
                candidates=tuple(candidates(versioned, attempt, free)),
            )
            for versioned, attempt in sorted(open_, key=lambda pair: pair[0].record.revision)
            if attempt is not None
        )

    def _is_open(self, attempt: Attempt) -> bool:
        if attempt.state is AttemptState.KNOWN:
            return self.ports.reader.job(attempt.job) is None
        return attempt.state.unresolved

    def job_of(self, case: Case, name: str) -> Job:
        """The job of a resource name, if it can be the attempt's.

        Raises:
            CannotResolveError: there is no such job, or it is another attempt's, or somebody is at work.
        """
        self._not_busy(case)
        full = name if "/" in name else f"{self.project.parent}/tuningJobs/{name}"
        job = self.ports.reader.job(full)
        if job is None:
            raise CannotResolveError(
                f"there is no job {full}", remedy="name one of those shown, or say --none"
            )
        if problem := unfit(case, job, self.project.owner, self.names):
            raise CannotResolveError(
                f"{job.name} is not of {case.revision} #{case.attempt.number}: {problem}",
                remedy="name the right one, or say --none",
            )
        for versioned in self.ports.ledger.heads(self.project):
            record, other = versioned.record, versioned.record.last
            mine = (record.name, record.revision) == (case.versioned.record.name, case.revision)
            if other is not None and other.job == job.name and not mine:
                raise CannotResolveError(
                    f"{job.name} is recorded for {record.name} {record.revision} #{other.number} already",
                    remedy="a job belongs to one attempt: name another one, or say --none",
                )
        return job

    def known(self, case: Case, job: Job) -> None:
        """Record that this is the attempt's job, and let it have its data if that was taken away.

        Raises:
            LedgerConflict: somebody changed the record since it was shown.
        """
        cause = f"{person()} says that its job is {job.name}"
        attempt = replace(case.attempt, state=AttemptState.KNOWN, job=job.name, cause=cause)
        self._write(case.versioned, attempt)
        training = case.versioned.record.training
        if attempt.doubted and attempt.fence and training and not job.state.ended:
            self.ports.objects.copy(training, attempt.fence)

    def check_none(self, case: Case) -> None:
        """That nothing live says otherwise.

        Raises:
            CannotResolveError: a job is the attempt's beyond doubt, or somebody is at work.
        """
        self._not_busy(case)
        for candidate in case.candidates:
            if candidate.certain:
                raise CannotResolveError(
                    f"{candidate.job.name} is of {case.revision} #{case.attempt.number}: {candidate.why}",
                    remedy=f"say --job {candidate.job.name}",
                )

    def none(self, case: Case) -> None:
        """Record that the attempt has no job, after making sure that none of its can train any more.

        The order is the protocol's (docs/decisions/attempts.md): its holder is shut out, then its data goes.

        Raises:
            LedgerConflict: somebody changed the record since it was shown.
        """
        versioned, attempt = case.versioned, case.attempt
        cause = f"{person()} says that it has no job"
        if attempt.state.unresolved:
            attempt = replace(attempt, state=AttemptState.REVOKING, doubted=True, cause=cause)
            versioned = self._write(versioned, attempt)
        if attempt.fence:
            self.ports.objects.delete(attempt.fence)
        self._write(versioned, replace(attempt, state=AttemptState.REVOKED, starved=True, cause=cause))

    def _not_busy(self, case: Case) -> None:
        if case.busy:
            minutes = LEASE.total_seconds() / 60
            raise CannotResolveError(
                f"{case.attempt.holder} may still be at work on {case.revision} #{case.attempt.number}",
                remedy=f"wait for it to end, {minutes:g} minutes at most, or end it; then look again",
            )

    def _write(self, versioned: Versioned, attempt: Attempt) -> Versioned:
        record = versioned.record.with_attempt(attempt)
        return self.ports.ledger.write(self.project, replace(versioned, record=record))


def candidates(versioned: Versioned, attempt: Attempt, jobs: Iterable[Job]) -> Iterable[Candidate]:
    """Of jobs that no record knows, those that may be an attempt's: the certain ones first."""
    found = []
    for job in jobs:
        if (job.revision, job.attempt) == (versioned.record.revision, attempt.number):
            found.append(Candidate(job, "its labels say so", certain=True))
        elif attempt.fence and job.training_uri == attempt.fence:
            found.append(Candidate(job, "it was made with the attempt's own copy of the data", certain=True))
        elif not job.revision and _near(job.created, versioned.updated):
            found.append(
                Candidate(job, "it has no labels of ours and was made in the same minutes", certain=False)
            )
    return sorted(found, key=lambda candidate: (not candidate.certain, candidate.job.name))


def _near(created: datetime | None, updated: datetime | None) -> bool:
    return created is not None and updated is not None and abs(created - updated) <= NEAR


def unfit(case: Case, job: Job, owner: str, names: tuple[str, ...]) -> str:
    """Why a job cannot be an attempt's, by its labels; empty when it can. One without our labels can."""
    wanted = {
        OWNER_LABEL: (owner,),
        NAME_LABEL: names,
        REVISION_LABEL: (case.revision,),
        ATTEMPT_LABEL: (str(case.attempt.number),),
    }
    for label, allowed in wanted.items():
        if label in job.labels and job.labels[label] not in allowed:
            return f"its label {label} is {job.labels[label]!r}"
    return ""
