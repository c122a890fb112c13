"""How jobs move, on a clock that is driven by hand; no sockets, no worker thread."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tuneform_emulator.clock import ManualClock
from tuneform_emulator.services.vertex import tuning_runner
from tuneform_emulator.store import Store
from tuneform_emulator.traffic.services import collect
from tuneform_emulator.wire import ApiError, Request, Response, Router
from tuneform_emulator.world import Settings, World

TRAINING = "gs://runner-data/training.jsonl"


class Bench:
    """An emulator without a server, one runner, and a hand on the clock."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
        self.world = World(
            Store(None), self.clock, Settings(queued_seconds=10, pending_seconds=20, epoch_seconds=60)
        )
        self.router = Router(collect(self.world))
        self.runner = tuning_runner.Runner(self.world)
        self.call("POST", "/storage/v1/b", {"name": "runner-data"}, project="runner-one")
        rows = [
            {
                "contents": [
                    {"role": "user", "parts": [{"text": q}]},
                    {"role": "model", "parts": [{"text": a}]},
                ]
            }
            for q, a in (("one plus one", "two"), ("two plus two", "four"))
        ]
        self.write("\n".join(map(json.dumps, rows)).encode())

    def write(self, data: bytes) -> None:
        """Puts the training file into the bucket."""
        self.call(
            "POST", "/upload/storage/v1/b/runner-data/o", data, uploadType="media", name="training.jsonl"
        )

    def call(self, method: str, path: str, body: object = None, **query: str) -> dict[str, Any]:
        match = self.router.match(method, path)
        assert match is not None, path
        version = match.params.get("version", "")
        values = {name: (value,) for name, value in query.items()}
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        request = Request(method, path, match.params, values, body=data, version=version)
        answer = match.route.handler(request)
        return dict(answer.body if isinstance(answer, Response) else answer)

    def create(self, project: str = "runner-one", location: str = "us-central1") -> str:
        spec = {"trainingDatasetUri": TRAINING, "hyperParameters": {"epochCount": 2}}
        path = f"/v1beta1/projects/{project}/locations/{location}/tuningJobs"
        body = {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": spec}
        return str(self.call("POST", path, body)["name"])

    def pass_time(self, seconds: float) -> None:
        """Lets time pass, and every move that is due by then be made."""
        self.clock.advance(timedelta(seconds=seconds))
        self.runner.tick()
        self.runner.settle()

    def state(self, job: str) -> tuple[str, str, str]:
        """State, sub-state without its prefix, and epochs done."""
        found = self.call("GET", f"/v1beta1/{job}")
        substate = found.get("tuningJobState", "").removeprefix("TUNING_JOB_STATE_")
        epochs = found.get("tuningJobMetadata", {}).get("completedEpochCount", "")
        return found["state"].removeprefix("JOB_STATE_"), substate, epochs


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.runner.close()
    made.world.store.close()


STEP = tuning_runner.STEP_SECONDS


def test_a_job_moves_when_its_time_has_come_and_not_before(bench: Bench) -> None:
    job = bench.create()
    expected = [
        (0, ("QUEUED", "", "")),
        (9.9, ("QUEUED", "", "")),
        (0.1, ("PENDING", "", "")),
        (19.9, ("PENDING", "", "")),
        (0.1, ("RUNNING", "WAITING_FOR_QUOTA", "0")),
        (STEP, ("RUNNING", "PROCESSING_DATASET", "0")),
        (STEP, ("RUNNING", "WAITING_FOR_CAPACITY", "0")),
        (STEP, ("RUNNING", "TUNING", "0")),
        (59.9, ("RUNNING", "TUNING", "0")),
        (0.1, ("RUNNING", "TUNING", "1")),
        (60, ("RUNNING", "POST_PROCESSING", "2")),
        (STEP, ("SUCCEEDED", "", "2")),
    ]
    for seconds, state in expected:
        bench.pass_time(seconds)
        assert bench.state(job) == state
    found = bench.call("GET", f"/v1beta1/{job}")
    assert found["startTime"] == "2026-11-20T00:00:30.000000Z"
    assert found["endTime"] == found["updateTime"]


def test_a_project_runs_no_more_jobs_than_its_quota(bench: Bench) -> None:
    quota = Settings().concurrent_jobs
    jobs = [
        bench.create(location="us-central1" if number % 2 else "europe-west4") for number in range(quota + 1)
    ]
    other = bench.create("runner-two")
    bench.pass_time(10)
    assert [bench.state(job)[0] for job in jobs] == ["PENDING"] * quota + ["QUEUED"]
    assert bench.state(other)[0] == "PENDING"
    bench.call("POST", f"/v1/{jobs[0]}:cancel")
    bench.pass_time(STEP)
    assert bench.state(jobs[0])[0] == "CANCELLED"
    bench.pass_time(0)
    assert bench.state(jobs[-1])[0] == "PENDING"


def test_a_job_beyond_the_quota_may_be_refused_instead(bench: Bench) -> None:
    bench.world.settings = replace(bench.world.settings, concurrent_jobs=1, over_quota="refuse")
    first = bench.create()
    with pytest.raises(ApiError, match="concurrent tuning jobs: 1 of 1") as caught:
        bench.create(location="europe-west4")
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert bench.create("runner-two")
    bench.call("POST", f"/v1/{first}:cancel")
    bench.pass_time(STEP)
    assert bench.create()


def test_a_queued_job_is_cancelled_without_a_place_in_the_quota(bench: Bench) -> None:
    jobs = [bench.create() for _ in range(Settings().concurrent_jobs + 1)]
    bench.pass_time(10)
    bench.call("POST", f"/v1/{jobs[-1]}:cancel")
    bench.call("POST", f"/v1/{jobs[-1]}:cancel")
    assert bench.state(jobs[-1])[0] == "CANCELLING"
    bench.pass_time(STEP)
    assert bench.state(jobs[-1])[0] == "CANCELLED"


def run_to(bench: Bench, job: str, substate: str) -> None:
    for _ in range(12):
        if bench.state(job)[1] == substate:
            return
        bench.pass_time(20)
    raise AssertionError(bench.state(job))


def test_a_defect_fails_the_job_alone(bench: Bench) -> None:
    job, other = bench.create(), bench.create()
    run_to(bench, job, "WAITING_FOR_CAPACITY")

    def spoil(document: dict[str, Any]) -> dict[str, Any]:
        document["resource"]["supervisedTuningSpec"]["hyperParameters"]["adapterSize"] = "ADAPTER_SIZE_NONE"
        return document

    bench.world.store.update("tuning-job", job, spoil)
    for _ in range(3):
        bench.pass_time(60)
    failed = bench.call("GET", f"/v1/{job}")
    assert (failed["state"], failed["error"]["code"]) == ("JOB_STATE_FAILED", 13)
    for _ in range(9):
        bench.pass_time(60)
    assert bench.state(other)[0] == "SUCCEEDED"


def test_rows_that_went_bad_since_create_fail_the_job(bench: Bench) -> None:
    job = bench.create()
    bench.write(b'{"contents": []}')
    for _ in range(5):
        bench.pass_time(60)
    failed = bench.call("GET", f"/v1/{job}")
    assert (failed["state"], failed["error"]["code"]) == ("JOB_STATE_FAILED", 3)
    assert "Row: 0." in failed["error"]["message"]


def test_nothing_is_kept_of_a_job_that_was_cancelled(bench: Bench) -> None:
    job = bench.create()
    run_to(bench, job, "TUNING")
    bench.pass_time(60)
    bench.call("POST", f"/v1/{job}:cancel")
    bench.pass_time(STEP)
    assert bench.state(job) == ("CANCELLED", "", "1")
    assert bench.world.store.get_blob(f"{job}/checkpoints/1") is None
    assert bench.world.store.get_blob(f"{job}/training") is None
    assert bench.world.store.count(tuning_runner.RUN) == 0
