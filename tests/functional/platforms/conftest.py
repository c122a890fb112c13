"""The ports over both transports."""

from __future__ import annotations

import pytest
from tests.faults.control import Control
from tests.functional.emulators import Emulator
from tests.functional.platforms.kit import Bench, connected

from tuneform.platforms.vertex.clients import Transport


@pytest.fixture(params=["grpc", "rest"])
def bench(request: pytest.FixtureRequest, emulator: Emulator) -> Bench:
    """Over gRPC and over REST: what the core sees must be the same."""
    return made(emulator, request.param)


@pytest.fixture
def store(emulator: Emulator) -> Bench:
    """For what is about Cloud Storage alone, which has one transport."""
    return made(emulator, "grpc")


def made(emulator: Emulator, transport: Transport) -> Bench:
    return Bench(emulator, transport, connected(emulator.endpoint, transport), Control(emulator.endpoint))
