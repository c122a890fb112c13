"""Tuning jobs through the official async client: every field goes there and back, and HTTP sees the same."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import aiplatform_v1, aiplatform_v1beta1
from tests.functional.emulator_grpc.kit import Rpc, ask
from tests.functional.emulator_vertex.kit import LOCATION, PARENT, PROJECT, TRAINING, VALIDATION, Vertex

KEY = f"projects/{PROJECT}/locations/{LOCATION}/keyRings/ring/cryptoKeys/key"
NUMERIC = aiplatform_v1.SupervisedHyperParameters.AdapterSize


def tuning_job(**more: Any) -> aiplatform_v1.TuningJob:
    spec = aiplatform_v1.SupervisedTuningSpec(
        training_dataset_uri=TRAINING,
        validation_dataset_uri=VALIDATION,
        hyper_parameters=aiplatform_v1.SupervisedHyperParameters(
            epoch_count=2, learning_rate_multiplier=0.5, adapter_size=NUMERIC.ADAPTER_SIZE_FOUR
        ),
    )
    return aiplatform_v1.TuningJob(base_model="gemini-2.5-flash", supervised_tuning_spec=spec, **more)


def test_a_job_is_created_read_and_listed(vertex: Vertex) -> None:
    labels = {"tuneform-name": "support", "team": "a_b-c"}

    async def question(rpc: Rpc) -> tuple[Any, Any, list[Any]]:
        job = tuning_job(labels=labels, description="über", tuned_model_display_name="Support")
        made = await rpc.tuning.create_tuning_job(parent=PARENT, tuning_job=job)
        request = {"parent": PARENT, "filter": 'labels.tuneform-name="support"', "page_size": 1}
        listed = [item async for item in await rpc.tuning.list_tuning_jobs(request=request)]
        return made, await rpc.tuning.get_tuning_job(name=made.name), listed

    made, found, listed = ask(vertex.endpoint, question)
    assert dict(made.labels) == labels
    assert made.description == "über"
    assert made.tuned_model_display_name == "Support"
    spec = made.supervised_tuning_spec
    assert (spec.training_dataset_uri, spec.validation_dataset_uri) == (TRAINING, VALIDATION)
    assert (spec.hyper_parameters.epoch_count, spec.hyper_parameters.learning_rate_multiplier) == (2, 0.5)
    assert spec.hyper_parameters.adapter_size == NUMERIC.ADAPTER_SIZE_FOUR
    assert found.name == made.name
    assert [item.name for item in listed] == [made.name]
    over_http = vertex.job(made.name)
    assert over_http["labels"] == labels
    assert over_http["supervisedTuningSpec"]["hyperParameters"]["adapterSize"] == "ADAPTER_SIZE_FOUR"
    assert found.create_time.isoformat()[:23] == over_http["createTime"][:23]


def test_a_key_and_a_service_account_reach_the_checks(vertex: Vertex) -> None:
    async def key(rpc: Rpc) -> None:
        job = tuning_job(encryption_spec=aiplatform_v1.EncryptionSpec(kms_key_name=KEY))
        await rpc.tuning.create_tuning_job(parent=PARENT, tuning_job=job)

    async def account(rpc: Rpc) -> None:
        job = tuning_job(service_account="absent@vertex-tests.iam.gserviceaccount.com")
        await rpc.tuning.create_tuning_job(parent=PARENT, tuning_job=job)

    with pytest.raises(exceptions.GoogleAPICallError, match="cryptoKeys/key"):
        ask(vertex.endpoint, key)
    with pytest.raises(exceptions.GoogleAPICallError, match="absent@vertex-tests"):
        ask(vertex.endpoint, account)


def test_what_succeeded_reads_the_same_over_both(vertex: Vertex, done: dict[str, Any]) -> None:
    async def question(rpc: Rpc) -> tuple[Any, Any]:
        beta = rpc.client("GenAiTuningService", "v1beta1")
        return await rpc.tuning.get_tuning_job(name=done["name"]), await beta.get_tuning_job(
            name=done["name"]
        )

    stable, beta = ask(vertex.endpoint, question)
    http = vertex.gapic("GenAiTuningServiceClient").get_tuning_job(name=done["name"])
    assert aiplatform_v1.TuningJob.to_dict(stable) == aiplatform_v1.TuningJob.to_dict(http)
    http = vertex.gapic("GenAiTuningServiceClient", "v1beta1").get_tuning_job(name=done["name"])
    assert aiplatform_v1beta1.TuningJob.to_dict(beta) == aiplatform_v1beta1.TuningJob.to_dict(http)
    assert stable.state == aiplatform_v1.JobState.JOB_STATE_SUCCEEDED
    assert [checkpoint.epoch for checkpoint in stable.tuned_model.checkpoints] == [1, 2, 3]
    assert stable.tuning_data_stats.supervised_tuning_data_stats.tuning_dataset_example_count > 0


def test_pages_hold_all_jobs_once_and_show_changes(vertex: Vertex) -> None:
    """A list is put together from jobs encoded before, so the second list must not show the first one's states."""
    name = vertex.create_job(labels={"pages": "yes"})["name"]
    for _ in range(4):
        vertex.create_job(labels={"pages": "yes"})
    request = {"parent": PARENT, "filter": "labels.pages=yes", "page_size": 2}

    async def question(rpc: Rpc) -> tuple[list[int], dict[str, Any]]:
        pages = await rpc.tuning.list_tuning_jobs(request=request)
        found = [page.tuning_jobs async for page in pages.pages]
        return [len(page) for page in found], {job.name: job for page in found for job in page}

    sizes, jobs = ask(vertex.endpoint, question)
    assert sizes == [2, 2, 1]
    assert len(jobs) == 5
    vertex.succeeded(name)
    _, jobs = ask(vertex.endpoint, question)
    assert jobs[name].state == aiplatform_v1.JobState.JOB_STATE_SUCCEEDED
    http = vertex.gapic("GenAiTuningServiceClient").get_tuning_job(name=name)
    assert aiplatform_v1.TuningJob.to_dict(jobs[name]) == aiplatform_v1.TuningJob.to_dict(http)


def test_a_cancelled_job_is_cancelled_and_a_finished_one_is_refused(
    vertex: Vertex, done: dict[str, Any]
) -> None:
    async def cancel(rpc: Rpc) -> str:
        spec = tuning_job()
        spec.supervised_tuning_spec.hyper_parameters.epoch_count = 100
        made = await rpc.tuning.create_tuning_job(parent=PARENT, tuning_job=spec)
        assert await rpc.tuning.cancel_tuning_job(name=made.name) is None
        return str(made.name)

    async def again(rpc: Rpc) -> None:
        await rpc.tuning.cancel_tuning_job(name=done["name"])

    name = ask(vertex.endpoint, cancel)
    assert vertex.wait(name, lambda job: job["state"] == "JOB_STATE_CANCELLED")["error"]["code"] == 1
    with pytest.raises(exceptions.FailedPrecondition, match="cannot be cancelled"):
        ask(vertex.endpoint, again)
