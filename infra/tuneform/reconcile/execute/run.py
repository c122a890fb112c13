"""The loop: look, plan, perform, until nothing is left to do. Level-triggered: only what is seen now counts.

Nothing is remembered between rounds but what the ledger and the platform hold, so that any process can go on where
another one died. The faces (Pulumi provider, command line, later an operator) have no logic of their own.

What went wrong decides what follows: a conflict in the ledger means another look at once; a call that did nothing
(`Retryable`) or that nobody knows the end of (`Ambiguous`) means another look after a delay, since the next plan
starts from what is there; everything else stops that item, and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tuneform.errors import Ambiguous, LedgerConflict, MachineError, ReconcileError, Retryable, TuneformError
from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Create,
    DeleteObject,
    Later,
    Revoke,
    Settle,
    Unfence,
    Upload,
    Wait,
    explain,
    last,
)
from tuneform.reconcile.desired import Content, Desired, Identity, Tuning
from tuneform.reconcile.execute.attempts import NoPlace
from tuneform.reconcile.execute.line import Line
from tuneform.reconcile.execute.perform import Performer, Supply
from tuneform.reconcile.live import Curves, Job, progress
from tuneform.reconcile.observe import Listed, World, closer, names_of, observe
from tuneform.reconcile.plan import Item, Plan, TuningPlan, plan_project
from tuneform.reconcile.plan.project import replan
from tuneform.reconcile.ports import Ports, View
from tuneform.reconcile.turns import QUEUED, Pauses

TRIES = 6
"""How often in a row an item's calls may fail for the moment before its run is given up."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 20.0
"""Seconds between such tries, doubled each time, where the service names no delay."""
QUIET = (Wait, Settle, Unfence)
"""What is done without a word: it follows from what was said before."""


class Interrupted(MachineError):
    """Waiting was called off. The job goes on, and is recorded."""

    code = "E420"


@dataclass(frozen=True)
class Failure:
    """An item that could not be brought to what was asked, and why."""

    item: Item
    error: TuneformError


@dataclass(frozen=True)
class Outcome:
    """How a run ended: what is left to do, what failed, what was done (each action in words, with its item's key).

    `queued` are the items that still wait in line for a place among the project's jobs, in that order, each with why.
    """

    plan: Plan
    world: World
    failures: tuple[Failure, ...] = ()
    done: tuple[tuple[str, Action], ...] = ()
    queued: tuple[tuple[Item, str], ...] = ()


def look(
    view: View, desired: Desired, before: World | None = None, ahead: Callable[[], Listed] | None = None
) -> tuple[World, Plan]:
    """One look and the plan for it; what has something to do is looked at closely before it is planned for good.

    For `before` and `ahead` see `observe`.
    """
    world = observe(view, desired, before, ahead)
    plan = plan_project(desired, world)
    lean = {name for name, found in world.records.items() if any(versioned.lean for versioned in found)}
    names = {name for item in plan.changes for name in _names(desired, item)} & lean
    if not names:
        return world, plan
    world = closer(view, desired, world, names)
    return world, replan(plan, desired, world)


def _names(desired: Desired, item: Item) -> tuple[str, ...]:
    for serving in desired.servings if item.kind == "TunedModel" else ():
        if serving.name == item.name:
            return (serving.tuning, *serving.tuning_names)
    for tuning in desired.tunings if item.kind == "TuningJob" else ():
        if tuning.name == item.name:
            return (*names_of(tuning), *(tuning.parent.names if tuning.parent else ()))
    return (item.name,)


def _content(tuning: Tuning | None) -> set[str]:
    """What a tuning's create call names."""
    splits = (tuning.training, tuning.validation) if tuning is not None else ()
    return {content.uri for content in splits if content is not None}


@dataclass
class _Trouble:
    """How often an item's calls failed for the moment, and when they may be tried again."""

    tries: int = 0
    until: datetime | None = None


