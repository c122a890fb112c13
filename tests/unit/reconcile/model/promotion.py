"""Promotion and retirement of docs/decisions/revisions.md, as a model: `keep` is 0, and the old revision serves.

Two runs start at once, for the same specs or for two versions of them, and may each crash once at every call; a third
then finishes, for the specs that hold in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

OLD, NEW = 0, 1


class Rule(Enum):
    """The rules that can be left out, to see what each is for."""

    GATE_FIRST = "a revision is measured before it gets traffic"
    SWITCH_FIRST = "the new one has the traffic before the old one is undeployed"
    RETIRE_FIRST = "`retired` is recorded before the model is deleted"
    ASK_ONCE = "a run that asked for its revision stops once another is asked for"


class Record(NamedTuple):
    """What the ledger has of a revision. `model` is that of its last attempt, `before` those of retired ones."""

    model: int
    retired: bool = False
    passed: bool = False
    before: frozenset[int] = frozenset()

    @property
    def doomed(self) -> frozenset[int]:
        """The models that are to be deleted, if they are still there."""
        return self.before | {self.model} if self.retired else self.before


class Deployed(NamedTuple):
    """A deployment on the serving endpoint."""

    id: int
    revision: int
    model: int


class Ledger(NamedTuple):
    """Both records, and which of them has the latest `wanted` and the latest `promoted`."""

    records: tuple[Record, Record] = (Record(OLD, passed=True), Record(NEW))
    wanted: int = OLD
    promoted: int = OLD


class Step(IntEnum):
    """The call that a run does next."""

    READ = 0
    LOOK = 1
    WANT = 2
    TRAIN = 3
    MEASURE = 4
    DEPLOY = 5
    SWITCH = 6
    RECORD = 7
    UNDEPLOY = 8
    RETIRE = 9
    DELETE = 10
    LOST = 11
    DONE = 12
    DEAD = 13


class Run(NamedTuple):
    """One run. `on` is the deployment, model or revision of its step, `fresh` whether each record is as seen."""

    wants: int
    step: Step = Step.READ
    on: int = 0
    asked: bool = False
    seen: Ledger = Ledger()
    fresh: tuple[bool, bool] = (False, False)


class World(NamedTuple):
    """Everything there is. `traffic` is the deployment that has it all."""

    runs: tuple[Run, Run, Run]
    ledger: Ledger = Ledger()
    models: frozenset[int] = frozenset({OLD, NEW})
    endpoint: tuple[Deployed, ...] = (Deployed(1, OLD, OLD),)
    traffic: int = 1
    trained: int = 0


@dataclass(frozen=True)
class PromotionModel:
    """`wants` is what the specs of the first, the second and the finishing run ask for."""

    wants: tuple[int, int, int] = (NEW, NEW, NEW)
    without: frozenset[Rule] = frozenset()

    def start(self) -> World:
        """The old revision serves, the new one is trained."""
        one, other, last = self.wants
        return World((Run(one), Run(other), Run(last)))

    def successors(self, world: World) -> Iterator[tuple[str, World]]:
        """What each run can do: its step, or a crash before it."""
        resting = {Step.DONE, Step.DEAD}
        alone = all(run.step in resting for run in world.runs[:2])
        for who, run in enumerate(world.runs):
            if run.step in resting or (who == 2 and not alone):
                continue
            yield f"{'ABC'[who]}: {run.step.name} {run.on}", self._act(world, who)
            if who < 2:
                dead = Run(run.wants, Step.DEAD)
                yield f"{'ABC'[who]}: {run.step.name} is not reached: a crash", _now(world, who, dead)

    def _act(self, world: World, who: int) -> World:
        run = world.runs[who]
        match run.step:
            case Step.READ:
                seen = Run(run.wants, Step.LOOK, asked=run.asked, seen=world.ledger, fresh=(True, True))
                return _now(world, who, seen)
            case Step.LOOK:
                step, on = self._plan(world, run)
                if step is Step.DONE:
                    return _now(world, who, Run(run.wants, Step.DONE))
                return _now(world, who, run._replace(step=step, on=on))
            case Step.DEPLOY | Step.SWITCH | Step.UNDEPLOY | Step.DELETE:
                return self._call(world, who)
            case _:
                return self._swap(world, who)

    def _plan(self, world: World, run: Run) -> tuple[Step, int]:
        """The first step that is not done, by the ledger as it was read and the endpoint as it is."""
        mine, other = run.wants, 1 - run.wants
        record = run.seen.records[mine]
        if run.seen.wanted != mine and not run.asked:
            return Step.WANT, mine
        if run.seen.wanted != mine and Rule.ASK_ONCE not in self.without:
            return Step.DONE, 0
        if record.retired:
            return Step.TRAIN, mine
        if record.model not in world.models:
            return (Step.LOST if run.fresh[mine] else Step.READ), mine
        if not record.passed and Rule.GATE_FIRST not in self.without:
            return Step.MEASURE, mine
        return self._promote(world, run, record, run.seen.records[other])

    def _promote(self, world: World, run: Run, record: Record, other: Record) -> tuple[Step, int]:
        here = [d.id for d in world.endpoint if d.model == record.model]
        rest = [d.id for d in world.endpoint if d.model != record.model]
        if Rule.SWITCH_FIRST in self.without and rest:
            return Step.UNDEPLOY, rest[0]
        if not here:
            return Step.DEPLOY, run.wants
        if world.traffic not in here:
            return Step.SWITCH, here[0]
        if run.seen.promoted != run.wants:
            return Step.RECORD, run.wants
        if spare := [d.id for d in world.endpoint if d.id != world.traffic]:
            return Step.UNDEPLOY, spare[0]
        first = Rule.RETIRE_FIRST not in self.without
        if not other.retired and (first or other.model not in world.models):
            return Step.RETIRE, 1 - run.wants
        doomed = record.doomed | other.doomed | (frozenset() if first else {other.model})
        left = sorted(doomed & world.models)
        return (Step.DELETE, left[0]) if left else (Step.DONE, 0)

    def _call(self, world: World, who: int) -> World:
        """A call to the service, which refuses what would take away what is in use, or needs what is gone."""
        run = world.runs[who]
        there = {deployed.id for deployed in world.endpoint}
        free = min({1, 2, 3, 4} - there)
        after: World | None = None
        match run.step:
            case Step.DEPLOY if (model := run.seen.records[run.on].model) in world.models:
                deployed = Deployed(free, run.on, model)
                after = world._replace(endpoint=tuple(sorted((*world.endpoint, deployed))))
            case Step.SWITCH if run.on in there:
                after = world._replace(traffic=run.on)
            case Step.UNDEPLOY if run.on != world.traffic or Rule.SWITCH_FIRST in self.without:
                after = world._replace(endpoint=tuple(d for d in world.endpoint if d.id != run.on))
            case Step.DELETE if all(d.model != run.on for d in world.endpoint):
                after = world._replace(models=world.models - {run.on})
        return _now(after or world, who, run._replace(step=Step.READ, on=0))

    def _swap(self, world: World, who: int) -> World:
        """A write of one record, which fails when that record is not as it was seen."""
        run, ledger = world.runs[who], world.ledger
        again = run._replace(step=Step.READ, on=0)
        if not run.fresh[run.on]:
            return _now(world, who, again)
        old = ledger.records[run.on]
        match run.step:
            case Step.WANT:
                ledger, again = ledger._replace(wanted=run.on), again._replace(asked=True)
            case Step.RECORD:
                ledger = ledger._replace(promoted=run.on)
            case Step.TRAIN:
                model = 2 + world.trained
                world = world._replace(models=world.models | {model}, trained=world.trained + 1)
                old = Record(model, before=old.doomed)
            case Step.MEASURE:
                old = old._replace(passed=True)
            case Step.RETIRE:
                old = old._replace(retired=True)
        records = (old, ledger.records[1]) if run.on == OLD else (ledger.records[0], old)
        stale = [r._replace(fresh=_without(r.fresh, run.on)) for r in world.runs]
        changed = world._replace(ledger=ledger._replace(records=records), runs=(stale[0], stale[1], stale[2]))
        return _now(changed, who, again)

    def broken(self, world: World) -> str:
        """What clients or people would suffer from at this moment; empty when nothing."""
        if any(run.step is Step.LOST for run in world.runs):
            return "a model that we deleted counts as lost"
        if world.trained > 3:
            return "two runs train against each other"
        serving = next((d for d in world.endpoint if d.id == world.traffic), None)
        if serving is None:
            return "nothing has the traffic"
        if serving.model not in world.models:
            return "what serves has no model"
        record = world.ledger.records[serving.revision]
        if serving.model != record.model:
            return ""  # two versions of the specs: it was retired, trained again, and is deployed no more in a moment
        if not record.passed:
            return "what serves has not passed its gate"
        if record.retired and len(set(self.wants)) == 1:
            return "what serves is retired"
        return ""

    def unfinished(self, world: World) -> str:
        """What the finishing run has left undone; empty when nothing."""
        wanted = self.wants[2]
        if [d.revision for d in world.endpoint] != [wanted]:
            return "what is deployed is not what is wanted alone"
        if world.ledger.promoted != wanted or world.ledger.records[wanted].retired:
            return "the record does not say what serves"
        if (
            world.models != {world.ledger.records[wanted].model}
            or not world.ledger.records[1 - wanted].retired
        ):
            return "what is beyond keep is left"
        if world.trained and len(set(self.wants)) == 1:
            return "a revision was trained again without cause"
        return ""

    def alike(self, world: World) -> World:
        """Which of the first two runs is which does not matter."""
        one, other, last = world.runs
        return world if one <= other else world._replace(runs=(other, one, last))


def _without(fresh: tuple[bool, bool], revision: int) -> tuple[bool, bool]:
    return (False, fresh[1]) if revision == OLD else (fresh[0], False)


def _now(world: World, who: int, run: Run) -> World:
    runs = [*world.runs[:who], run, *world.runs[who + 1 :]]
    return world._replace(runs=(runs[0], runs[1], runs[2]))
