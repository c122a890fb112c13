"""The calls of a run as points to strike at: each named so that another run of the same reaches the same one."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.appliers import Run
from tests.faults.control import Control, Held, Logged, When
from tests.faults.waiting import PAUSE

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
READING_POSTS = (":generateContent", ":countTokens", ":getIamPolicy", ":testIamPermissions")
"""What is asked with POST and changes nothing."""
MADE_UP = re.compile(r"(?:(?<=%2F)|(?<![\w.-]))(?:[0-9]{6,}|[0-9a-f]{8})(?![\w.-])|[0-9]{20}")
"""Ids that the service or a run draws anew: numbers, run ids, the end of an experiment's name."""


@dataclass(frozen=True)
class Point:
    """One call of a run, and on which side of its handling it is struck.

    The `number`-th of all `of` calls, and the `nth` of those that `path` (a regular expression) and `method` fit.
    """

    number: int
    of: int
    method: str
    path: str
    shown: str
    nth: int
    when: When

    @property
    def calls(self) -> dict[str, Any]:
        """The `calls` of a barrier or a fault that strikes here, and nowhere else."""
        return {"method": self.method, "path": self.path, "nth": self.nth}

    @property
    def writes(self) -> bool:
        """Whether the call changes something."""
        return self.method in WRITING and not self.shown.endswith(READING_POSTS)

    def __str__(self) -> str:
        return f"{self.number:03d}/{self.of} {self.when} {self.method} {self.shown} #{self.nth}"


def points_of(calls: Sequence[Logged], *when: When) -> list[Point]:
    """Every call as a point, once for each `when` (before and after, unless said otherwise)."""
    seen: Counter[tuple[str, str]] = Counter()
    found: list[Point] = []
    for number, call in enumerate(calls, 1):
        path = "^" + MADE_UP.sub("[0-9a-f]+", re.escape(call.path).replace(r"\-", "-")) + "$"
        seen[call.method, path] += 1
        nth = seen[call.method, path]
        found += [
            Point(number, len(calls), call.method, path, call.path, nth, side)
            for side in when or ("before", "after")
        ]
    return found


def bounded(points: Iterable[Point], reads: int) -> list[Point]:
    """Every point at a call that writes, and so many of the others, evenly spread."""
    everything = list(points)
    others = [point for point in everything if not point.writes]
    chosen = {id(others[index * len(others) // reads]) for index in range(min(reads, len(others)))}
    return [point for point in everything if point.writes or id(point) in chosen]


def states(points: Iterable[Point], reads: int) -> list[Point]:
    """A point in each state that a run which dies may leave, and so many calls that look.

    What a killed run knew is gone with it, so only what it had done counts: to die before a write is sent is to die
    after the one before it. Hence the far side of every write, and the near side of the first.
    """
    chosen = bounded(points, reads)
    first = min(point.number for point in chosen if point.writes)
    return [point for point in chosen if not point.writes or point.when == "after" or point.number == first]


def reach(control: Control, run: Run, *, besides: str = "", seconds: float = 120.0) -> Held | None:
    """The call of a run that a barrier holds, once it does; None when the run ended without it.

    `besides` is the id of a call that is held already. Raises TimeoutError.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        over = run.is_over(PAUSE)
        for held in control.held():
            if held.id != besides:
                return held
        if over:
            return None
    run.kill()
    raise TimeoutError(f"a run neither ended nor came to its point in {seconds:g} s")
