"""Being told to stop: Ctrl-C and SIGTERM end a wait at once, and work between two remote calls."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """The run is to end here, between two remote calls. No `Exception`: nothing that handles failures may keep it."""


class StoppableClock:
    """`ports.Clock` on the machine's time, whose waits end when the process is told to stop."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        """Let time pass; True at once when the process is told to stop."""
        return self._told.wait(max(0.0, seconds))

    @property
    def stopped(self) -> bool:
        """Whether the process was told to stop."""
        return self._told.is_set()

    def stop(self) -> None:
        """Tell it to stop."""
        self._told.set()

    def check(self) -> None:
        """Raise `Stopped` when the process was told to stop: called before something new is begun."""
        if self.stopped:
            raise Stopped

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals while the block runs. A second one ends the process where it is: nothing is lost by it."""

        def tell(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.stop()
            for name in SIGNALS:
                signal.signal(name, signal.SIG_DFL)

        before = {name: signal.signal(name, tell) for name in SIGNALS}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
