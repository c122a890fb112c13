"""The gRPC port of the emulator's own process: found, kept, given up; and how many calls it takes."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from google.cloud import aiplatform_v1
from tests.functional.emulator_grpc.kit import Rpc, ask
from tests.functional.emulator_infra.test_daemon import Line, ended
from tests.functional.emulator_vertex.kit import PARENT

from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.traffic.dispatch import Answer, Dispatcher
from tuneform_emulator.wire import Response
from tuneform_emulator.world import World

HELD = 80


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path / "state")
    yield made
    made("stop")


async def make_endpoint(rpc: Rpc) -> str:
    endpoint = aiplatform_v1.Endpoint(display_name="kept")
    begun = await rpc.endpoints.create_endpoint(parent=PARENT, endpoint=endpoint)
    await begun.result()
    return str(begun.operation.name)


def test_the_address_is_told_by_health_record_and_env(line: Line) -> None:
    record = line.started()
    health = requests.get(record["endpoint"] + "/_emulator/health", timeout=10).json()
    env = json.loads(line("env", "--format", "json").stdout)
    assert health["grpc"] == record["grpc"] == env["TUNEFORM_GRPC_ENDPOINT"]
    assert f"export TUNEFORM_GRPC_ENDPOINT={record['grpc']}" in line("env").stdout.splitlines()


def test_it_listens_on_loopback_only(line: Line) -> None:
    record = line.started()
    listening = {
        # gRPC's socket is an IPv6 one for an IPv4 address.
        f"{item.laddr.ip.removeprefix('::ffff:')}:{item.laddr.port}"
        for item in psutil.Process(record["pid"]).net_connections()
        if item.status == psutil.CONN_LISTEN
    }
    assert listening == {record["grpc"], f"127.0.0.1:{record['port']}"}


def test_port_and_state_are_kept_over_a_restart_and_old_operations_polled(line: Line) -> None:
    first = line.started()
    operation = ask(first["endpoint"], make_endpoint)
    assert line("stop").returncode == 0
    second = line.started()
    assert second["grpc"] == first["grpc"]

    async def question(rpc: Rpc) -> Any:
        # The first call of this process, which has not loaded what the operation holds.
        return await rpc.operation(operation)

    polled = ask(second["endpoint"], question)
    endpoint = aiplatform_v1.Endpoint.pb()()
    assert polled.response.Unpack(endpoint)
    assert polled.metadata.Is(aiplatform_v1.CreateEndpointOperationMetadata.pb().DESCRIPTOR)


def test_when_the_last_port_is_taken_another_is_used(line: Line) -> None:
    first = line.started()
    assert line("stop").returncode == 0
    host, _, port = first["grpc"].rpartition(":")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((host, int(port)))
        other.listen()
        second = line.started()
        assert second["grpc"] != first["grpc"]
        assert ask(second["endpoint"], make_endpoint)


def test_two_emulators_never_share_a_port(tmp_path: Path, line: Line) -> None:
    """gRPC would by itself bind a port twice, and the kernel deal the calls out between the two."""
    first = line.started()
    other = Line(tmp_path / "other")
    other.root.mkdir()
    (other.root / "grpc-port").write_text(first["grpc"].rpartition(":")[2])
    try:
        assert other.started()["grpc"] != first["grpc"]
    finally:
        other("stop")


def test_it_ends_on_sigterm_while_clients_are_connected(line: Line) -> None:
    record = line.started()

    async def question(rpc: Rpc) -> None:
        await make_endpoint(rpc)
        process = psutil.Process(record["pid"])
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(psutil.wait_procs, [process], timeout=8)

    ask(record["endpoint"], question)
    assert ended(record["pid"])
    assert not (line.root / "emulator.json").exists()
    assert "Traceback" not in (line.root / "emulator.log").read_text()


class Held(Dispatcher):
    """Holds calls for tuning jobs until told to let go."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.arrived = threading.Semaphore(0)
        self.let_go = threading.Event()

    def __call__(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if "/tuningJobs/" not in path:
            return super().__call__(method, path, query, headers, body)
        self.arrived.release()
        self.let_go.wait(60)
        return Response({"name": path})


def test_held_calls_do_not_keep_others_waiting() -> None:
    """Barriers hold calls on purpose, many at a time."""
    store = Store(None)
    dispatcher = Held(World(store, WallClock()))

    async def question(rpc: Rpc) -> tuple[int, int]:
        held = [
            asyncio.create_task(rpc.tuning.get_tuning_job(name=f"{PARENT}/tuningJobs/{number}"))
            for number in range(HELD)
        ]
        for _ in held:
            assert await asyncio.to_thread(dispatcher.arrived.acquire, timeout=60)
        await make_endpoint(rpc)
        waiting = sum(not task.done() for task in held)
        dispatcher.let_go.set()
        return waiting, len(await asyncio.gather(*held))

    with server.serving(dispatcher) as endpoint:
        try:
            assert ask(endpoint, question) == (HELD, HELD)
        finally:
            dispatcher.let_go.set()
    store.close()
