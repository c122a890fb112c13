"""Visits every world that can be reached, nearest first, and judges each; a violation comes with its shortest trace."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

World = TypeVar("World", bound=Hashable)


class Model(Protocol[World]):
    """What can be explored."""

    def start(self) -> World:
        """The world in which everything begins."""
        ...

    def successors(self, world: World) -> Iterator[tuple[str, World]]:
        """All that can happen next, in words, and what comes of it."""
        ...

    def broken(self, world: World) -> str:
        """Which of the invariants that hold at every moment does not; empty when all do."""
        ...

    def unfinished(self, world: World) -> str:
        """What is wrong with a world in which nothing happens any more; empty when it is as it should be."""
        ...

    def alike(self, world: World) -> World:
        """The same for worlds that differ in nothing that matters."""
        ...


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


def explore(model: Model[World]) -> Found:
    """Visit everything, or stop at the first violation."""
    first = model.start()
    places = {model.alike(first): 0}
    came = [(0, "")]
    onward: list[list[int]] = []
    worlds = [first]
    ends = 0
    for place, world in enumerate(worlds):  # which grows as it is gone through
        wrong = model.broken(world)
        here: list[int] = []
        for event, after in () if wrong else model.successors(world):
            key = model.alike(after)
            if key not in places:
                places[key] = len(worlds)
                worlds.append(after)
                came.append((place, event))
            here.append(places[key])
        onward.append(here)
        if not here and not wrong:
            ends += 1
            wrong = model.unfinished(world)
        if wrong:
            return Found(len(worlds), ends, wrong, _trace(came, place))
    return Found(len(worlds), ends, "" if _ends_always(onward) else "some runs never come to an end")


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


def _trace(came: list[tuple[int, str]], place: int) -> tuple[str, ...]:
    lines: list[str] = []
    while place:
        place, event = came[place]
        lines.append(event)
    return tuple(reversed(lines))
