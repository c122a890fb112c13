"""What brings one tuning to its wanted revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from tuneform.reconcile import cost as costs
from tuneform.reconcile import recipe as recipes
from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Cancel,
    Create,
    Later,
    Note,
    Origin,
    PatchModel,
    Retire,
    Revoke,
    Settle,
    Unfence,
    Wait,
    explain,
)
from tuneform.reconcile.desired import Tuning
from tuneform.reconcile.diff import Change, diff
from tuneform.reconcile.ledger import Attempt, AttemptState, Record
from tuneform.reconcile.live import Job, JobState, Model
from tuneform.reconcile.observe import ObservedTuning
from tuneform.reconcile.plan.checkpoints import origin
from tuneform.reconcile.plan.fields import model_changes

SETTLED = frozenset(
    {
        AttemptState.SUCCEEDED,
        AttemptState.FAILED,
        AttemptState.CANCELLED,
        AttemptState.REVOKED,
        AttemptState.RETIRED,
        AttemptState.LOST,
    }
)
SETTLING = timedelta(minutes=2)
"""How long after a job's end its model may be missing before it counts as lost."""


@dataclass(frozen=True)
class TuningPlan:
    """What would be done for one tuning. `job` gives the wanted revision its model, now or later."""

    revision: str
    actions: tuple[Action, ...]
    job: Job | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each action in words."""
        return tuple(map(explain, self.actions))


def plan_tuning(tuning: Tuning, observed: ObservedTuning) -> TuningPlan:
    """What brings one tuning to its wanted revision, and puts what it leaves behind in order."""
    wanted = recipes.revision(tuning)
    found = [job for job in observed.jobs if job.revision == wanted and usable(job, observed)]
    if found:
        job = min(found, key=lambda job: _preference(job, observed.records.get(wanted)))
        actions = [*_with_job(tuning, observed, job, wanted), *_too_many(found, job, wanted)]
    else:
        job, actions = None, list(_without_job(tuning, observed, wanted))
    actions += _doomed(observed, wanted)
    actions += _others(tuning, observed, wanted)
    actions += half_retired(observed)
    if tuning.keep is not None:
        beyond = retirements(observed, {wanted}, tuning.keep)
        ready = job is not None and job.succeeded
        actions += beyond if ready else (Later(retire, f"once {wanted} has succeeded") for retire in beyond)
    return TuningPlan(wanted, tuple(actions), job)


def usable(job: Job, observed: ObservedTuning) -> bool:
    """Whether a job gives its revision a model, now or later.

    The job of a revoked attempt lost its data: while no newer attempt was begun it is as good as any, afterwards
    it is one too many.
    """
    record = observed.records.get(job.revision)
    last = record.last if record else None
    attempt = attempt_of(record, job)
    if attempt is not None and attempt.state is AttemptState.RETIRED:
        return False
    if last is not None and job.attempt < last.number and last.job != job.name and not _fruitless(last):
        return False
    if job.succeeded:
        return job.name in observed.models
    return job.live


def _fruitless(attempt: Attempt) -> bool:
    """Whether an attempt ended without a model."""
    return attempt.state in SETTLED - {AttemptState.SUCCEEDED}


def _preference(job: Job, record: Record | None) -> tuple[bool, bool, int, str]:
    known = record is not None and any(attempt.job == job.name for attempt in record.attempts)
    return (not job.succeeded, not known, job.attempt, job.name)


def attempt_of(record: Record | None, job: Job) -> Attempt | None:
    """The attempt that a record knows a job as."""
    if record is None:
        return None
    return next((attempt for attempt in record.attempts if attempt.job == job.name), None)


def _with_job(tuning: Tuning, observed: ObservedTuning, job: Job, wanted: str) -> Iterator[Action]:
    record = observed.records.get(wanted)
    attempt = attempt_of(record, job)
    lost = {AttemptState.REVOKED, AttemptState.REVOKING}
    if record is None or attempt is None or attempt.state in lost or _asked_anew(tuning, observed, record):
        yield Adopt(wanted, job.name, _when(job))
    elif changes := _to_note(tuning, record):
        yield Note(wanted, changes)
    if not job.state.ended:
        if attempt is not None and attempt.fence and job.steps:
            yield Unfence(wanted, attempt.number)
        yield Wait(wanted, job.name)
    elif attempt is None or attempt.state is not AttemptState.SUCCEEDED:
        yield Settle(wanted, job.name)
    model = observed.models.get(job.name)
    if model is not None and (changes := model_changes(tuning, model)):
        yield PatchModel(model.name, changes)
    elif job.live and (changes := model_changes(tuning, _foreseen(job))):
        yield Later(PatchModel("", changes), f"once {wanted} has succeeded")


def _foreseen(job: Job) -> Model:
    """The model of a job under way: it gets what the job was made with, which may have been edited since."""
    return Model("", job.display_name, job.description, job.labels)


def _asked_anew(tuning: Tuning, observed: ObservedTuning, record: Record) -> bool:
    """Whether another revision was wanted last, or this one under another name."""
    return observed.current != record.revision or record.name != tuning.name


def _when(job: Job) -> str:
    return f"trained {job.ended:%Y-%m-%d %H:%M} UTC" if job.ended else "already under way"


def _to_note(tuning: Tuning, record: Record) -> tuple[Change, ...]:
    if record.retain == tuning.retain:
        return ()
    words = {True: "Retain", False: "Delete"}
    return (Change("change", "deletionPolicy", words[record.retain], words[tuning.retain]),)


def _too_many(found: list[Job], chosen: Job, wanted: str) -> Iterator[Action]:
    """The last net: of two jobs of one revision, one goes."""
    for job in found:
        if job.name == chosen.name:
            continue
        if job.live:
            yield Cancel(job.name, wanted, f"{chosen.name.rpartition('/')[2]} is of the same revision")
        else:
            yield Retire(wanted, job.name, f"{chosen.name.rpartition('/')[2]} is of the same revision")


def _doomed(observed: ObservedTuning, wanted: str) -> Iterator[Action]:
    """Live jobs of the wanted revision whose attempts were revoked, and which newer attempts replaced."""
    for job in observed.jobs:
        if job.revision == wanted and job.live and not usable(job, observed):
            yield Cancel(job.name, wanted, f"attempt {job.attempt} was revoked")


def _others(tuning: Tuning, observed: ObservedTuning, wanted: str) -> Iterator[Action]:
    """Jobs and attempts of other revisions: stopped, or let finish, and their ends recorded."""
    for job in observed.jobs:
        if job.revision == wanted:
            continue
        attempt = attempt_of(observed.records.get(job.revision), job)
        if job.live and tuning.when_superseded == "cancel":
            yield Cancel(job.name, job.revision, f"superseded by {wanted}")
        elif job.state.ended and to_settle(job, attempt, observed):
            yield Settle(job.revision, job.name)
        elif job.state is JobState.CANCELLING:
            yield Wait(job.revision, job.name)
    yield from unresolved(observed, except_for=wanted)


def to_settle(job: Job, attempt: Attempt | None, observed: ObservedTuning) -> bool:
    """Whether an ended job's end is to be recorded: one that the ledger does not know counts if it left a model."""
    if attempt is None:
        return job.succeeded and job.name in observed.models
    return attempt.state not in SETTLED


