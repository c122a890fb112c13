"""Visits every world that can be reached, nearest first, and judges each; a violation comes with its shortest trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.reconcile.model import protocol, service
from tests.unit.reconcile.model.protocol import Event
from tests.unit.reconcile.model.world import FRESH, JobState, Settings, Step, World, start

from tuneform.reconcile.ledger import AttemptState


@dataclass(frozen=True)
class Found:
    """What an exploration came to: how many worlds there are, and how many of them are ends.

    `violation` is empty when every invariant holds; else `trace` is the shortest way to it.
    """

    worlds: int
    ends: int
    violation: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = (self.violation or "every invariant holds", *self.trace)
        return f"{self.worlds:,} worlds, {self.ends} ends: " + "\n  ".join(lines)


def explore(settings: Settings) -> Found:
    """Visit everything, or stop at the first violation."""
    first = start(settings)
    places = {_alike(first): 0}
    came: list[tuple[int, Event | str]] = [(0, "")]
    onward: list[list[int]] = []
    worlds = [first]
    ends = 0
    for place, world in enumerate(worlds):  # which grows as it is gone through
        wrong = broken(world)
        here: list[int] = []
        for event, after in () if wrong else successors(world, settings):
            key = _alike(after)
            if key not in places:
                places[key] = len(worlds)
                worlds.append(after)
                came.append((place, event))
            here.append(places[key])
        onward.append(here)
        if not here and not wrong:
            ends += 1
            wrong = unfinished(world, settings)
        if wrong:
            return Found(len(worlds), ends, wrong, _trace(worlds, came, place))
    return Found(len(worlds), ends, "" if _ends_always(onward) else "some runs never come to an end")


def successors(world: World, settings: Settings) -> Iterator[tuple[Event | str, World]]:
    """All that can happen next."""
    yield from service.happenings(world, settings)
    yield from protocol.steps(world, settings)


def broken(world: World) -> str:
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


def unfinished(world: World, settings: Settings) -> str:
    """What is wrong with a world in which nothing happens any more; empty when it is as it should be."""
    if world.reconcilers[FRESH].step is not Step.DONE:
        return "the last run waits for ever"
    last = world.record[-1]
    failed = sum(job.state is JobState.FAILED for job in world.jobs)
    if protocol.failures(world.record) != failed:
        return "a job that cost nothing is recorded as failed"
    if last.state is not AttemptState.SUCCEEDED and failed <= settings.retries:
        return f"the last attempt is {last.state.value}"
    made = [job.attempt for job in world.jobs if job.state is JobState.SUCCEEDED]
    if failed <= settings.retries and made != [len(world.record)]:
        return f"the jobs that succeeded are those of attempts {made}"
    if any(job.state.live for job in world.jobs):
        return "a job lives that nobody follows"
    return f"data of attempts {sorted(world.fences)} is left" if world.fences else ""


def _alike(world: World) -> World:
    """The same for two worlds that differ only in which of the first two reconcilers is which."""
    one, other, last = world.reconcilers
    if one <= other:
        return world
    record = tuple(a._replace(holder=1 - a.holder) if a.holder in {0, 1} else a for a in world.record)
    return world._replace(reconcilers=(other, one, last), record=record)


def _ends_always(onward: list[list[int]]) -> bool:
    """Whether no way leads back to where it came from: each world is taken away once nothing leads to it."""
    leading = [0] * len(onward)
    for here in onward:
        for place in here:
            leading[place] += 1
    free = [place for place, count in enumerate(leading) if not count]
    taken = 0
    while free:
        taken += 1
        for place in onward[free.pop()]:
            leading[place] -= 1
            if not leading[place]:
                free.append(place)
    return taken == len(onward)


def _trace(worlds: list[World], came: list[tuple[int, Event | str]], place: int) -> tuple[str, ...]:
    lines: list[str] = []
    while place:
        place, event = came[place]
        if isinstance(event, str):
            lines.append(event)
        else:
            who, step, what = event
            attempt = worlds[place].reconcilers[who].n
            on = f" of attempt {attempt}" if attempt else ""
            lines.append(f"{'ABC'[who]}: {step.name}{on} {what}".rstrip())
    return tuple(reversed(lines))
