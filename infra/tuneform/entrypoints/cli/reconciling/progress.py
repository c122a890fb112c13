"""What a person sees while jobs are waited for: bars on a terminal, one line a change where lines stay."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.reconcile.desired import Identity
from tuneform.reconcile.live import Progress
from tuneform.review import plan as review


class Followed:
    """A listener that shows what it hears, and knows how far each job was when it was last looked at.

    The core tells it what it is about to do; there a run that was told to stop ends, between two remote calls. With
    `several` projects at work each line and bar begins with its project's name.
    """

    def __init__(self, console: Console, clock: StoppableClock) -> None:
        self.several = False
        self.running: dict[str, Progress] = {}
        self._console = console
        self._clock = clock
        self._lock = threading.Lock()
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show bars while the block runs, on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        with self._bars:
            try:
                yield
            finally:
                self._bars = None

    def say(self, identity: Identity, text: str) -> None:
        """One thing that is about to be done, or was found."""
        self._clock.check()
        with self._lock:
            shown = Text.assemble("  ", (self._name(identity), "bold"), f": {review.shortened(text)}")
            self._console.print(shown, soft_wrap=True)

    def progress(self, identity: Identity, progress: Progress) -> None:
        """How far a job is."""
        with self._lock:
            self.running[str(identity)] = progress
            if self._bars is not None:
                self._move(identity, progress)
            elif self._said.get(str(identity)) != str(progress):
                self._said[str(identity)] = str(progress)
                self._console.print(f"  {self._name(identity)}: {progress}", soft_wrap=True)

    def _move(self, identity: Identity, progress: Progress) -> None:
        assert self._bars is not None, "bars are moved while they are shown"
        if progress.job not in self._tasks:
            self._tasks[progress.job] = self._bars.add_task(self._name(identity), total=None, state="")
        ended = progress.state.ended
        self._bars.update(
            self._tasks[progress.job],
            total=progress.epochs or None,
            completed=progress.epochs if ended else max(0, progress.epoch - 1),
            state=str(progress),
        )

    def _name(self, identity: Identity) -> str:
        """The document's name: a Dataset's split is told of under its Dataset's."""
        name = identity.name if identity.name.startswith("gs://") else identity.name.partition("/")[0]
        return f"{identity.project}/{name}" if self.several else name
