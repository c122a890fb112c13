"""From JSON answers to messages, kept or not."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import aiplatform_v1
from google.longrunning import operations_pb2
from google.protobuf import json_format

from tuneform_emulator.rpc import answers
from tuneform_emulator.rpc.answers import Encoder, varint

V1 = "google.cloud.aiplatform.v1"


def listed(encoder: Encoder, *jobs: dict[str, Any]) -> Any:
    body = {"tuningJobs": list(jobs), "nextPageToken": "more"}
    data = encoder.encode(f"{V1}.ListTuningJobsResponse", body)
    return aiplatform_v1.ListTuningJobsResponse.deserialize(data)


def job(number: int, **more: Any) -> dict[str, Any]:
    return {"name": f"projects/1/locations/l/tuningJobs/{number}", "labels": {"a": "b" * number}, **more}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that were parsed, as they are."""
    found: list[str] = []
    real = answers.parse

    def parse(full_name: str, value: Any) -> bytes:
        found.append(full_name)
        return real(full_name, value)

    monkeypatch.setattr(answers, "parse", parse)
    return found


def test_a_list_is_what_it_would_be_parsed_whole() -> None:
    jobs = [job(number, state="JOB_STATE_RUNNING") for number in range(300)]
    body = {"tuningJobs": jobs, "nextPageToken": "more"}
    whole = json_format.ParseDict(body, aiplatform_v1.ListTuningJobsResponse.pb()())
    assert aiplatform_v1.ListTuningJobsResponse.pb(listed(Encoder(), *jobs)) == whole


def test_a_job_is_parsed_once_and_again_when_it_changed(parsed: list[str]) -> None:
    encoder = Encoder()
    listed(encoder, job(1), job(2))
    assert parsed.count(f"{V1}.TuningJob") == 2
    listed(encoder, job(1), job(2))
    assert parsed.count(f"{V1}.TuningJob") == 2
    found = listed(encoder, job(1, state="JOB_STATE_FAILED"), job(2)).tuning_jobs
    assert parsed.count(f"{V1}.TuningJob") == 3
    assert [item.state.name for item in found] == ["JOB_STATE_FAILED", "JOB_STATE_UNSPECIFIED"]


def test_the_same_json_is_another_message_elsewhere() -> None:
    """Labels are field 17 of a Model and field 7 of an Endpoint."""
    encoder = Encoder()
    item = {"name": "n", "labels": {"a": "b"}}
    models = encoder.encode(f"{V1}.ListModelsResponse", {"models": [item]})
    endpoints = encoder.encode(f"{V1}.ListEndpointsResponse", {"endpoints": [item]})
    (model,) = aiplatform_v1.ListModelsResponse.deserialize(models).models
    (endpoint,) = aiplatform_v1.ListEndpointsResponse.deserialize(endpoints).endpoints
    assert dict(model.labels) == dict(endpoint.labels) == {"a": "b"}


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(parsed: list[str]) -> None:
    encoder = Encoder(cache_bytes=3 * (answers.OVERHEAD + 100))
    for number in (1, 2, 3):
        listed(encoder, job(number))
    listed(encoder, job(1))
    listed(encoder, job(4))
    parsed.clear()
    listed(encoder, job(1), job(3), job(4))
    assert f"{V1}.TuningJob" not in parsed
    listed(encoder, job(2))
    assert f"{V1}.TuningJob" in parsed


def test_an_operation_knows_what_it_holds_without_being_asked_before() -> None:
    answer = {
        "name": "projects/1/locations/l/endpoints/2/operations/3",
        "metadata": {
            "@type": f"type.googleapis.com/{V1}.DeployModelOperationMetadata",
            "genericMetadata": {"createTime": "2026-01-02T03:04:05Z"},
        },
        "done": True,
        "error": {"code": 9, "message": "no"},
    }
    operation = operations_pb2.Operation.FromString(Encoder().encode("google.longrunning.Operation", answer))
    metadata = aiplatform_v1.DeployModelOperationMetadata.pb()()
    assert operation.metadata.Unpack(metadata)
    assert metadata.generic_metadata.create_time.ToJsonString() == "2026-01-02T03:04:05Z"
    assert (operation.error.code, operation.error.message) == (9, "no")


def test_maps_and_fields_nobody_knows_are_no_lists_of_messages() -> None:
    answer = {"name": "n", "labels": {"a": "b"}, "inventedLater": [{"name": "x"}], "trafficSplit": {"0": 100}}
    found = aiplatform_v1.Endpoint.deserialize(Encoder().encode(f"{V1}.Endpoint", answer))
    assert (found.name, dict(found.labels), dict(found.traffic_split)) == ("n", {"a": "b"}, {"0": 100})


def test_numbers_have_protobufs_length() -> None:
    assert [varint(number) for number in (0, 127, 128, 300, 2**31)] == [
        b"\0", b"\x7f", b"\x80\x01", b"\xac\x02", b"\x80\x80\x80\x80\x08"
    ]  # fmt: skip
