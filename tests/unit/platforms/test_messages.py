"""Jobs, models and endpoints as the service may send them, also a service newer than our client."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.messages import Messages
from tuneform.reconcile.live import Checkpoint, Deployed, JobState

MESSAGES = Messages("demo-project")
PLACE = "projects/4711/locations/us-central1"
OURS = "projects/demo-project/locations/us-central1"


def raw(module: str, kind: str, **fields: Any) -> Any:
    message = slim.message(module, kind, **fields)
    return type(message).pb(message)


def test_a_job_that_is_empty_reads_as_one_that_nothing_is_known_of() -> None:
    job = MESSAGES.job(raw("tuning_job", "TuningJob"))
    assert (job.name, job.state, job.labels, job.checkpoints) == ("", JobState.UNSPECIFIED, {}, ())
    assert (job.created, job.ended, job.billable_tokens, job.adapter_size) == (None, None, None, "")


def test_every_state_is_known_by_its_number_and_a_future_one_is_unspecified() -> None:
    states = slim.types("job_state").JobState
    for state in states:
        expected = state.name.removeprefix("JOB_STATE_")
        assert MESSAGES.job(raw("tuning_job", "TuningJob", state=state)).state.value == expected
    future = raw("tuning_job", "TuningJob", name="x")
    future.state = max(states) + 1
    future.supervised_tuning_spec.hyper_parameters.adapter_size = 99
    job = MESSAGES.job(future)
    assert (job.state, job.adapter_size) == (JobState.UNSPECIFIED, "")


def test_all_fields_of_a_job() -> None:
    kinds = slim.types("tuning_job")
    message = raw(
        "tuning_job",
        "TuningJob",
        name=f"{PLACE}/tuningJobs/1",
        state="JOB_STATE_RUNNING",
        labels={"team": "x"},
        base_model="gemini-2.5-flash",
        supervised_tuning_spec=kinds.SupervisedTuningSpec(
            training_dataset_uri="gs://b/t",
            validation_dataset_uri="gs://b/v",
            hyper_parameters={
                "epoch_count": 4,
                "adapter_size": "ADAPTER_SIZE_EIGHT",
                "learning_rate_multiplier": 0.5,
            },
            export_last_checkpoint_only=True,
        ),
        tuned_model_display_name="Intents",
        description="What it is for",
        service_account="tuner@x",
        encryption_spec={"kms_key_name": "projects/4711/keys/k"},
        experiment=f"{PLACE}/metadataStores/default/contexts/e",
        create_time=datetime(2026, 11, 21, 1, 2, 3, 456789, UTC),
    )
    tuned = message.tuned_model
    tuned.model = f"{PLACE}/models/2@1"
    tuned.checkpoints.add(checkpoint_id="1", epoch=1, step=10, endpoint=f"{PLACE}/endpoints/3")
    job = MESSAGES.with_preferences(MESSAGES.job(message), {"tuningJobState": "TUNING_JOB_STATE_TUNING"})
    assert (job.name, job.model) == (f"{OURS}/tuningJobs/1", f"{OURS}/models/2@1")
    assert job.checkpoints == (Checkpoint("1", 1, 10, f"{OURS}/endpoints/3"),)
    assert job.experiment == f"{OURS}/metadataStores/default/contexts/e"
    assert (job.state, job.substate, job.labels) == (JobState.RUNNING, "TUNING", {"team": "x"})
    assert (job.training_uri, job.validation_uri, job.base_model) == (
        "gs://b/t",
        "gs://b/v",
        "gemini-2.5-flash",
    )
    assert (job.epochs, job.adapter_size, job.learning_rate_multiplier) == (4, "ADAPTER_SIZE_EIGHT", 0.5)
    assert (job.last_checkpoint_only, job.kms_key) == (True, "projects/4711/keys/k")
    assert (job.service_account, job.display_name, job.description) == (
        "tuner@x",
        "Intents",
        "What it is for",
    )
    assert (job.created, job.ended) == (datetime(2026, 11, 21, 1, 2, 3, 456789, UTC), None)


def test_what_an_endpoint_holds_is_named_without_and_with_its_version() -> None:
    message = raw("endpoint", "Endpoint", name=f"{PLACE}/endpoints/intents", traffic_split={"7": 100})
    message.deployed_models.add(id="7", model=f"{PLACE}/models/2@3", checkpoint_id="2")
    message.deployed_models.add(id="8", model=f"{PLACE}/models/2", model_version_id="4")
    endpoint = MESSAGES.endpoint(message)
    assert endpoint.name == f"{OURS}/endpoints/intents"
    assert endpoint.deployed == (
        Deployed("7", f"{OURS}/models/2", "3", "2", 100),
        Deployed("8", f"{OURS}/models/2", "4", "", 0),
    )


def test_names_that_hold_no_project_number_stay() -> None:
    for name in ("", "projects/demo-project/x", "publishers/google/models/gemini", "projects/other-1/x"):
        assert MESSAGES.own(name) == name