@dataclass
class Run:
    """One run over a project's documents. `round` may be called for ever (`--watch`); `apply` ends by itself."""

    ports: Ports
    desired: Desired
    supply: Supply
    failures: dict[str, Failure] = field(default_factory=dict)
    done: list[tuple[str, Action]] = field(default_factory=list)
    _troubles: dict[str, _Trouble] = field(default_factory=dict)
    _said: set[tuple[str, str]] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)
    _missing: set[str] = field(default_factory=set)
    """What is to be uploaded before a job may name it."""
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(self.ports, self.desired)

    def round(self, before: World | None = None) -> tuple[World, Plan, bool]:
        """Look, plan, and perform everything that can be performed now; says whether something was.

        With `before`, only at what that look may have changed since: see `observe`.
        """
        world, plan = look(self.ports.view, self.desired, before)
        uploads = (action for item in plan.changes for action in item.actions if isinstance(action, Upload))
        self._missing = {upload.content.uri for upload in uploads}
        moved = False
        self.line.begin_round()
        for item in plan.changes:
            if self._cooling(item):
                self.line.keep(item)
            elif item.key not in self.failures and not self._overruled(item):
                moved |= self._work(item, world)
        self.line.end_round()
        return world, plan, moved

    def _overruled(self, item: Item) -> bool:
        """Whether another run asked for another revision since this one asked for its own.

        Then this one stops: two that go on would cancel and pay for each other's jobs in turn.
        """
        if not isinstance(item.about, TuningPlan) or item.facts is None:
            return False
        current, wanted = item.facts["current"], item.about.revision
        if current == wanted:
            self._asked.add(item.key)
        elif current and item.key in self._asked:
            error = ReconcileError(
                f"another run has asked for {current} since this one asked for {wanted}",
                remedy="see who else applies specs to this project, then apply those that are to hold",
            )
            self.failures[item.key] = Failure(item, error)
            return True
        return False

    def _cooling(self, item: Item) -> bool:
        trouble = self._troubles.get(item.key)
        return trouble is not None and trouble.until is not None and self.ports.clock.now() < trouble.until

    def _work(self, item: Item, world: World) -> bool:
        performer = self._performer(item, world)
        moved = False
        try:
            for action in item.actions:
                if self._held_back(item, action, world, performer):
                    continue
                self._say(item, action)
                if performer.perform(action):
                    moved = True
                    self._was_done(item, action)
        except LedgerConflict:
            self.line.put_back(item, "somebody else changed its record first")
            return True
        except NoPlace as error:
            return self._refused(item, error, world) or moved
        except (Retryable, Ambiguous) as error:
            self.line.leave(item)
            return self._again(item, error)
        except TuneformError as error:
            self.line.leave(item)
            self.failures[item.key] = Failure(item, error)
            return moved
        if not any(isinstance(action, Revoke) for action in item.actions):
            self._troubles.pop(item.key, None)  # to revoke what failed is not to succeed
        if not moved and item.blocked:
            reason = item.blocked[0]
            self.failures[item.key] = Failure(item, ReconcileError(reason.reason, remedy=reason.remedy))
        return moved

    def _held_back(self, item: Item, action: Action, world: World, performer: Performer) -> bool:
        """Whether something else comes first."""
        if world.lacks and isinstance(action, (Create, Upload)):
            return True  # what `up` is for comes first; the lack itself is an item of the plan
        if not isinstance(action, Create):
            return False
        if self._missing & _content(performer.tuning):
            return True  # its upload failed, and that is told with its own item
        return not self._its_turn(item, world)

    def _was_done(self, item: Item, action: Action) -> None:
        """Take note of what was performed."""
        if isinstance(action, Create):
            self.line.made(item, action)
        if isinstance(action, Upload):
            self._missing.discard(action.content.uri)
        if isinstance(action, (Create, Adopt)):
            self._asked.add(item.key)
        self.done.append((item.key, action))

    def _its_turn(self, item: Item, world: World) -> bool:
        """Whether a job may be created now; who has to wait is told why, once."""
        why = self.line.ask(item, world)
        if why and self.line.is_new(item):
            self._say_once(item, f"queued: {why}")
        return not why

    def _refused(self, item: Item, error: NoPlace, world: World) -> bool:
        """A quota was in the way: wait in line for the end of a job of ours; where there is none, try a few times."""
        refusal = self.line.refused(item, error, world, Pauses(FIRST_DELAY, LONGEST_DELAY))
        if not self.line.alone:
            self._say_once(item, f"queued until a job of the project has ended: {error.message}")
        elif refusal.number < TRIES:
            text = f"{error.message}; looks again in {refusal.pause:g} s"
            self.ports.listener.say(self._identity(item), text)
        else:
            self.line.leave(item, opening=True)
            self.failures[item.key] = Failure(item, error)
        return False

    def _again(self, item: Item, error: Retryable | Ambiguous) -> bool:
        trouble = self._troubles.setdefault(item.key, _Trouble())
        trouble.tries += 1
        if trouble.tries >= TRIES:
            self.failures[item.key] = Failure(item, error)
            return False
        delay = min(error.retry_after or FIRST_DELAY * 2 ** (trouble.tries - 1), LONGEST_DELAY)
        trouble.until = self.ports.clock.now() + timedelta(seconds=delay)
        self.ports.listener.say(self._identity(item), f"{error.message}; looks again in {delay:g} s")
        return False

    def _performer(self, item: Item, world: World) -> Performer:
        tuning = next((t for t in self.desired.tunings if t.name == item.name), None)
        serving = next((s for s in self.desired.servings if s.name == item.name), None)
        wants = (
            item.kind == "TuningJob" and not item.removed,
            item.kind == "TunedModel" and not item.removed,
        )
        return Performer(
            self.ports,
            self.desired,
            world,
            item,
            self.supply,
            tuning if wants[0] else None,
            serving if wants[1] else None,
        )

    def _say(self, item: Item, action: Action) -> None:
        """Say what is about to be done; the same thing is said once."""
        if isinstance(action, (*QUIET, Later, Blocked)):
            return
        if isinstance(action, Create):
            again = (item.key, action.revision) in self._said and action.cause.startswith(QUEUED)
            self._said.add((item.key, action.revision))
            if again:
                return  # it was told already, and that it waits
        self._say_once(item, explain(action))

    def _say_once(self, item: Item, text: str) -> None:
        if (item.key, text) not in self._said:
            self._said.add((item.key, text))
            self.ports.listener.say(self._identity(item), text)

    def _identity(self, item: Item) -> Identity:
        return Identity(self.desired.project.name, item.name)

    def waiting(self, plan: Plan) -> list[tuple[Item, Wait]]:
        """The jobs that are under way, of items that have not failed."""
        return [
            (item, action)
            for item in plan.changes
            if item.key not in self.failures
            for action in item.actions
            if isinstance(action, Wait)
        ]

    def pending(self, plan: Plan) -> bool:
        """Whether something else than a job is waited for: a delay, a lease, the lag of lists."""
        if self.line.is_pending:
            return True
        return any(
            item.key not in self.failures
            and (item.key in self._troubles or any(isinstance(action, Revoke) for action in item.actions))
            for item in plan.changes
        )

    def follow(self, world: World, plan: Plan) -> None:
        """Tell how far each job is, and cancel what is past its limits.timeout."""
        for item, action in self.waiting(plan):
            tuning = next((t for t in self.desired.tunings if t.name == item.name), None)
            job = next((j for found in world.jobs.values() for j in found if j.name == action.job), None)
            if job is None:
                continue
            job = self.ports.reader.job(job.name) or job
            curves = self.ports.reader.curves(job) if job.experiment else Curves()
            self.ports.listener.progress(self._identity(item), progress(job, curves))
            if tuning is not None and self._overdue(tuning, job):
                self.ports.listener.say(
                    tuning.identity, f"{last(job.name)} is past limits.timeout and is cancelled"
                )
                self.ports.writer.cancel_job(job.name)

    def _overdue(self, tuning: Tuning, job: Job) -> bool:
        limit = tuning.limits.timeout
        if limit is None or job.created is None or not job.live:
            return False
        return self.ports.ledger.now() - job.created > limit


