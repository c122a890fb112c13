"""The body of a job, and lists of a project in which the API is not enabled yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.protobuf import json_format

from tuneform.platforms.vertex import jobs, slim
from tuneform.reconcile.desired import Content, HyperParameters, Project, Tuning

PROJECT = Project("demo", "demo-project", "us-central1", "us-central1", "team", "state")
TUNING = Tuning(PROJECT, "intents", "gemini-2.5-flash", Content("gs://b/t", "sha256:1", 1, 1))


def body(tuning: Tuning) -> dict[str, Any]:
    message = jobs.job_body(tuning, "gs://b/attempt", {"a": "b"})
    return json_format.MessageToDict(type(message).pb(message), preserving_proto_field_name=True)


def test_what_the_spec_leaves_unset_is_left_to_the_service() -> None:
    assert body(TUNING) == {
        "base_model": "gemini-2.5-flash",
        "tuned_model_display_name": "intents",
        "labels": {"a": "b"},
        "supervised_tuning_spec": {"training_dataset_uri": "gs://b/attempt", "hyper_parameters": {}},
    }


def test_everything_that_the_spec_sets_is_sent() -> None:
    whole = Tuning(
        PROJECT,
        "intents",
        "gemini-2.5-flash",
        TUNING.training,
        validation=Content("gs://b/v", "sha256:2", 1, 1),
        hyper_parameters=HyperParameters(4, "ADAPTER_SIZE_EIGHT", 0.5),
        export_last_checkpoint_only=True,
        kms_key="projects/p/k",
        service_account="tuner@x",
        description="Why",
        display_name="Intents",
    )
    found = body(whole)
    assert found["supervised_tuning_spec"] == {
        "training_dataset_uri": "gs://b/attempt",
        "validation_dataset_uri": "gs://b/v",
        "hyper_parameters": {
            "epoch_count": "4",
            "adapter_size": "ADAPTER_SIZE_EIGHT",
            "learning_rate_multiplier": 0.5,
        },
        "export_last_checkpoint_only": True,
    }
    assert found["encryption_spec"] == {"kms_key_name": "projects/p/k"}
    assert (found["service_account"], found["description"]) == ("tuner@x", "Why")
    assert found["tuned_model_display_name"] == "Intents"


class Refusing:
    """Stands for a service that the emulator cannot be: one in a project without the API."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def pages(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        nothing: tuple[Any, ...] = ()
        for page in nothing:
            yield page
        raise exceptions.PermissionDenied("x", error_info={"reason": self.reason})


def listed(reason: str) -> list[Any]:
    request = slim.message("genai_tuning_service", "ListTuningJobsRequest", parent=PROJECT.parent)
    clients: Any = Refusing(reason)
    return asyncio.run(jobs.listed(clients, jobs.SERVICE, "tuning_jobs", request))


def test_a_project_without_the_api_has_nothing() -> None:
    assert listed("SERVICE_DISABLED") == []
    with pytest.raises(exceptions.PermissionDenied):
        listed("IAM_PERMISSION_DENIED")
