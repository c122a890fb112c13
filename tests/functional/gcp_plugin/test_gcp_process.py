"""The plugin as a process: how it starts, and that it never outlives its engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

LAUNCHER = Path(__file__).parents[3] / "infra/tuneform_emulator/gcp_plugin/bin/pulumi-resource-gcp"
ENGINE_ADDRESS = "127.0.0.1:1"
# An engine that starts the launcher and waits: the plugin's port is passed on, then its process id.
ENGINE = '"$0" "$1" & echo $!; wait'


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "TUNEFORM_PYTHON": sys.executable}


@pytest.fixture
def engine(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = ["sh", "-c", ENGINE, str(LAUNCHER), ENGINE_ADDRESS]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def started(engine: subprocess.Popen[str]) -> tuple[psutil.Process, int]:
    """The plugin's process and port."""
    assert engine.stdout is not None
    pid, port = engine.stdout.readline(), engine.stdout.readline()
    return psutil.Process(int(pid)), int(port)


def test_the_launcher_prints_the_port_it_serves_on_and_nothing_else(engine: subprocess.Popen[str]) -> None:
    process, port = started(engine)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        info = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=30)
    assert info.version == "10.2.0"
    assert {
        connection.laddr.ip.removeprefix("::ffff:")
        for connection in process.net_connections()
        if connection.status == "LISTEN"
    } == {"127.0.0.1"}
    process.terminate()
    assert engine.communicate(timeout=30)[0] == ""


def test_a_killed_engine_takes_the_plugin_with_it(engine: subprocess.Popen[str]) -> None:
    process, _ = started(engine)
    engine.kill()
    _, alive = psutil.wait_procs([process], timeout=30)
    assert alive == []


def test_sigterm_ends_it(environment: dict[str, str]) -> None:
    command = [str(LAUNCHER), ENGINE_ADDRESS]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as plugin:
        assert plugin.stdout is not None
        assert int(plugin.stdout.readline()) > 0
        plugin.send_signal(signal.SIGTERM)
        assert plugin.wait(timeout=30) == 0


def test_it_does_not_depend_on_standard_input(environment: dict[str, str]) -> None:
    command = [str(LAUNCHER), ENGINE_ADDRESS]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as plugin:
        assert plugin.stdin is not None
        assert plugin.stdout is not None
        port = int(plugin.stdout.readline())
        plugin.stdin.close()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(
                empty_pb2.Empty(), timeout=30
            )
        plugin.terminate()
        assert plugin.wait(timeout=30) == 0
