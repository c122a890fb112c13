"""Ordered faults as real clients meet them, over real sockets."""

from __future__ import annotations

import threading
import time

import pytest
import requests
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1
from tests.faults.control import Control, Refused
from tests.functional.emulators import Emulator

from .conftest import Wire

BUCKETS = "/storage/v1/b?project=tuneform-test"
CREATE = {"method": "POST", "route": "/storage/v1/b"}


def exists(emulator: Emulator, bucket: str) -> bool:
    return emulator.call("GET", f"/storage/v1/b/{bucket}").status_code == 200


def create(emulator: Emulator, name: str = "faulty-data") -> requests.Response:
    return emulator.call("POST", BUCKETS, json={"name": name})


def jobs_client(emulator: Emulator) -> aiplatform_v1.GenAiTuningServiceClient:
    return aiplatform_v1.GenAiTuningServiceClient(
        credentials=AnonymousCredentials(),
        transport="rest",
        client_options=ClientOptions(api_endpoint=emulator.endpoint),
    )


def test_a_quota_is_refused_with_the_time_to_wait(emulator: Emulator, control: Control) -> None:
    fault = {"calls": {"route": ".../tuningJobs"}, "effect": {"kind": "quota", "retry_after": 2.5}}
    path = f"/v1/projects/{emulator.project}/locations/us-central1/tuningJobs"
    with control.met(fault):
        refused = emulator.call("GET", path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert refused.json()["error"]["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}
    ]
    assert emulator.call("GET", path).status_code == 200


def test_an_official_client_reads_an_ordered_status(emulator: Emulator, control: Control) -> None:
    client = jobs_client(emulator)
    parent = f"projects/{emulator.project}/locations/us-central1"
    fault = {"calls": {"route": ".../tuningJobs"}, "effect": {"kind": "quota", "retry_after": 7}}
    with control.met(fault), pytest.raises(exceptions.TooManyRequests) as refusal:
        client.list_tuning_jobs(parent=parent, retry=None)
    assert refusal.value.details[0]["retryDelay"] == "7s"
    denied = {"calls": {"route": ".../tuningJobs", "times": 0}, "effect": {"kind": "permission"}}
    with control.met(denied):
        for _ in range(2):
            with pytest.raises(exceptions.Forbidden):
                client.list_tuning_jobs(parent=parent, retry=None)
    assert list(client.list_tuning_jobs(parent=parent, retry=None)) == []
    client.transport.close()


def test_an_official_client_that_tries_again_gets_through(emulator: Emulator, control: Control) -> None:
    fault = {"calls": {**CREATE, "times": 2}, "effect": {"kind": "status", "status": "UNAVAILABLE"}}
    with control.met(fault):
        emulator.storage().create_bucket("faulty-data")
    assert [call.status for call in control.log()] == [503, 503, 200]


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
def test_a_reset_cuts_the_connection_without_a_byte(
    emulator: Emulator, control: Control, when: str, made: bool
) -> None:
    wire = Wire(emulator.endpoint)
    with control.met({"calls": CREATE, "when": when, "effect": {"kind": "reset"}}):
        wire.send("POST", BUCKETS, {"name": "faulty-data"})
        with pytest.raises(ConnectionResetError):
            wire.received()
    wire.close()
    assert exists(emulator, "faulty-data") == made
    assert control.log()[0].status == "cut"
    assert control.log()[0].handled == made


def test_a_client_whose_connection_was_cut_can_open_another(emulator: Emulator, control: Control) -> None:
    with requests.Session() as session:
        assert session.get(f"{emulator.endpoint}/_emulator/health", timeout=30).ok
        fault = {"calls": CREATE, "effect": {"kind": "reset"}}
        with control.met(fault), pytest.raises(requests.ConnectionError):
            session.post(emulator.endpoint + BUCKETS, json={"name": "faulty-data"}, timeout=30)
        assert session.post(emulator.endpoint + BUCKETS, json={"name": "faulty-data"}, timeout=30).ok


def test_a_malformed_answer_cannot_be_read(emulator: Emulator, control: Control) -> None:
    with control.met({"calls": CREATE, "when": "after", "effect": {"kind": "malformed"}}):
        answer = create(emulator)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert exists(emulator, "faulty-data")


def test_a_delayed_call_goes_on_when_the_order_is_taken_back(emulator: Emulator, control: Control) -> None:
    (key,) = control.order({"calls": CREATE, "effect": {"kind": "delay", "seconds": 3600}})
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(create(emulator).status_code))
    thread.start()
    deadline = time.monotonic() + 30
    while control.unmet():
        assert time.monotonic() < deadline
    assert not exists(emulator, "faulty-data")
    control.take_back(key)
    thread.join(30)
    assert statuses == [200]


def test_a_fault_for_one_run_leaves_the_others_alone(emulator: Emulator, control: Control) -> None:
    def get(agent: str) -> int:
        return emulator.call("GET", "/storage/v1/b/none", headers={"User-Agent": agent}).status_code

    with control.met({"calls": {"caller": "run/two", "times": 0}, "effect": {"kind": "status"}}):
        assert [get("tuneform/1 run/one"), get("tuneform/1 run/two")] == [404, 503]
    assert [call.run for call in control.log()] == ["one", "two"]


def test_a_fault_that_is_never_met_fails_the_test_that_ordered_it(
    emulator: Emulator, control: Control
) -> None:
    with (
        pytest.raises(AssertionError, match="never met"),
        control.met({"calls": CREATE, "effect": {"kind": "reset"}}),
    ):
        exists(emulator, "faulty-data")
    assert control.faults() == []


def test_an_order_that_means_nothing_is_refused(control: Control) -> None:
    with pytest.raises(Refused, match="No route matches"):
        control.order({"calls": {"route": ".../tunedJobs"}, "effect": {"kind": "reset"}})
