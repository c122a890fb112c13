"""A run's part in the line of its project (`reconcile.turns`): who of its items waits for a place, and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from tuneform.reconcile.actions import Create
from tuneform.reconcile.desired import Desired
from tuneform.reconcile.execute.attempts import NoPlace
from tuneform.reconcile.observe import World
from tuneform.reconcile.plan import Item, Plan
from tuneform.reconcile.ports import Ports
from tuneform.reconcile.turns import LONGEST_CLOSED, Pauses, Refusal, Seen, places


@dataclass
class Line:
    """Where the items of one run stand. In each round they ask anew; who does not ask any more has left.

    `alone` is whether the service refused a create though nothing of ours was under way, and is asked again soon.
    """

    ports: Ports
    desired: Desired
    alone: bool = False
    _waiting: dict[str, str] = field(default_factory=dict)
    _before: dict[str, str] = field(default_factory=dict)

    @property
    def is_pending(self) -> bool:
        """Whether somebody waits for a moment, rather than for the end of a job."""
        return bool(self._waiting) and self.alone

    def begin_round(self) -> None:
        """Nobody has asked yet."""
        self._before, self._waiting = self._waiting, {}

    def end_round(self) -> None:
        """Whoever stood in line and did not ask again has left it."""
        for key in self._before.keys() - self._waiting.keys():
            self.ports.turns.leave(key)

    def keep(self, item: Item) -> None:
        """It does nothing in this round, and keeps its place if it has one."""
        if item.key in self._before:
            self._waiting[item.key] = self._before[item.key]

    def is_new(self, item: Item) -> bool:
        """Whether it did not stand in line in the round before."""
        return item.key not in self._before

    def ask(self, item: Item, world: World) -> str:
        """Empty when its job may be created now; else why it waits."""
        seen = self._places(world) if self.ports.turns.matters else Seen()
        why = self.ports.turns.ask(item.key, seen, self.ports.clock.now())
        if why:
            self._waiting[item.key] = why
        return why

    def made(self, item: Item, action: Create) -> None:
        """Its job was made."""
        self.ports.turns.made(item.key, (item.name, action.revision, action.attempt))
        self.alone = False

    def refused(self, item: Item, error: NoPlace, world: World, alone: Pauses) -> Refusal:
        """A quota was in the way: it waits for the end of a job of ours, or where there is none for a moment."""
        refusal = self.ports.turns.refused(
            item.key,
            error.message,
            self._places(world),
            self.ports.clock.now(),
            asked=error.retry_after,
            alone=alone,
            beside=Pauses(2 * self.ports.poll, LONGEST_CLOSED),
        )
        self.alone = not refusal.under_way
        self._waiting[item.key] = error.message
        return refusal

    def put_back(self, item: Item, why: str) -> None:
        """It gives back the place that it held, if it held one, and stands at the head again."""
        if self.ports.turns.put_back(item.key):
            self._waiting[item.key] = why

    def leave(self, item: Item, *, opening: bool = False) -> None:
        """It wants no place any more; see `Turns.leave`."""
        self._waiting.pop(item.key, None)
        self.ports.turns.leave(item.key, opening=opening)

    def leave_all(self) -> None:
        """This run does not go on."""
        for key in self._waiting:
            self.ports.turns.leave(key)

    def queued(self, plan: Plan) -> tuple[tuple[Item, str], ...]:
        """The items that wait for a place, and why."""
        return tuple((item, self._waiting[item.key]) for item in plan.changes if item.key in self._waiting)

    def _places(self, world: World) -> Seen:
        """Which places among the project's jobs are taken; a look at a part of the project does not show all."""
        if self.desired.whole:
            jobs = [job for found in world.jobs.values() for job in found]
            records = [versioned for found in world.records.values() for versioned in found]
        else:
            jobs = list(self.ports.reader.jobs(self.desired.project))
            records = list(self.ports.ledger.heads(self.desired.project))
        return places(jobs, records, now=self.ports.clock.now(), list_lag=self.ports.list_lag)
