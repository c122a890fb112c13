"""What a run under the real engine needs around it."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.functional.emulators import Emulator
from tests.functional.provider.engine import Stack, write_specs

from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.world import Settings, World


@pytest.fixture
def slow_emulator(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator whose jobs last long enough to be interrupted."""
    store = Store(tmp_path / "slow-state" / "emulator.db")
    world = World(store, WallClock(), Settings(queued_seconds=0, pending_seconds=0, epoch_seconds=6))
    with server.running(world) as endpoint:
        yield Emulator(endpoint, world)
    store.close()


class Later(WallClock):
    """A service's clock that is moved ahead by hand: what was done just now is then a while ago."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def later() -> Later:
    """The clock of `lasting_emulator`."""
    return Later()


@pytest.fixture
def lasting_emulator(tmp_path: Path, later: Later) -> Iterator[Emulator]:
    """An emulator in which time can pass without anybody waiting for it."""
    store = Store(tmp_path / "lasting-state" / "emulator.db")
    world = World(store, later, Settings(queued_seconds=0, pending_seconds=0))
    with server.running(world) as endpoint:
        yield Emulator(endpoint, world)
    store.close()


@pytest.fixture
def stack(emulator: Emulator, tmp_path: Path) -> Stack:
    """A stack over the specs of one tuning; nothing is applied yet."""
    return Stack(tmp_path / "stack", write_specs(tmp_path / "specs"), emulator.endpoint)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """When an engine ends early, the Automation API's own surprise at it leaves the program's event loop open."""
    surprised = logging.getLogger("grpc._server")
    surprised.propagate = False
    surprised.addHandler(quiet := logging.NullHandler())
    yield
    surprised.removeHandler(quiet)
    surprised.propagate = True
    for left in gc.get_objects():
        if isinstance(left, asyncio.BaseEventLoop) and not left.is_running() and not left.is_closed():
            left.close()
