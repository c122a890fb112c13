"""A `tuneform` that is still at work: what it has said so far, and how it is ended from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
from tests.functional.main_job.checkout import Checkout, Ended

PATIENCE = 120.0
"""Seconds until something that has to happen is taken as not happening, on a machine that is busy."""
GONE_WITHIN = 30.0
"""Seconds in which the processes of a run that was killed have to be gone."""


class Running:
    """A started command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._open = True
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def text(self) -> str:
        """All that it has printed."""
        with self._changed:
            return "".join(self._lines)

    def until(self, pattern: str) -> None:
        """Wait until it has printed something that matches."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not re.search(pattern, "".join(self._lines)):
                left = deadline - time.monotonic()
                if not self._open or left <= 0:
                    raise AssertionError(f"no {pattern!r} in:\n{''.join(self._lines)}")
                self._changed.wait(left)

    def kill(self, *, group: bool) -> None:
        """SIGKILL to the command alone, or to its whole process group, and wait for its end."""
        if group:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait(PATIENCE)

    def interrupt(self) -> Ended:
        """Ctrl-C, which a terminal sends to the whole group; returns how the command ended."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ended()

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self.process.wait(PATIENCE)
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, PATIENCE)
        return Ended(code, self.text)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self._add(line)
        self._add("", end=True)

    def _add(self, line: str, *, end: bool = False) -> None:
        with self._changed:
            self._lines.append(line)
            self._open = not end
            self._changed.notify_all()


@contextmanager
def running(checkout: Checkout, *arguments: str) -> Iterator[Running]:
    """A started `tuneform`; nothing of it outlives the block."""
    run = Running(checkout.start(*arguments))
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait(PATIENCE)
        for process in checkout.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()


def orphans(checkout: Checkout) -> list[str]:
    """The processes of earlier runs that are still there once they have had time to end."""
    deadline = time.monotonic() + GONE_WITHIN
    while (alive := checkout.processes()) and time.monotonic() < deadline:
        psutil.wait_procs(alive, timeout=0.2)
    return [str(process) for process in alive]
