"""`status --watch`: looking again and again, on a clock that is not the machine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from tests.unit.reconcile.builders import NOON

from tuneform.entrypoints.cli.looking.following import TROUBLES, Seen, watch
from tuneform.errors import Retryable
from tuneform.review.status import JobSeen, TuningSeen

RUNNING = TuningSeen("a", True, "r1-a", JobSeen("j", "RUNNING", "", 1, 4, None, None, "", None, ended=False))
ENDED = TuningSeen("a", True, "r1-a", JobSeen("j", "SUCCEEDED", "", 4, 4, None, None, "", None, ended=True))


@dataclass
class Waits:
    """A clock that counts its waits, and calls off the one after `patience`."""

    patience: int = 100
    waited: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOON

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return len(self.waited) > self.patience


@dataclass
class Shown:
    """What was shown and said."""

    looks: list[Seen] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def show(self, found: Seen) -> None:
        self.looks.append(found)

    def say(self, text: str) -> None:
        self.said.append(text)


def looks(*results: Seen | Exception) -> Callable[[], Seen]:
    left: Iterator[Seen | Exception] = iter(results)

    def look() -> Seen:
        result = next(left)
        if isinstance(result, Exception):
            raise result
        return result

    return look


def test_it_looks_until_nothing_moves() -> None:
    clock, screen = Waits(), Shown()

    assert watch(looks((RUNNING,), (RUNNING,), (ENDED,)), screen, clock, poll=7.0)
    assert clock.waited == [7.0, 7.0]
    assert screen.looks == [(RUNNING,), (RUNNING,), (ENDED,)]


def test_called_off_it_says_so_and_looks_no_more() -> None:
    screen = Shown()

    assert not watch(looks((RUNNING,), (RUNNING,)), screen, Waits(patience=1), poll=1.0)
    assert len(screen.looks) == 2


def test_a_look_that_fails_is_made_again_but_not_for_ever() -> None:
    screen, trouble = Shown(), Retryable("busy")

    assert watch(looks(trouble, (RUNNING,), trouble, (ENDED,)), screen, Waits(), poll=1.0)
    assert screen.said == ["busy; looks again in 1 s"] * 2
    with pytest.raises(Retryable):
        watch(looks(*[trouble] * TROUBLES), Shown(), Waits(), poll=1.0)


def test_one_that_moves_among_many_is_waited_for() -> None:
    assert not watch(looks((ENDED, replace(RUNNING, name="b"))), Shown(), Waits(patience=0), poll=1.0)
