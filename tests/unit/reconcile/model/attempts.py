"""The attempt protocol as a model that can be explored, and what has to be true of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.reconcile.model import protocol, service
from tests.unit.reconcile.model.world import FRESH, JobState, Settings, Step, World, start

from tuneform.reconcile.ledger import AttemptState


@dataclass(frozen=True)
class AttemptModel:
    """Two reconcilers that create one job, and a third that finishes what they leave."""

    settings: Settings

    def start(self) -> World:
        """Nothing was done yet."""
        return start(self.settings)

    def successors(self, world: World) -> Iterator[tuple[str, World]]:
        """What the service does by itself, then what each reconciler can do."""
        yield from service.happenings(world, self.settings)
        for (who, step, what), after in protocol.steps(world, self.settings):
            attempt = world.reconcilers[who].n
            on = f" of attempt {attempt}" if attempt else ""
            yield f"{'ABC'[who]}: {step.name}{on} {what}".rstrip(), after

    def broken(self, world: World) -> str:
        """Which of the invariants that hold at every moment does not; empty when all do."""
        paid = [job.attempt for job in world.jobs if job.paid]
        if len(set(paid)) < len(paid):
            return f"attempt {paid[-1]} is paid for twice"
        for number in paid[:-1]:
            if world.record[number - 1].state is not AttemptState.FAILED:
                return f"attempts {paid} are paid for, and {number} is not recorded as failed"
        if any(attempt.state not in protocol.OVER for attempt in world.record[:-1]):
            return "an attempt was begun beside one that is not over"
        return ""

    def unfinished(self, world: World) -> str:
        """What is wrong with a world in which nothing happens any more; empty when it is as it should be."""
        if world.reconcilers[FRESH].step is not Step.DONE:
            return "the last run waits for ever"
        last = world.record[-1]
        failed = sum(job.state is JobState.FAILED for job in world.jobs)
        if protocol.failures(world.record) != failed:
            return "a job that cost nothing is recorded as failed"
        if last.state is not AttemptState.SUCCEEDED and failed <= self.settings.retries:
            return f"the last attempt is {last.state.value}"
        made = [job.attempt for job in world.jobs if job.state is JobState.SUCCEEDED]
        if failed <= self.settings.retries and made != [len(world.record)]:
            return f"the jobs that succeeded are those of attempts {made}"
        if any(job.state.live for job in world.jobs):
            return "a job lives that nobody follows"
        return f"data of attempts {sorted(world.fences)} is left" if world.fences else ""

    def alike(self, world: World) -> World:
        """The same for two worlds that differ only in which of the first two reconcilers is which."""
        one, other, last = world.reconcilers
        if one <= other:
            return world
        record = tuple(a._replace(holder=1 - a.holder) if a.holder in {0, 1} else a for a in world.record)
        return world._replace(reconcilers=(other, one, last), record=record)
