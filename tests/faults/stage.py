"""An emulator with specs beside it, made from a snapshot in a moment, and runs of `tuneform` against it."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import scene
from tests.faults.appliers import Appliers, Ended, Run, clean_environment
from tests.faults.control import Control
from tests.faults.scene import Scene

from tuneform_emulator import server
from tuneform_emulator.clock import Clock, WallClock
from tuneform_emulator.services.vertex import tuning_runner
from tuneform_emulator.store import Store
from tuneform_emulator.world import Settings, World

QUICK = Settings(queued_seconds=0, pending_seconds=0)
APPLY = ("apply", "--yes")
PLAN = ("plan", "--detailed-exitcode")


@dataclass
class Stage:
    """One emulator and one folder of specs; `folder` is its own.

    `env` is what every run gets; change it before a run is started.
    """

    folder: Path
    endpoint: str
    world: World
    appliers: Appliers
    env: dict[str, str] = field(default_factory=dict)
    _outputs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def control(self) -> Control:
        """Its faults, barriers, log and clock."""
        return Control(self.endpoint)

    def start(self, *arguments: str, appliers: Appliers | None = None) -> Run:
        """Start `tuneform ARGUMENTS` and do not wait."""
        return (appliers or self.appliers).start(
            *arguments,
            folder=self.folder,
            env={**clean_environment(), "TUNEFORM_ENDPOINT": self.endpoint, **self.env},
            output=self.folder / f"output-{next(self._outputs)}.txt",
        )

    def run(self, *arguments: str) -> Ended:
        """Run `tuneform ARGUMENTS` to its end."""
        return self.start(*arguments).wait()

    def apply(self) -> Ended:
        """`tuneform apply --yes`, to its end."""
        return self.run(*APPLY)

    def plan(self) -> Ended:
        """`tuneform plan --detailed-exitcode`, to its end: 0 is nothing to do, 2 something, 1 an error."""
        return self.run(*PLAN)

    def does(self, *arguments: str) -> str:
        """Run `tuneform ARGUMENTS`, which must succeed, and return what it printed."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended.text
        return ended.text

    def write(self, wanted: Scene) -> None:
        """Make these its specs."""
        wanted.write(self.folder)


class _Quickened:
    """How many want the jobs of this process's emulators to take no longer than their training."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._usual = tuning_runner.STEP_SECONDS

    def change(self, by: int) -> None:
        with self._lock:
            self._wanted += by
            tuning_runner.STEP_SECONDS = 0.0 if self._wanted else self._usual


_QUICKENED = _Quickened()


@contextmanager
def quick_steps() -> Iterator[None]:
    """Jobs of this process's emulators take no longer than their training while any such block runs."""
    _QUICKENED.change(1)
    try:
        yield
    finally:
        _QUICKENED.change(-1)


@contextmanager
def emulated(
    database: Path,
    folder: Path,
    appliers: Appliers,
    *,
    clock: Clock | None = None,
    settings: Settings = QUICK,
) -> Iterator[Stage]:
    """An emulator on a database, served by this process while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(database)
    world = World(store, clock or WallClock(), settings)
    try:
        with quick_steps(), server.running(world) as endpoint:
            yield Stage(folder, endpoint, world, appliers, {"TUNEFORM_LIST_LAG": "0"})
    finally:
        store.close()


@dataclass
class Snapshot:
    """A state to begin at, as often as needed: a database, and specs that ask for what comes next."""

    database: Path
    wanted: Scene
    appliers: Appliers
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def stage(self, **options: Any) -> Iterator[Stage]:
        """A stage that begins here; options as of `emulated`. What it leaves is thrown away, unless it fails."""
        with self._lock:
            folder = self.database.with_name(f"{self.database.stem}-{next(self._numbers)}")
        folder.mkdir()
        copy = folder / "emulator.db"
        shutil.copy(self.database, copy)
        with emulated(copy, folder, self.appliers, **options) as stage:
            stage.write(self.wanted)
            yield stage
        shutil.rmtree(folder)


def prepare(folder: Path, appliers: Appliers, first: Scene | None, wanted: Scene) -> Snapshot:
    """The state after `first` was applied (None: nothing yet, but the infrastructure), with specs that say `wanted`."""
    folder.mkdir(parents=True)
    database = folder / "begin.db"
    with emulated(database, folder / "preparing", appliers) as stage:
        scene.make_infrastructure(stage.endpoint)
        if first is not None:
            stage.write(first)
            stage.does(*APPLY)
            assert stage.plan().code == 0, "what the sweep begins with is in agreement"
    return Snapshot(database, wanted, appliers)