def apply(ports: Ports, desired: Desired, *, wait: bool = True, supply: Supply | None = None) -> Outcome:
    """Bring a project to what the specs ask for; with `wait`, until its jobs have ended and what follows is done.

    Raises:
        Interrupted: waiting was called off; the jobs go on.
        RemoteError: the project cannot be looked at.
    """
    run = Run(ports, desired, supply or _nothing_to_upload)
    try:
        return _until_done(run, wait=wait)
    finally:
        run.line.leave_all()


def _until_done(run: Run, *, wait: bool) -> Outcome:
    ports = run.ports
    seen: World | None = None
    while True:
        world, plan, moved = run.round(seen)
        if moved:
            # A look that builds on an earlier one sees the objects as they were then.
            stores = (Upload, DeleteObject)
            stored = any(isinstance(action, stores) for item in plan.changes for action in item.actions)
            seen = None if stored else world
            continue
        waiting = run.waiting(plan)
        pending = run.pending(plan)
        queued = run.line.queued(plan)
        if not pending and not (wait and (waiting or queued)):
            if seen is not None:
                seen = None
                continue
            return Outcome(plan, world, tuple(run.failures.values()), tuple(run.done), queued)
        seen = world
        run.follow(world, plan)
        if ports.clock.wait(min(ports.poll, 1.0) if pending else ports.poll):
            raise _interrupted(run.desired, waiting)


def _interrupted(desired: Desired, waiting: list[tuple[Item, Wait]]) -> Interrupted:
    names = ", ".join(f"{desired.project.name}/{item.name}" for item, _ in waiting) or desired.project.name
    jobs = ", ".join(action.job for _, action in waiting)
    goes = f"{jobs} goes on; " if jobs else ""
    return Interrupted(
        f"waiting for {names} was called off", remedy=f"{goes}run the same command again to follow it"
    )


def _nothing_to_upload(content: Content) -> bytes:
    raise ReconcileError(
        f"{content.uri} is not in the bucket", remedy="apply the Dataset that holds it: `tuneform up`"
    )
