"""Calls that wait to be let through, so that a test decides who goes first.

A held call stays held when its caller goes away: released, it still does what it was sent for.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .calls import Call, Calls, Tally, When

Outcome = Literal["proceed", "drop"]
"""Lets the call go on, or cuts its connection: before the handler it then never runs."""


@dataclass
class Barrier:
    """Where calls are held."""

    id: str
    calls: Calls
    when: When
    tally: Tally


@dataclass
class Held:
    """A call that waits; `id` is "call-" and its number in the log."""

    id: str
    barrier: str
    when: When
    call: Call
    outcome: Outcome | None = None


class Barriers:
    """All barriers and the calls they hold; safe to use from many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._barriers: dict[str, Barrier] = {}
        self._held: dict[str, Held] = {}
        self._closed = False

    def set_up(self, calls: Calls, when: When) -> str:
        """Holds calls from now on; returns the barrier's id."""
        with self._changed:
            key = f"barrier-{next(self._numbers)}"
            self._barriers[key] = Barrier(key, calls, when, Tally(calls.nth, calls.times))
        return key

    def remove(self, key: str) -> bool:
        """Takes a barrier away and lets what it holds go on; says whether it was there."""
        with self._changed:
            self._release(lambda held: held.barrier == key, "proceed", None)
            return self._barriers.pop(key, None) is not None

    def release(self, key: str, outcome: Outcome, count: int | None = None) -> list[str] | None:
        """Lets one held call go, or those of a barrier, the oldest first and at most `count`.

        Returns their ids, None when there is no held call and no barrier of that id. The barrier stays.
        """
        with self._changed:
            if key not in self._barriers and key not in self._held:
                return None
            return self._release(lambda held: key in (held.id, held.barrier), outcome, count)

    def _release(self, meant: Callable[[Held], bool], outcome: Outcome, count: int | None) -> list[str]:
        chosen = [held for held in self._held.values() if held.outcome is None and meant(held)][:count]
        for held in chosen:
            held.outcome = outcome
            # It is no longer waiting, though its thread may not have run yet.
            self._held.pop(held.id)
        self._changed.notify_all()
        return [held.id for held in chosen]

    def barriers(self) -> list[Barrier]:
        """All barriers in the order they were set up in."""
        with self._changed:
            return list(self._barriers.values())

    def held(self, at_least: int = 0, seconds: float = 0.0) -> list[Held]:
        """What is held now, the oldest first; waits up to `seconds` until it is `at_least` so many."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while len(self._held) < at_least and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return list(self._held.values())

    def hold(self, call: Call, when: When) -> Outcome:
        """Blocks while a barrier holds the call; says how it goes on."""
        with self._changed:
            for barrier in tuple(self._barriers.values()):
                if self._closed:
                    return "drop"
                # One that was removed while an earlier one held the call holds nothing any more.
                there = barrier.id in self._barriers and barrier.when == when
                if not (there and barrier.calls.fits(call) and barrier.tally.hit()):
                    continue
                held = Held(f"call-{call.number}", barrier.id, when, call)
                self._held[held.id] = held
                self._changed.notify_all()
                self._changed.wait_for(lambda held=held: held.outcome is not None)  # type: ignore[misc]
                if held.outcome == "drop":
                    return "drop"
        return "proceed"

    def close(self) -> None:
        """Drops whatever is held and holds nothing any more."""
        with self._changed:
            self._closed = True
            self._release(lambda _: True, "drop", None)
