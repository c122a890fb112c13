"""An emulator whose jobs last long enough to be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.emulators import Emulator

from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.world import Settings, World


@pytest.fixture
def slow_emulator(tmp_path: Path) -> Iterator[Emulator]:
    store = Store(tmp_path / "slow-state" / "emulator.db")
    world = World(store, WallClock(), Settings(queued_seconds=0, pending_seconds=0, epoch_seconds=6))
    with server.running(world) as endpoint:
        yield Emulator(endpoint, world)
    store.close()
