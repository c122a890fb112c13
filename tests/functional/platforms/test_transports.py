"""Where calls go: gRPC if the emulator has it, REST if not or if asked for; operations that take their time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from tests.functional.emulators import Emulator
from tests.functional.platforms.kit import PROJECT, TRAINING, TUNING, connected

from tuneform.errors import Ambiguous, Terminal
from tuneform.platforms.vertex import clients
from tuneform.platforms.vertex.calls.retry import ONCE
from tuneform.platforms.vertex.clients import Transport
from tuneform.reconcile.live import Endpoint
from tuneform_emulator.rpc.server import Handler
from tuneform_emulator.traffic.dispatch import Answer, Cut
from tuneform_emulator.wire import Response

ENDPOINT = Endpoint(f"{PROJECT.parent}/endpoints/intents", "Intents", "", {})
OPERATION = f"{PROJECT.parent}/operations/1"
UNDER_WAY = Response({"name": OPERATION})
DEPLOYED = "type.googleapis.com/google.cloud.aiplatform.v1.DeployModelResponse"


@pytest.fixture(autouse=True)
def _no_other_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNEFORM_GRPC_ENDPOINT", raising=False)


class Script:
    """A Vertex that gives the answers it was given, one a call, and notes the calls."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []

    def __call__(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.calls.append(f"{method} {path.rpartition('/')[2]}")
        return self.answers.pop(0)


@contextmanager
def scripted(monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> Iterator[Script]:
    """The script over gRPC, where the environment says that gRPC is."""
    script = Script(*answers)
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Handler(script),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("TUNEFORM_GRPC_ENDPOINT", f"127.0.0.1:{port}")
    try:
        yield script
    finally:
        server.stop(5).wait()
    assert script.answers == []


def refusal(code: int, name: str) -> Response:
    return Response({"error": {"code": code, "status": name, "message": "not now"}}, code)


def test_an_operation_is_started_once_and_followed_through_failing_looks(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Response(
        {"name": OPERATION, "done": True, "response": {"@type": DEPLOYED, "deployedModel": {"id": "7"}}}
    )
    answers = (UNDER_WAY, UNDER_WAY, Cut(), refusal(503, "UNAVAILABLE"), UNDER_WAY, done)
    with scripted(monkeypatch, *answers) as script:
        deployed = connected(emulator.endpoint, "grpc").writer.deploy(
            ENDPOINT.name, "m@1", "1", traffic={"0": 100}
        )
    assert deployed == "7"
    assert script.calls == ["POST intents:deployModel", *["GET 1"] * 5]


def test_an_operation_that_fails_is_told_for_what_it_failed_with(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Response({"name": OPERATION, "done": True, "error": {"code": 9, "message": "too many models"}})
    with scripted(monkeypatch, UNDER_WAY, failed), pytest.raises(Terminal, match="too many models"):
        connected(emulator.endpoint, "grpc").writer.create_endpoint(ENDPOINT, kms_key=None)


@pytest.mark.parametrize(
    "answer",
    [{"@type": DEPLOYED}, {"@type": "type.googleapis.com/google.protobuf.Empty"}],
    ids=["without an id", "of another kind"],
)
def test_a_deployment_with_a_useless_result_is_ambiguous(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, answer: dict[str, str]
) -> None:
    done = Response({"name": OPERATION, "done": True, "response": answer})
    with scripted(monkeypatch, done), pytest.raises(Ambiguous, match="cannot be read"):
        connected(emulator.endpoint, "grpc").writer.deploy(ENDPOINT.name, "m@1", "1", traffic={})


def test_an_operation_that_does_not_end_is_given_up(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "OPERATION_DEADLINE", 0.0)
    ports = connected(emulator.endpoint, "grpc")
    with scripted(monkeypatch, UNDER_WAY), pytest.raises(Ambiguous, match="still under way"):
        ports.writer.create_endpoint(ENDPOINT, kms_key=None)


class Old(BaseHTTPRequestHandler):
    """An emulator without gRPC, that has no jobs."""

    def do_GET(self) -> None:  # the name that http.server calls
        body = json.dumps({"status": "ok"} if "health" in self.path else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name that http.server calls it by)
        return


@contextmanager
def old_emulator() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Old) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_emulator_without_grpc_is_spoken_to_over_rest() -> None:
    with old_emulator() as endpoint:
        assert connected(endpoint, "grpc").reader.jobs(PROJECT) == ()


def test_each_transport_is_the_one_that_was_asked_for(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(monkeypatch, Response({})) as script:
        connected(emulator.endpoint, "rest").reader.models(PROJECT)
        assert script.calls == []
        connected(emulator.endpoint, "grpc").reader.models(PROJECT)
        assert script.calls == ["GET models"]


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_an_emulator_that_does_not_run_is_named_with_the_command_that_starts_it(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "READ", ONCE)
    with old_emulator() as endpoint:
        pass
    with pytest.raises(Ambiguous, match="nothing answers") as caught:
        connected(endpoint, transport).writer.create_job(TUNING, TRAINING, {})
    assert endpoint in caught.value.remedy


def test_an_emulator_that_is_gone_from_its_grpc_port_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(monkeypatch):
        pass
    with pytest.raises(Ambiguous, match="nothing answers") as caught:
        connected("http://127.0.0.1:9", "grpc").writer.create_job(TUNING, TRAINING, {})
    assert "tuneform emulator start" in caught.value.remedy
