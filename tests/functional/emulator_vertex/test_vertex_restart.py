"""An emulator that is stopped in the middle of a job goes on where it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from pathlib import Path

from tuneform_emulator.world import Settings

from .kit import TRAINING, VALIDATION, Vertex, dataset, launch, upload

running = contextmanager(launch)
EPOCHS = 6
SPEC = {
    "trainingDatasetUri": TRAINING,
    "validationDatasetUri": VALIDATION,
    "hyperParameters": {"epochCount": EPOCHS},
}


def epochs(job: dict[str, Any]) -> int:
    return int(job.get("tuningJobMetadata", {}).get("completedEpochCount", 0))


def data(vertex: Vertex) -> None:
    upload(vertex.endpoint, "training.jsonl", dataset(4))
    upload(vertex.endpoint, "validation.jsonl", dataset(1))


def curves(vertex: Vertex) -> list[list[tuple[str, float]]]:
    return [
        [(point["step"], point["scalar"]["value"]) for point in document["values"]]
        for _, document in vertex.world.store.list("tensorboard-time-series", order="created")
    ]


def test_a_job_goes_on_after_a_restart_and_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    slow = Settings(queued_seconds=0, pending_seconds=0, epoch_seconds=0.2)
    fast = Settings(queued_seconds=0, pending_seconds=0)
    with running(tmp_path / "stopped.db", slow) as vertex:
        data(vertex)
        name = vertex.create_job(supervisedTuningSpec=SPEC)["name"]
        stopped = vertex.wait(name, lambda job: epochs(job) >= 2)
    assert stopped["state"] == "JOB_STATE_RUNNING"
    assert epochs(stopped) < EPOCHS
    with running(tmp_path / "stopped.db", fast) as vertex:
        assert epochs(vertex.job(name)) >= 2
        resumed = vertex.succeeded(name)
        resumed_curves = curves(vertex)
        resumed_answer = answer(vertex, resumed)
    with running(tmp_path / "whole.db", fast) as vertex:
        data(vertex)
        whole = vertex.succeeded(vertex.create_job(supervisedTuningSpec=SPEC)["name"])
        assert curves(vertex) == resumed_curves
        assert answer(vertex, whole) == resumed_answer
    assert resumed["tuningDataStats"] == whole["tuningDataStats"]
    assert len(resumed["tunedModel"]["checkpoints"]) == EPOCHS


def test_what_had_not_started_starts_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "emulator.db", Settings(queued_seconds=3600)) as vertex:
        data(vertex)
        name = vertex.create_job(supervisedTuningSpec=SPEC)["name"]
        vertex.call("POST", f"tuningJobs/{name.rpartition('/')[2]}:cancel")
        assert vertex.job(name)["state"] == "JOB_STATE_CANCELLING"
    with running(tmp_path / "emulator.db", Settings()) as vertex:
        vertex.wait(name, lambda job: job["state"] == "JOB_STATE_CANCELLED")


def answer(vertex: Vertex, job: dict[str, Any]) -> Any:
    endpoint = job["tunedModel"]["endpoint"].rpartition("/")[2]
    body = {"contents": [{"parts": [{"text": "is it late?"}]}], "generationConfig": {"temperature": 0}}
    return vertex.call("POST", f"endpoints/{endpoint}:generateContent", body).json()["candidates"]


def test_the_data_must_be_there_when_the_job_runs(tmp_path: Path) -> None:
    with running(tmp_path / "emulator.db", Settings(queued_seconds=0.5)) as vertex:
        data(vertex)
        name = vertex.create_job(supervisedTuningSpec=SPEC)["name"]
        bucket, _, path = TRAINING.removeprefix("gs://").partition("/")
        delete(vertex, bucket, path)
        failed = vertex.wait(name, lambda job: job["state"] == "JOB_STATE_FAILED")
    assert failed["error"]["code"] == 5
    assert TRAINING in failed["error"]["message"]
    assert "tunedModel" not in failed


def test_data_read_at_create_may_go_afterwards(tmp_path: Path) -> None:
    settings = Settings(queued_seconds=0.5, dataset_read="create")
    with running(tmp_path / "emulator.db", settings) as vertex:
        data(vertex)
        name = vertex.create_job(supervisedTuningSpec=SPEC)["name"]
        bucket, _, path = TRAINING.removeprefix("gs://").partition("/")
        delete(vertex, bucket, path)
        vertex.succeeded(name)


def delete(vertex: Vertex, bucket: str, path: str) -> None:
    response = requests.delete(f"{vertex.endpoint}/storage/v1/b/{bucket}/o/{path}", timeout=30)
    assert response.status_code == 204, response.text
