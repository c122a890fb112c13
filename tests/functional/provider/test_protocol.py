"""The provider over its own protocol: what the engine sends, and what it must get back."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from tests.functional.emulators import Emulator
from tests.unit.entrypoints.provider.world import KeptLog

from tuneform.entrypoints.provider.server import build
from tuneform.entrypoints.provider.session import Session
from tuneform.entrypoints.provider.wire import Secret, decode, encode

PROJECT = {
    "name": "demo",
    "projectId": "tuneform-test",
    "location": "us-central1",
    "servingLocation": "us-central1",
    "owner": "team",
    "stateBucket": "tuneform-test-tuneform-state",
}


def urn(kind: str) -> str:
    return f"urn:pulumi:test::tuneform::tuneform:index:{kind}::intents"


@pytest.fixture
def session(emulator: Emulator) -> Session:
    return Session(KeptLog(), endpoint=emulator.endpoint)


@pytest.fixture
def provider(session: Session) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    server, port = build(session)
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(None).wait()


@pytest.fixture
def dataset(
    provider: provider_pb2_grpc.ResourceProviderStub, emulator: Emulator, tmp_path: Path
) -> dict[str, Any]:
    """The outputs of a Dataset."""
    emulator.storage().create_bucket("tuneform-test-data", location="us-central1")
    rows = [{"text_input": f"is {n} even", "output": "no" if n % 2 else "yes"} for n in range(20)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = {
        "project": PROJECT,
        "name": "intents",
        "bucket": "tuneform-test-data",
        "root": str(tmp_path),
        "source": {"training": {"file": "rows.jsonl"}},
    }
    checked = provider.Check(provider_pb2.CheckRequest(urn=urn("Dataset"), news=encode(given)))
    assert list(checked.failures) == []
    made = provider.Create(provider_pb2.CreateRequest(urn=urn("Dataset"), properties=checked.inputs))
    assert made.id == "demo/intents"
    return decode(made.properties)


def tuning(dataset: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "project": PROJECT,
        "name": "intents",
        "baseModel": "gemini-2.5-flash",
        "training": dataset["training"],
        "hyperParameters": {"epochCount": 1},
        **more,
    }


def test_the_schema_is_json_with_every_resource(provider: provider_pb2_grpc.ResourceProviderStub) -> None:
    schema = json.loads(provider.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert sorted(schema["resources"]) == [
        "tuneform:index:Dataset",
        "tuneform:index:TunedModel",
        "tuneform:index:TuningJob",
    ]


def test_secrets_and_previews_are_accepted(provider: provider_pb2_grpc.ResourceProviderStub) -> None:
    answer = provider.Configure(provider_pb2.ConfigureRequest(acceptSecrets=True))
    assert (answer.acceptSecrets, answer.supportsPreview) == (True, True)


def test_a_resource_type_it_does_not_have_is_refused(
    provider: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        provider.Check(provider_pb2.CheckRequest(urn=urn("Model")))
    assert "no resource type tuneform:index:Model" in (raised.value.details() or "")


def test_inputs_that_came_secret_stay_secret(
    provider: provider_pb2_grpc.ResourceProviderStub, dataset: dict[str, Any]
) -> None:
    given = encode(tuning(dataset, description=Secret("hush")))
    checked = provider.Check(provider_pb2.CheckRequest(urn=urn("TuningJob"), news=given))
    assert decode(checked.inputs)["description"] == Secret("hush")
    made = provider.Create(provider_pb2.CreateRequest(urn=urn("TuningJob"), properties=checked.inputs))
    assert "hush" not in str(made.properties)


def test_a_created_job_is_in_order_until_its_recipe_changes(
    provider: provider_pb2_grpc.ResourceProviderStub, dataset: dict[str, Any]
) -> None:
    given = encode(tuning(dataset))
    made = provider.Create(provider_pb2.CreateRequest(urn=urn("TuningJob"), properties=given))

    def difference(**more: Any) -> provider_pb2.DiffResponse:
        news = encode(tuning(dataset, **more))
        request = provider_pb2.DiffRequest(
            id=made.id, urn=urn("TuningJob"), olds=made.properties, old_inputs=given, news=news
        )
        answer: provider_pb2.DiffResponse = provider.Diff(request)
        return answer

    assert difference().changes == provider_pb2.DiffResponse.DIFF_NONE
    changed = difference(hyperParameters={"epochCount": 2})
    assert changed.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(changed.detailedDiff) == ["hyperParameters.epochCount"]
    assert list(changed.replaces) == []
    assert list(difference(name="other").replaces) == ["name"]
    assert list(difference(project={**PROJECT, "location": "us-east4"}).replaces) == ["project"]


def test_a_cancelled_wait_leaves_the_resource_in_the_state(
    provider: provider_pb2_grpc.ResourceProviderStub, session: Session, dataset: dict[str, Any]
) -> None:
    provider.Cancel(empty_pb2.Empty())
    assert session.stop.is_set()
    with pytest.raises(grpc.RpcError) as raised:
        provider.Create(provider_pb2.CreateRequest(urn=urn("TuningJob"), properties=encode(tuning(dataset))))
    trailing: dict[str, Any] = {item.key: item.value for item in raised.value.trailing_metadata() or ()}
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    details = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(details)
    assert details.id == "demo/intents"
    assert decode(details.properties)["job"].startswith("projects/")
    assert "was called off" in details.reasons[0]


def test_an_emulator_that_is_not_there_is_a_clear_error(dataset: dict[str, Any]) -> None:
    server, port = build(Session(KeptLog(), endpoint="http://127.0.0.1:9"))
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        request = provider_pb2.DiffRequest(
            id="demo/intents", urn=urn("TuningJob"), news=encode(tuning(dataset))
        )
        with pytest.raises(grpc.RpcError, match=r"error\[E5") as raised:
            stub.Diff(request)
    server.stop(None).wait()
    assert "http://127.0.0.1:9" in (raised.value.details() or "")


def started(parent: str) -> subprocess.Popen[str]:
    """The provider, started by another process as the engine would."""
    return subprocess.Popen(
        [sys.executable, "-c", parent, sys.executable],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TUNEFORM_ENDPOINT": ""},
    )


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.argv[1], "-m", "tuneform.entrypoints.provider", "127.0.0.1:9"])
print(child.pid, flush=True)
child.wait()
"""


def test_it_prints_its_port_and_ends_with_the_process_that_started_it() -> None:
    with started(PARENT) as parent:
        assert parent.stdout is not None
        pid, port = (int(parent.stdout.readline()) for _ in range(2))
        assert 0 < port < 65536
        watched = os.pidfd_open(pid)
        parent.send_signal(signal.SIGKILL)
        ended, _, _ = select.select([watched], [], [], 30)
        os.close(watched)
        assert ended, "the provider outlived the engine"
