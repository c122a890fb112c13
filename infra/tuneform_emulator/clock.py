"""Time, as a thing that tests can drive by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

# How often a wait looks whether it was told to stop, in seconds of real time.
POLL = 0.05


class Clock(Protocol):
    """What time it is, and waiting for a later one."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...

    def wait_until(self, moment: datetime, stop: threading.Event | None = None) -> bool:
        """Blocks until `moment` has come (True) or `stop` is set (False)."""
        ...


class WallClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime, stop: threading.Event | None = None) -> bool:
        """Blocks until `moment` has come (True) or `stop` is set (False)."""
        waiter = stop or threading.Event()
        while (left := (moment - self.now()).total_seconds()) > 0:
            if waiter.wait(left):
                return False
        return not waiter.is_set()


class ManualClock:
    """A clock that stands still until somebody advances it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._moved = threading.Condition()

    def now(self) -> datetime:
        """The moment the clock was last advanced to, in UTC."""
        with self._moved:
            return self._now

    def advance(self, step: timedelta) -> datetime:
        """Moves the clock forward and returns the new moment; raises ValueError for a step back."""
        if step < timedelta(0):
            raise ValueError("a clock does not go back")
        with self._moved:
            self._now += step
            self._moved.notify_all()
            return self._now

    def wait_until(self, moment: datetime, stop: threading.Event | None = None) -> bool:
        """Blocks until the clock was advanced to `moment` (True) or `stop` is set (False)."""
        with self._moved:
            while self._now < moment:
                if stop is not None and stop.is_set():
                    return False
                self._moved.wait(None if stop is None else POLL)
        return stop is None or not stop.is_set()


def stamp(moment: datetime) -> str:
    """A moment as the APIs write it: `2026-11-20T10:00:00.123456Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_stamp(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
