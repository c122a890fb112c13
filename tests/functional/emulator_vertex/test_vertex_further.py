"""Preference tuning and continuous tuning, as google-genai asks for them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import types

from .kit import PARENT, QUESTIONS, TRAINING, Vertex, job_body, upload

# google-genai says so once a process, whatever is tuned.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The SDK's tuning implementation is experimental:google.genai._common.ExperimentalWarning"
)


def preference(question: str, answer: str) -> dict[str, Any]:
    pair = ((0, answer), (1, f"{answer}, please"))
    return {
        "contents": [{"role": "user", "parts": [{"text": question}]}],
        "completions": [
            {"score": score, "completion": {"role": "model", "parts": [{"text": text}]}}
            for score, text in pair
        ],
    }


@pytest.fixture(scope="module")
def preferences(vertex: Vertex) -> str:
    questions = [
        (f"{question} {n}", a) for n in range(4) for a, asked in QUESTIONS.items() for question in asked
    ]
    rows = [preference(question, answer) for question, answer in questions]
    return upload(vertex.endpoint, "preferences.jsonl", b"\n".join(json.dumps(r).encode() for r in rows))


def test_a_tuned_model_learns_preferences(vertex: Vertex, done: dict[str, Any], preferences: str) -> None:
    source = done["tunedModel"]["model"]
    job = vertex.genai().tunings.tune(
        base_model=source,
        training_dataset=types.TuningDataset(gcs_uri=preferences),
        config=types.CreateTuningJobConfig(
            method=types.TuningMethod.PREFERENCE_TUNING,
            pre_tuned_model_checkpoint_id="2",
            tuned_model_display_name="polite",
            epoch_count=4,
            beta=0.05,
            learning_rate_multiplier=4.0,
        ),
    )
    assert job.pre_tuned_model is not None
    assert (job.pre_tuned_model.tuned_model_name, job.pre_tuned_model.checkpoint_id) == (source, "2")
    made = vertex.succeeded(str(job.name))
    assert "baseModel" not in made
    assert made["preTunedModel"]["baseModel"] == "gemini-2.5-flash"
    assert made["preferenceOptimizationSpec"]["hyperParameters"]["beta"] == 0.05
    stats = made["tuningDataStats"]["preferenceOptimizationDataStats"]
    assert int(stats["tuningDatasetExampleCount"]) == 4 * sum(map(len, QUESTIONS.values()))
    endpoint = made["tunedModel"]["checkpoints"][-1]["endpoint"]
    answer = vertex.genai().models.generate_content(model=endpoint, contents="where is my parcel")
    assert answer.text == "delivery, please"


def test_its_metrics_are_those_of_preference_tuning(vertex: Vertex, preferences: str) -> None:
    spec = {"trainingDatasetUri": preferences, "hyperParameters": {"epochCount": 2}}
    job = vertex.call(
        "POST", "tuningJobs", {"baseModel": "gemini-2.5-flash", "preferenceOptimizationSpec": spec}
    )
    made = vertex.succeeded(job.json()["name"])
    stored = vertex.world.store.list("tensorboard-time-series")
    names = {document["resource"]["displayName"] for _, document in stored}
    assert "/preference_optimization_train_loss" in names
    model = vertex.call("GET", f"models/{made['tunedModel']['model'].rpartition('/')[2]}").json()
    assert model["labels"]["tune-type"] == "preference"


def refused(vertex: Vertex, status: int, **body: Any) -> str:
    spec = {"trainingDatasetUri": TRAINING}
    response = vertex.call(
        "POST", "tuningJobs", {"supervisedTuningSpec": spec, "tunedModelDisplayName": "x", **body}
    )
    assert response.status_code == status, response.text
    return str(response.json()["error"]["message"])


def test_a_pre_tuned_model_that_cannot_be_tuned_is_refused(vertex: Vertex, done: dict[str, Any]) -> None:
    name = done["tunedModel"]["model"]
    own = {"tunedModelName": name}
    assert "exclude each other" in refused(vertex, 400, baseModel="gemini-2.5-flash", preTunedModel=own)
    elsewhere = name.replace("us-central1", "europe-west4")
    assert "must name a model of" in refused(vertex, 400, preTunedModel={"tunedModelName": elsewhere})
    missing = f"{PARENT}/models/1@1"
    assert "does not exist" in refused(vertex, 404, preTunedModel={"tunedModelName": missing})
    assert "Checkpoint 9" in refused(vertex, 400, preTunedModel={**own, "checkpointId": "9"})
    same = done["tunedModelDisplayName"]
    assert "further versions" in refused(vertex, 501, preTunedModel=own, tunedModelDisplayName=same)


def test_supervised_data_is_no_preference_data(vertex: Vertex) -> None:
    body = {"baseModel": "gemini-2.5-flash", "preferenceOptimizationSpec": {"trainingDatasetUri": TRAINING}}
    response = vertex.call("POST", "tuningJobs", body)
    assert response.status_code == 400
    assert "must have the role `user`" in response.json()["error"]["message"]


def test_the_tuning_mode_is_of_v1beta1_and_only_adapters_are_trained(vertex: Vertex) -> None:
    body = job_body({"trainingDatasetUri": TRAINING, "tuningMode": "TUNING_MODE_PEFT_ADAPTER"})
    made = vertex.call("POST", "tuningJobs", body)
    assert made.json()["supervisedTuningSpec"]["tuningMode"] == "TUNING_MODE_PEFT_ADAPTER"
    assert vertex.call("POST", "tuningJobs", body, version="v1").status_code == 501
    full = job_body({"trainingDatasetUri": TRAINING, "tuningMode": "TUNING_MODE_FULL"})
    assert vertex.call("POST", "tuningJobs", full).status_code == 400
