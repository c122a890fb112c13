"""Fixtures of all functional tests."""

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
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator of the test's own, with jobs that do not wait in queues."""
    store = Store(tmp_path / "emulator-state" / "emulator.db")
    world = World(store, WallClock(), Settings(queued_seconds=0, pending_seconds=0))
    with server.running(world) as endpoint:
        running = Emulator(endpoint, world)
        yield running
        running.close()
    store.close()