def unresolved(observed: ObservedTuning, *, except_for: str = "") -> Iterator[Action]:
    """Attempts at other revisions that were begun, and whose end nobody knows: a late create must not train."""
    for revision, record in sorted(observed.records.items()):
        if revision != except_for and record.last is not None and record.last.state.unresolved:
            yield Revoke(revision, record.last.number, _unknown(record.last))


def _unknown(attempt: Attempt) -> str:
    return f"begun by {attempt.holder}, and how it ended is unknown"


def _without_job(tuning: Tuning, observed: ObservedTuning, wanted: str) -> Iterator[Action]:
    record = observed.records.get(wanted)
    last = record.last if record else None
    if record is None or last is None:
        yield _create(tuning, observed, wanted, 1, "recipe changed" if observed.current else "first")
        return
    again = last.number + 1
    match last.state:
        case AttemptState.CLAIMED | AttemptState.FENCED | AttemptState.SENT | AttemptState.REVOKING:
            yield Revoke(wanted, last.number, _unknown(last))
        case AttemptState.REVOKED:
            yield _create(tuning, observed, wanted, again, last.cause)
        case AttemptState.RETIRED:
            yield _create(tuning, observed, wanted, again, "retired earlier, asked for again")
        case AttemptState.KNOWN | AttemptState.FAILED | AttemptState.CANCELLED:
            yield from _after_end(tuning, observed, record, wanted)
        case AttemptState.SUCCEEDED | AttemptState.LOST:
            yield from _lost(tuning, observed, wanted, last)


