"""A tuning job from create to the end, as the official clients see it."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google.genai import types

from tuneform_emulator.services.names import derive_number

from .kit import LOCATION, PARENT, PROJECT, TRAINING, VALIDATION, Vertex

# google-genai says so once a process, whatever is tuned.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The SDK's tuning implementation is experimental:google.genai._common.ExperimentalWarning"
)
NUMBERED = f"projects/{derive_number(PROJECT)}/locations/{LOCATION}"


def test_google_genai_tunes_gets_lists_and_asks(vertex: Vertex) -> None:
    client = vertex.genai()
    job = client.tunings.tune(
        base_model="gemini-2.5-flash",
        training_dataset=types.TuningDataset(gcs_uri=TRAINING),
        config=types.CreateTuningJobConfig(
            tuned_model_display_name="genai-made",
            epoch_count=4,
            adapter_size=types.AdapterSize.ADAPTER_SIZE_FOUR,
            learning_rate_multiplier=2.0,
            validation_dataset=types.TuningValidationDataset(gcs_uri=VALIDATION),
            labels={"made-by": "genai"},
        ),
    )
    assert job.state == types.JobState.JOB_STATE_QUEUED
    assert job.experiment is None
    assert job.name is not None
    vertex.succeeded(job.name)
    found = client.tunings.get(name=job.name)
    assert found.has_succeeded
    assert found.tuned_model is not None
    assert found.tuned_model.endpoint is not None
    answer = client.models.generate_content(
        model=found.tuned_model.endpoint,
        contents="refund my order 3",
        config=types.GenerateContentConfig(temperature=0, system_instruction="Name the intent."),
    )
    assert answer.text == "refund"
    listed = client.tunings.list(config={"filter": 'labels.made-by="genai"'})
    assert [item.name for item in listed] == [job.name]


def test_gapic_v1_creates_with_numbers_for_enums_and_strings_for_int64(vertex: Vertex) -> None:
    client = vertex.gapic("GenAiTuningServiceClient")
    spec = aiplatform_v1.SupervisedTuningSpec(
        training_dataset_uri=TRAINING,
        export_last_checkpoint_only=True,
        hyper_parameters=aiplatform_v1.SupervisedHyperParameters(
            epoch_count=2,
            adapter_size=aiplatform_v1.SupervisedHyperParameters.AdapterSize.ADAPTER_SIZE_TWO,
        ),
    )
    job = client.create_tuning_job(
        parent=PARENT,
        tuning_job=aiplatform_v1.TuningJob(base_model="gemini-2.5-pro", supervised_tuning_spec=spec),
    )
    vertex.succeeded(job.name)
    found = client.get_tuning_job(name=job.name)
    hyper = found.supervised_tuning_spec.hyper_parameters
    assert (hyper.epoch_count, hyper.adapter_size.name) == (2, "ADAPTER_SIZE_TWO")
    assert found.state == aiplatform_v1.JobState.JOB_STATE_SUCCEEDED
    assert found.tuned_model.endpoint
    assert not found.tuned_model.checkpoints
    endpoint = vertex.gapic("EndpointServiceClient").get_endpoint(name=found.tuned_model.endpoint)
    assert [deployed.checkpoint_id for deployed in endpoint.deployed_models] == [""]
    assert found.end_time > found.start_time > found.create_time


def test_the_result_of_a_job(done: dict[str, Any]) -> None:
    assert done["name"].startswith(f"{NUMBERED}/tuningJobs/")
    assert done["supervisedTuningSpec"]["hyperParameters"] == {
        "epochCount": "3",
        "adapterSize": "ADAPTER_SIZE_EIGHT",
        "learningRateMultiplier": 1.0,
    }
    tuned = done["tunedModel"]
    assert tuned["model"].startswith(f"{NUMBERED}/models/")
    assert tuned["model"].endswith("@1")
    assert [item["checkpointId"] for item in tuned["checkpoints"]] == ["1", "2", "3"]
    assert [item["epoch"] for item in tuned["checkpoints"]] == ["1", "2", "3"]
    assert len({item["endpoint"] for item in tuned["checkpoints"]}) == 3
    assert tuned["endpoint"] == tuned["checkpoints"][-1]["endpoint"]
    stats = done["tuningDataStats"]["supervisedTuningDataStats"]
    assert stats["tuningDatasetExampleCount"] == "78"
    assert stats["tuningStepCount"] == tuned["checkpoints"][-1]["step"]
    assert done["tuningJobMetadata"] == {"completedEpochCount": "3"}
    assert done["labels"] == {"team": "support"}
    assert done["experiment"].startswith(f"{NUMBERED}/metadataStores/default/contexts/tuning-experiment-")
    assert "error" not in done


def test_the_project_is_known_by_id_and_by_number(vertex: Vertex, done: dict[str, Any]) -> None:
    assert vertex.job(done["name"].replace(NUMBERED, PARENT)) == done


def test_v1_hides_what_only_v1beta1_has(vertex: Vertex, done: dict[str, Any]) -> None:
    assert set(done) - set(vertex.job(done["name"], "v1")) == {"tuningJobMetadata"}
    assert vertex.job(done["name"], "v1")["state"] == "JOB_STATE_SUCCEEDED"


def test_every_state_is_passed_in_order(vertex: Vertex) -> None:
    seen: list[tuple[str, str, bool]] = []

    def look(job: dict[str, Any]) -> bool:
        now = (job["state"], job.get("tuningJobState", ""), "experiment" in job)
        if now not in seen:
            seen.append(now)
        return bool(job["state"] == "JOB_STATE_SUCCEEDED")

    vertex.wait(vertex.create_job()["name"], look)
    running = [
        ("JOB_STATE_RUNNING", f"TUNING_JOB_STATE_{name}", True)
        for name in (
            "WAITING_FOR_QUOTA",
            "PROCESSING_DATASET",
            "WAITING_FOR_CAPACITY",
            "TUNING",
            "POST_PROCESSING",
        )
    ]
    waiting = [("JOB_STATE_QUEUED", "", False), ("JOB_STATE_PENDING", "", False)]
    order = [*waiting, *running, ("JOB_STATE_SUCCEEDED", "", True)]
    assert [state for state in order if state in seen] == seen
    assert {state for state, _, _ in seen} >= {"JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"}
    assert ("JOB_STATE_RUNNING", "TUNING_JOB_STATE_WAITING_FOR_CAPACITY", True) in seen


def test_defaults_are_resolved_and_shown(vertex: Vertex) -> None:
    response = vertex.call(
        "POST",
        "tuningJobs",
        {"base_model": "gemini-2.0-flash-001", "supervised_tuning_spec": {"training_dataset_uri": TRAINING}},
    )
    job = response.json()
    hyper = job["supervisedTuningSpec"]["hyperParameters"]
    assert hyper["adapterSize"] == "ADAPTER_SIZE_FOUR"
    assert hyper["learningRateMultiplier"] == 1.0
    assert int(hyper["epochCount"]) > 0
    assert job["tunedModelDisplayName"].startswith("gemini-2.0-flash-001-")


def test_the_same_data_and_settings_give_the_same_metrics(vertex: Vertex) -> None:
    stored = []
    for _ in range(2):
        job = vertex.succeeded(vertex.create_job()["name"])
        answers = vertex.call(
            "POST",
            f"endpoints/{job['tunedModel']['endpoint'].rpartition('/')[2]}:generateContent",
            {
                "contents": [{"role": "user", "parts": [{"text": "parcel?"}]}],
                "generationConfig": {"temperature": 0},
            },
        ).json()
        stored.append(answers["candidates"][0])
    assert stored[0] == stored[1]


def test_a_cancelled_job_ends_with_code_1_and_leaves_no_model(vertex: Vertex) -> None:
    job = vertex.create_job(labels={"fate": "cancelled"})
    vertex.genai().tunings.cancel(name=job["name"])
    assert vertex.job(job["name"])["state"] in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")
    ended = vertex.wait(job["name"], lambda found: found["state"] == "JOB_STATE_CANCELLED")
    assert ended["error"]["code"] == 1
    assert "endTime" in ended
    assert "tunedModel" not in ended
    assert vertex.call("GET", 'models?filter=labels.fate="cancelled"').json() == {}


def test_gapic_cancels_a_job_while_it_trains(vertex: Vertex) -> None:
    spec = {"trainingDatasetUri": TRAINING, "hyperParameters": {"epochCount": "500"}}
    job = vertex.create_job(supervisedTuningSpec=spec)

    def trained(found: dict[str, Any]) -> bool:
        return int(found.get("tuningJobMetadata", {}).get("completedEpochCount", 0)) > 0

    vertex.wait(job["name"], trained)
    client = vertex.gapic("GenAiTuningServiceClient", "v1beta1")
    client.cancel_tuning_job(name=job["name"])
    ended = vertex.wait(job["name"], lambda found: found["state"] == "JOB_STATE_CANCELLED")
    assert 0 < int(ended["tuningJobMetadata"]["completedEpochCount"]) < 500
    found = client.get_tuning_job(name=job["name"])
    assert found.state == aiplatform_v1beta1.JobState.JOB_STATE_CANCELLED


def test_a_finished_job_cannot_be_cancelled(vertex: Vertex, done: dict[str, Any]) -> None:
    response = vertex.call("POST", f"tuningJobs/{done['name'].rpartition('/')[2]}:cancel")
    assert response.status_code == 400
    assert response.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert vertex.job(done["name"]) == done


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_jobs_can_be_neither_patched_nor_deleted(vertex: Vertex, done: dict[str, Any], method: str) -> None:
    response = vertex.call(method, f"tuningJobs/{done['name'].rpartition('/')[2]}", {})
    assert response.status_code == 501
    assert method in response.json()["error"]["message"]
