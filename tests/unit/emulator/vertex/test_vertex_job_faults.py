"""What ordered faults, revoked keys and lags do to tuning jobs, on a clock driven by hand; no sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tuneform_emulator.clock import ManualClock
from tuneform_emulator.services import agents, iam_policy
from tuneform_emulator.services.vertex.tuning_runner import Runner
from tuneform_emulator.store import Store
from tuneform_emulator.traffic.dispatch import Dispatcher
from tuneform_emulator.traffic.effects import (
    EndpointFailed,
    Failed,
    JobFault,
    Jobs,
    KeyRevoked,
    Phase,
    Stuck,
)
from tuneform_emulator.wire import Response
from tuneform_emulator.world import Settings, World

PROJECT = "faulty-team"
PLACE = f"projects/{PROJECT}/locations/us-central1"
RING = f"/v1/{PLACE}/keyRings"
KEY = f"{PLACE}/keyRings/ring/cryptoKeys/key"


class Bench:
    """An emulator without a server, a runner, and a hand on the clock."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
        self.world = World(Store(None), self.clock, Settings(queued_seconds=1, pending_seconds=1))
        self.dispatcher = Dispatcher(self.world)
        self.runner = Runner(self.world)
        row = {
            "contents": [
                {"role": "user", "parts": [{"text": "one plus one"}]},
                {"role": "model", "parts": [{"text": "two"}]},
            ]
        }
        self.call("POST", "/storage/v1/b", {"name": "faulty-data"}, query=f"project={PROJECT}")
        self.call(
            "POST", "/upload/storage/v1/b/faulty-data/o", row, query="uploadType=media&name=training.jsonl"
        )

    def call(self, method: str, path: str, body: object = None, *, query: str = "", code: int = 200) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self.dispatcher(method, path, query, {}, sent)
        assert isinstance(answer, Response)
        assert answer.status == code, answer.body
        return answer.body

    def create(self, *, key: str = "", code: int = 200) -> Any:
        body: dict[str, Any] = {
            "baseModel": "gemini-2.5-flash",
            "tunedModelDisplayName": "intents",
            "supervisedTuningSpec": {
                "trainingDatasetUri": "gs://faulty-data/training.jsonl",
                "hyperParameters": {"epochCount": 2},
            },
        }
        more = {"encryptionSpec": {"kmsKeyName": key}} if key else {}
        return self.call("POST", f"/v1beta1/{PLACE}/tuningJobs", {**body, **more}, code=code)

    def job(self, name: str) -> Any:
        return self.call("GET", f"/v1beta1/{name}")

    def turn(self, times: int = 20) -> None:
        """Moves the clock on, letting every job take the step that is due."""
        for _ in range(times):
            self.clock.advance(timedelta(seconds=1))
            self.runner.tick()
            self.runner.settle()

    def make_key(self) -> None:
        self.call("POST", RING, {}, query="keyRingId=ring")
        key = {"purpose": "ENCRYPT_DECRYPT"}
        self.call("POST", f"{RING}/ring/cryptoKeys", key, query="cryptoKeyId=key")
        self.grant()

    def grant(self) -> None:
        member = f"serviceAccount:{agents.vertex(self.world.names.number(PROJECT))}"
        policy = {"bindings": [{"role": iam_policy.ENCRYPTER, "members": [member]}]}
        self.call("POST", f"/v1/{KEY}:setIamPolicy", {"policy": policy})


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.runner.close()
    made.dispatcher.close()
    made.world.store.close()


STATES: dict[Phase, str] = {
    "queued": "JOB_STATE_QUEUED",
    "pending": "JOB_STATE_PENDING",
    "quota": "JOB_STATE_RUNNING",
    "dataset": "JOB_STATE_RUNNING",
    "capacity": "JOB_STATE_RUNNING",
    "tuning": "JOB_STATE_RUNNING",
    "post": "JOB_STATE_RUNNING",
}


@pytest.mark.parametrize(("phase", "state"), STATES.items())
def test_a_stuck_job_stays_until_the_order_is_taken_back(bench: Bench, phase: Phase, state: str) -> None:
    (key,) = bench.world.faults.order(JobFault(Jobs(phase), Stuck()))
    stuck, free = bench.create()["name"], bench.create()["name"]
    bench.turn()
    assert bench.job(stuck)["state"] == state
    assert bench.job(free)["state"] == "JOB_STATE_SUCCEEDED"
    bench.world.faults.take_back(key)
    bench.turn()
    assert bench.job(stuck)["state"] == "JOB_STATE_SUCCEEDED"


def test_a_stuck_job_can_be_cancelled_and_a_cancellation_can_be_stuck(bench: Bench) -> None:
    bench.world.faults.order(JobFault(Jobs("tuning"), Stuck()))
    (key,) = bench.world.faults.order(JobFault(Jobs("cancelling"), Stuck()))
    name = bench.create()["name"]
    bench.turn()
    bench.call("POST", f"/v1beta1/{name}:cancel", {})
    bench.turn()
    assert bench.job(name)["state"] == "JOB_STATE_CANCELLING"
    bench.world.faults.take_back(key)
    bench.turn()
    assert bench.job(name)["state"] == "JOB_STATE_CANCELLED"


