"""What each reconciler does next: the attempt protocol of docs/decisions/attempts.md, one remote call a step.

A view is judged by `plan` as the record is read, so that planning is no step of its own. A crash may come before any
step, and between a request that is sent and its arrival.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.unit.reconcile.model import service
from tests.unit.reconcile.model.world import (
    FRESH,
    Attempt,
    Job,
    JobState,
    Reconciler,
    Rule,
    Settings,
    Step,
    World,
)

from tuneform.reconcile.ledger import AttemptState

Event = tuple[int, Step, str]
"""Who (a reconciler's place, or -1 for the service), which step, and what came of it."""

ENDS = {
    JobState.SUCCEEDED: AttemptState.SUCCEEDED,
    JobState.FAILED: AttemptState.FAILED,
    JobState.STARVED: AttemptState.FAILED,
    JobState.CANCELLED: AttemptState.CANCELLED,
}
NAMED = frozenset({AttemptState.KNOWN, AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.CANCELLED})
"""States of an attempt whose job the ledger knows by name."""

OVER = (NAMED | {AttemptState.REVOKED}) - {AttemptState.KNOWN}
"""States in which an attempt needs no data any more."""

RESTING = frozenset({Step.DONE, Step.DEAD})


def steps(world: World, settings: Settings) -> Iterator[tuple[Event, World]]:
    """Everything that one reconciler can do now, crashing included."""
    alone = all(r.step in RESTING for r in world.reconcilers[:FRESH])
    for who, me in enumerate(world.reconcilers):
        if me.step in RESTING or (who == FRESH and not alone):
            continue
        for what, after in act(world, settings, who):
            yield (who, me.step, what), after
        if who != FRESH:
            yield from _crash(world, who, me)


def _crash(world: World, who: int, me: Reconciler) -> Iterator[tuple[Event, World]]:
    dead = _now(world, who, Reconciler(Step.DEAD))
    yield (who, me.step, "is not reached: a crash"), dead
    sent = (who, me.step, "is sent and is late; then a crash")
    if me.step in {Step.COPY, Step.PUT_BACK} and me.n not in world.copies:
        yield sent, dead._replace(copies=world.copies | {me.n})
    if me.step is Step.SEND and me.n not in world.creates:
        yield sent, dead._replace(creates=world.creates | {me.n})


def act(world: World, settings: Settings, who: int) -> Iterator[tuple[str, World]]:
    """What a living reconciler's step can come to."""
    me = world.reconcilers[who]
    match me.step:
        case Step.LIST:
            seen = tuple(job for job in world.jobs if job.listed)
            yield "", _now(world, who, me._replace(step=Step.RECORD, seen=seen))
        case Step.RECORD:
            step, n, was = plan(world, settings, who, me.seen)
            yield "", _now(world, who, me._replace(step=step, n=n, was=was, fresh=True, seen=()))
        case Step.COPY:
            after = Step.FENCED if settings.has(Rule.RECORD_AFTER_COPY) else Step.SEND
            yield from _copy(world, who, after, Step.LIST if settings.has(Rule.COPY_ONCE) else Step.COPY)
        case Step.PUT_BACK:
            after = Step.LIST if settings.has(Rule.KNOWN_FIRST) else Step.KEEP
            yield from _copy(world, who, after, after)
        case Step.SEND:
            yield from _send(world, settings, who)
        case Step.LOOK | Step.LOOK_AGAIN:
            yield from _look(world, settings, who)
        case Step.TAKE | Step.TAKE_AGAIN | Step.CLEAR | Step.REFUSED_DELETE | Step.TIDY:
            yield "", _delete(world, settings, who)
        case Step.CANCEL:
            yield from ((how, _to(after, who, Step.LIST)) for how, after in service.cancel(world, me.n))
        case Step.WAIT_JOB:
            if not me.fresh or not any(job.attempt == me.n and job.state.live for job in world.jobs):
                yield "", _to(world, who, Step.LIST)
        case Step.WAIT_HOLDER:
            yield from _wait_holder(world, who)
        case _:
            yield from _swap(world, settings, who)


# ---- planning -------------------------------------------------------------------------------------------------


class Planned(NamedTuple):
    """The step to do, the attempt it is about, and what was seen of that attempt's job."""

    step: Step
    n: int = 0
    was: JobState = JobState.PENDING


def plan(world: World, settings: Settings, who: int, seen: tuple[Job, ...]) -> Planned:
    """What the record, and the list that was read before it, call for."""
    record = world.record
    named = {n for n, attempt in enumerate(record, 1) if attempt.state in NAMED}
    jobs = {job.attempt: job for job in seen}
    if settings.has(Rule.ASK_BY_NAME):
        jobs |= {job.attempt: job for job in world.jobs if job.attempt in named}
    last = len(record)
    spent = [n for n in jobs if n < last and record[n - 1].state is AttemptState.REVOKED]
    usable = [n for n, job in jobs.items() if n not in spent and _usable(job, record[n - 1])]
    usable.sort(key=lambda n: (jobs[n].state is not JobState.SUCCEEDED, n not in named, n))
    unwanted = [n for n in (*spent, *usable[1:]) if jobs[n].state.live]
    if unwanted:
        return Planned(Step.CANCEL, unwanted[0])
    if usable:
        return _with_job(world, settings, jobs[usable[0]])
    return _without_job(world, settings, who, jobs)


def _usable(job: Job, attempt: Attempt) -> bool:
    """Whether it gives the revision a model. A list may be older than the record, which then knows better."""
    over = {AttemptState.FAILED, AttemptState.CANCELLED}
    return attempt.state not in over and (job.state.live or job.state is JobState.SUCCEEDED)


def _with_job(world: World, settings: Settings, job: Job) -> Planned:
    state = world.record[job.attempt - 1].state
    if state is AttemptState.SUCCEEDED:
        return _nothing(world, settings)
    if state is not AttemptState.KNOWN:
        return Planned(Step.ADOPT, job.attempt, job.state)
    return Planned(Step.WAIT_JOB if job.state.live else Step.CLEAR, job.attempt, job.state)


def _without_job(world: World, settings: Settings, who: int, jobs: dict[int, Job]) -> Planned:
    record = world.record
    last = len(record)
    if not record:
        return _claim(settings, who, 1)
    match record[-1].state:
        case AttemptState.CLAIMED | AttemptState.FENCED | AttemptState.SENT:
            holder = record[-1].holder
            held = holder != who and world.reconcilers[holder].step not in RESTING
            return Planned(Step.WAIT_HOLDER if held else Step.LOOK, last)
        case AttemptState.REVOKING:
            return Planned(Step.LOOK_AGAIN if record[-1].starved else Step.TAKE, last)
        case AttemptState.REVOKED:
            return _claim(settings, who, last + 1)
        case AttemptState.KNOWN if last in jobs:
            return Planned(Step.CLEAR, last, jobs[last].state)
        case AttemptState.KNOWN | AttemptState.SUCCEEDED:  # only where nobody asks by name: taken for lost
            return _claim(settings, who, last + 1)
        case AttemptState.FAILED if failures(record) <= settings.retries:
            return _claim(settings, who, last + 1)
        case _:
            return _nothing(world, settings)


def failures(record: tuple[Attempt, ...]) -> int:
    """How many attempts are recorded as failed."""
    return sum(attempt.state is AttemptState.FAILED for attempt in record)


def _claim(settings: Settings, who: int, n: int) -> Planned:
    give_up = who != FRESH and n > settings.attempts
    return Planned(Step.DONE) if give_up else Planned(Step.CLAIM, n)


def _nothing(world: World, settings: Settings) -> Planned:
    """Nothing is left to do for the revision, but maybe to delete an object that nobody needs."""
    left = [n for n in sorted(world.fences) if world.record[n - 1].state in OVER]
    if left and settings.has(Rule.TIDY):
        return Planned(Step.TIDY, left[0])
    return Planned(Step.DONE)


# ---- calls ----------------------------------------------------------------------------------------------------


def _copy(world: World, who: int, after: Step, doubt: Step) -> Iterator[tuple[str, World]]:
    me = world.reconcilers[who]
    copied = world._replace(fences=world.fences | {me.n})
    yield "", _to(copied, who, after)
    if not world.losses or who == FRESH:
        return
    less = world.losses - 1
    yield "loses the answer", _to(copied._replace(losses=less), who, doubt)
    if me.n not in world.copies:
        late = world._replace(copies=world.copies | {me.n}, losses=less)
        yield "gives up; the copy is late", _to(late, who, doubt)


def _send(world: World, settings: Settings, who: int) -> Iterator[tuple[str, World]]:
    me = world.reconcilers[who]
    arrived = service.arrive(world, settings, me.n)
    if arrived is world:
        yield "is refused", _to(world, who, Step.REFUSED_DELETE)
    else:
        yield "", _to(arrived, who, Step.KNOWN)
    if not world.losses or who == FRESH:
        return
    doubt = Step.LOOK if settings.has(Rule.CREATE_ONCE) else Step.SEND
    less = world.losses - 1
    yield "loses the answer", _to(arrived._replace(losses=less), who, doubt)
    yield "is refused for want of quota", _to(world._replace(losses=less), who, Step.REFUSED_DELETE)
    if me.n not in world.creates:
        late = world._replace(creates=world.creates | {me.n}, losses=less)
        yield "gives up; the create call is late", _to(late, who, doubt)


def _look(world: World, settings: Settings, who: int) -> Iterator[tuple[str, World]]:
    me = world.reconcilers[who]
    job = service.job_of(world, me.n)
    listed = job is not None and job.listed
    if me.step is Step.LOOK:
        first = Step.DOUBT if settings.has(Rule.DOUBT_FIRST) else Step.TAKE
        yield "finds it" if listed else "finds none", _to(world, who, Step.KNOWN if listed else first)
        return
    if settings.has(Rule.WAIT_LAG) and world.record[me.n - 1].existed and not listed:
        return  # lists may still lag behind
    if job is None or not listed:
        twice = settings.has(Rule.DELETE_TWICE)
        yield "finds none", _to(world, who, Step.TAKE_AGAIN if twice else Step.GIVE_UP)
        return
    back = job.state.live and not settings.has(Rule.KNOWN_FIRST)
    found = me._replace(step=Step.PUT_BACK if back else Step.KEEP, was=job.state)
    yield "finds it", _now(world, who, found)


def _delete(world: World, settings: Settings, who: int) -> World:
    me = world.reconcilers[who]
    after = {
        Step.TAKE: _after_take(settings),
        Step.TAKE_AGAIN: Step.GIVE_UP,
        Step.CLEAR: Step.SETTLE,
        Step.REFUSED_DELETE: Step.REFUSED,
        Step.TIDY: Step.LIST,
    }[me.step]
    taking = me.step in {Step.TAKE, Step.TAKE_AGAIN}
    if settings.has(Rule.TAKE_DATA) or not taking:
        world = world._replace(fences=world.fences - {me.n})
    return _to(world, who, after)


def _after_take(settings: Settings) -> Step:
    if not settings.has(Rule.DOUBT_FIRST):
        return Step.DOUBT
    return Step.STARVED if settings.has(Rule.LAG_SINCE_DELETE) else Step.LOOK_AGAIN


def _wait_holder(world: World, who: int) -> Iterator[tuple[str, World]]:
    me = world.reconcilers[who]
    if not me.fresh:
        yield "is over", _to(world, who, Step.LIST)
        return
    if world.reconcilers[world.record[me.n - 1].holder].step in RESTING:
        yield "finds it gone", _to(world, who, Step.LIST)
    elif me.patience:
        yield "is out of patience", _now(world, who, me._replace(step=Step.LOOK, patience=me.patience - 1))


# ---- the record -----------------------------------------------------------------------------------------------


def _swap(world: World, settings: Settings, who: int) -> Iterator[tuple[str, World]]:
    """Compare-and-swap: with a stale view it fails, and everything is observed again."""
    me = world.reconcilers[who]
    anew = me.step is Step.CLAIM and not settings.has(Rule.CLAIM_AS_SEEN) and len(world.record) == me.n - 1
    if not me.fresh and not anew:
        yield "is out of date", _to(world, who, Step.LIST)
        return
    old = world.record[me.n - 1] if me.n <= len(world.record) else Attempt(AttemptState.CLAIMED, who)
    new, after = _write(world, settings, me, old)
    record = (*world.record[: me.n - 1], new, *world.record[me.n :])
    others = tuple(r._replace(fresh=False) if r.fresh else r for r in world.reconcilers)
    changed = world._replace(record=record, reconcilers=others)
    yield "", _now(changed, who, me._replace(step=after, fresh=True))


def _write(world: World, settings: Settings, me: Reconciler, old: Attempt) -> tuple[Attempt, Step]:
    """What the attempt becomes, and the step after."""
    known = Attempt(AttemptState.KNOWN, doubted=old.doubted)
    revoked = Attempt(AttemptState.REVOKED, doubted=old.doubted)
    existed = service.job_of(world, me.n) is not None
    match me.step:
        case Step.CLAIM:
            return old, Step.COPY
        case Step.FENCED:
            after = Step.SENT if settings.has(Rule.RECORD_SENT) else Step.SEND
            return old._replace(state=AttemptState.FENCED), after
        case Step.SENT:
            return old._replace(state=AttemptState.SENT), Step.SEND
        case Step.KNOWN:
            return known, Step.LIST
        case Step.DOUBT:
            doubted = Attempt(AttemptState.REVOKING, doubted=True)
            if not settings.has(Rule.DOUBT_FIRST):
                return doubted._replace(starved=True, existed=existed), Step.LOOK_AGAIN
            counted = not settings.has(Rule.LAG_SINCE_DELETE)
            return doubted._replace(existed=existed and counted), Step.TAKE
        case Step.STARVED:
            return old._replace(starved=True, existed=existed), Step.LOOK_AGAIN
        case Step.KEEP:
            back = me.was.live and settings.has(Rule.KNOWN_FIRST)
            return known, Step.PUT_BACK if back else Step.LIST
        case Step.ADOPT:
            return known, Step.PUT_BACK if old.doubted and me.was.live else Step.LIST
        case Step.REFUSED | Step.GIVE_UP:
            return revoked, Step.LIST
        case Step.SETTLE:
            if me.was is JobState.STARVED and old.doubted and settings.has(Rule.REMEMBER_DOUBT):
                return revoked, Step.LIST
            return Attempt(ENDS[me.was], doubted=old.doubted), Step.LIST
    raise AssertionError(me.step)


def _to(world: World, who: int, step: Step) -> World:
    return _now(world, who, world.reconcilers[who]._replace(step=step))


def _now(world: World, who: int, me: Reconciler) -> World:
    """The world with this reconciler as it is now. What it does not need any more is forgotten."""
    if me.step is Step.LIST:
        me = Reconciler(Step.LIST, patience=me.patience)
    elif me.step is Step.DONE:
        me = Reconciler(Step.DONE, patience=0)
    return world._replace(reconcilers=(*world.reconcilers[:who], me, *world.reconcilers[who + 1 :]))