def _lost(tuning: Tuning, observed: ObservedTuning, wanted: str, last: Attempt) -> Iterator[Action]:
    job = observed.job(last.job)
    if job is not None and job.ended and observed.when and observed.when - job.ended < SETTLING:
        yield Wait(wanted, job.name)
        return
    if tuning.on_model_lost == "retrain":
        cause = "its model was deleted by someone else, and onModelLost is retrain"
        yield _create(tuning, observed, wanted, last.number + 1, cause, lost=True)
        return
    yield Blocked(
        f"the model of {wanted} was deleted by someone else",
        "write onModelLost: retrain to pay for it again, or change the recipe",
    )


def _after_end(tuning: Tuning, observed: ObservedTuning, record: Record, wanted: str) -> Iterator[Action]:
    last = record.last
    assert last is not None
    job = observed.job(last.job)
    if job is not None and last.state is AttemptState.KNOWN:
        if job.state.ended and not (job.succeeded and job.name not in observed.models):
            yield Settle(wanted, job.name)
        elif not job.state.ended:
            yield Wait(wanted, job.name)
        else:
            yield from _lost(tuning, observed, wanted, last)
        return
    if last.state is AttemptState.KNOWN:
        if record.wanted and observed.when and observed.when - record.wanted < SETTLING:
            yield Wait(wanted, last.job)  # what was just created may not be there for every reader yet
            return
        yield Blocked(
            f"{last.job} is recorded for {wanted}, and there is no such job",
            f"`tuneform resolve {tuning.name}` says what became of it",
        )
        return
    if last.superseded:
        again = "cancelled when it was superseded, asked for again"
        yield _create(tuning, observed, wanted, last.number + 1, again)
        return
    if last.state is AttemptState.FAILED:
        failures = max(record.failures, 1)
        if failures <= tuning.limits.retries:
            cause = f"retry {failures} of {tuning.limits.retries} after: {last.cause}"
            yield _create(tuning, observed, wanted, last.number + 1, cause)
            return
        yield Blocked(
            f"the tuning job of {wanted} failed: {last.cause}",
            "mend the cause and change the recipe, or allow another paid try with limits.retries",
        )
        return
    yield Blocked(
        f"the tuning job of {wanted} was cancelled, and a cancelled model is never promoted",
        "to stop earlier on purpose, set a lower hyperParameters.epochCount; that is a new revision",
    )


def _create(
    tuning: Tuning, observed: ObservedTuning, wanted: str, number: int, cause: str, *, lost: bool = False
) -> Create | Later | Blocked:
    cost = costs.cost(tuning, observed)
    if (excess := costs.over(cost, tuning.limits)) is not None:
        reason, remedy = excess
        return Blocked(f"{wanted} is not trained: {reason}", remedy)
    before = observed.records.get(observed.current)
    known = before is not None and before.recipe and before.revision != wanted
    changes = diff(before.recipe, recipes.recipe(tuning)) if before is not None and known else ()
    source = origin(tuning, tuning.parent, observed) if tuning.parent else None
    if isinstance(source, Blocked):
        return source
    if isinstance(source, Origin):
        return Create(wanted, number, cause, cost, changes, lost, source)
    create = Create(wanted, number, cause, cost, changes, lost)
    return Later(create, source) if source else create


def half_retired(observed: ObservedTuning) -> Iterator[Retire]:
    """Models whose retirement was recorded and then cut off."""
    for job in observed.jobs:
        attempt = attempt_of(observed.records.get(job.revision), job)
        if attempt is not None and attempt.state is AttemptState.RETIRED and job.name in observed.models:
            yield Retire(job.revision, job.name, "its retirement was cut off")


def retirements(observed: ObservedTuning, protected: Iterable[str], keep: int) -> Iterator[Retire]:
    """Earlier revisions beyond `keep`, the longest unused first to go."""
    spared = set(protected)
    used = [
        (record.promoted or record.wanted, record.revision, record)
        for record in observed.records.values()
        if record.kept and record.revision not in spared and record.last
    ]
    used.sort(key=lambda entry: (entry[0] is not None, entry[0], entry[1]), reverse=True)
    for _, revision, record in used[keep:]:
        assert record.last is not None
        words = "no earlier revision is kept" if keep == 0 else f"only {keep} earlier revisions are kept"
        yield Retire(revision, record.last.job, words)
