"""An emulator and a plugin of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tuneform_emulator import server as emulator_server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.gcp_plugin.server import GcpProvider, build
from tuneform_emulator.gcp_plugin.values import to_struct
from tuneform_emulator.store import Store
from tuneform_emulator.world import Settings, World

from .driver import PROJECT, Plugin


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    store = Store(tmp_path / "emulator.db")
    with emulator_server.running(World(store, WallClock(), Settings())) as address:
        yield address
    store.close()


@pytest.fixture
def stub(endpoint: str) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    """The plugin over a socket, not configured yet."""
    server, port = build(GcpProvider({"TUNEFORM_ENDPOINT": endpoint}))
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(None).wait()


@pytest.fixture
def plugin(stub: provider_pb2_grpc.ResourceProviderStub, endpoint: str) -> Plugin:
    args = to_struct({"project": PROJECT, "region": "us-central1"})
    answer = stub.Configure(provider_pb2.ConfigureRequest(args=args, acceptSecrets=True))
    assert answer.acceptSecrets
    assert answer.supportsPreview
    return Plugin(stub, endpoint)