@pytest.mark.parametrize(
    ("phase", "epochs", "done"), [("pending", 0, None), ("tuning", 1, "1"), ("post", 0, "2")]
)
def test_a_job_fails_where_and_as_it_was_ordered(
    bench: Bench, phase: Phase, epochs: int, done: str | None
) -> None:
    bench.world.faults.order(JobFault(Jobs(phase, epochs=epochs), Failed(8, "Out of accelerators.")))
    name = bench.create()["name"]
    bench.turn()
    job = bench.job(name)
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"] == {"code": 8, "message": "Out of accelerators."}
    assert "tunedModel" not in job
    assert job.get("tuningJobMetadata", {}).get("completedEpochCount") == done
    assert bench.world.faults.orders(unmet=True) == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (EndpointFailed(), True),
        (EndpointFailed("JOB_STATE_SUCCEEDED"), False),
        (EndpointFailed("JOB_STATE_FAILED"), True),
    ],
)
def test_a_model_can_be_there_without_its_endpoint(bench: Bench, fault: EndpointFailed, error: bool) -> None:
    bench.world.faults.order(JobFault(Jobs("post"), fault))
    name = bench.create()["name"]
    bench.turn()
    job = bench.job(name)
    assert job["state"] == fault.state
    assert ("error" in job) == error
    assert "endpoint" not in job["tunedModel"]
    assert ["endpoint" in item for item in job["tunedModel"]["checkpoints"]] == [False, False]
    assert bench.call("GET", f"/v1/{job['tunedModel']['model']}")["displayName"] == "intents"
    assert bench.call("GET", f"/v1/{PLACE}/endpoints") == {}
    bench.call("POST", f"/v1beta1/{name}:cancel", {}, code=400)


def test_a_model_without_an_endpoint_can_be_deployed_by_hand(bench: Bench) -> None:
    bench.world.faults.order(JobFault(Jobs("post"), EndpointFailed()))
    name = bench.create()["name"]
    bench.turn()
    made = bench.call("POST", f"/v1/{PLACE}/endpoints", {"displayName": "mine"})["response"]["name"]
    deployed = {
        "deployedModel": {"model": bench.job(name)["tunedModel"]["model"]},
        "trafficSplit": {"0": 100},
    }
    bench.call("POST", f"/v1/{made}:deployModel", deployed)
    question = {"contents": [{"role": "user", "parts": [{"text": "one plus one"}]}]}
    answer = bench.call("POST", f"/v1/{made}:generateContent", question)
    assert answer["candidates"][0]["content"]["parts"][0]["text"] == "two"


@pytest.mark.parametrize("state", ["DISABLED", "DESTROYED"])
def test_a_job_fails_when_its_key_is_taken_away_under_it(bench: Bench, state: Any) -> None:
    bench.make_key()
    bench.world.faults.order(JobFault(Jobs("tuning", epochs=1), KeyRevoked(state)))
    name = bench.create(key=KEY)["name"]
    bench.turn()
    job = bench.job(name)
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 9
    assert KEY in job["error"]["message"]
    assert job["tuningJobMetadata"]["completedEpochCount"] == "1"
    bench.create(key=KEY, code=400)


def test_a_job_with_a_key_that_stays_succeeds(bench: Bench) -> None:
    bench.make_key()
    name = bench.create(key=KEY)["name"]
    bench.turn()
    assert bench.job(name)["state"] == "JOB_STATE_SUCCEEDED"


def test_a_job_fails_when_the_grant_on_its_key_is_taken_away(bench: Bench) -> None:
    bench.make_key()
    (key,) = bench.world.faults.order(JobFault(Jobs("tuning"), Stuck()))
    name = bench.create(key=KEY)["name"]
    bench.turn()
    bench.call("POST", f"/v1/{KEY}:setIamPolicy", {"policy": {"bindings": []}})
    bench.world.faults.take_back(key)
    bench.turn()
    assert bench.job(name)["error"]["code"] == 7


def test_a_grant_and_its_end_take_effect_late(bench: Bench) -> None:
    bench.world.settings = Settings(grants_lag_seconds=60)
    bench.make_key()
    bench.create(key=KEY, code=403)
    bench.clock.advance(timedelta(seconds=60))
    bench.create(key=KEY)
    bench.call("POST", f"/v1/{KEY}:setIamPolicy", {"policy": {"bindings": []}})
    bench.create(key=KEY)
    bench.clock.advance(timedelta(seconds=60))
    bench.create(key=KEY, code=403)


@pytest.mark.parametrize("exists", [True, False])
def test_the_tuning_agent_can_be_given_roles_when_it_is_there(bench: Bench, exists: bool) -> None:
    bench.world.settings = Settings(agent_exists_before_first_job=exists)
    agent = agents.tuning(bench.world.names.number(PROJECT))
    binding = {"role": "roles/aiplatform.user", "members": [f"serviceAccount:{agent}"]}

    def grant(code: int) -> None:
        policy = {"policy": {"bindings": [binding]}}
        bench.call("POST", f"/v1/projects/{PROJECT}:setIamPolicy", policy, code=code)

    grant(200 if exists else 400)
    bench.create()
    grant(200)


def test_what_was_just_created_is_not_found_at_first(bench: Bench) -> None:
    name = bench.create()["name"]
    bench.turn()
    model = bench.job(name)["tunedModel"]["model"]
    endpoint = bench.job(name)["tunedModel"]["endpoint"]
    bench.world.settings = Settings(get_lag_seconds=3600)
    for missing in (name, model, endpoint):
        bench.call("GET", f"/v1/{missing}", code=404)
    assert len(bench.call("GET", f"/v1/{PLACE}/tuningJobs")["tuningJobs"]) == 1
    bench.clock.advance(timedelta(seconds=3600))
    for there in (name, model, endpoint):
        bench.call("GET", f"/v1/{there}")
