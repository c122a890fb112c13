"""The Model Registry through the official clients."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import aiplatform_v1
from google.genai import types
from google.protobuf import field_mask_pb2

from .kit import PARENT, Vertex


@pytest.fixture
def trained(vertex: Vertex) -> dict[str, Any]:
    """A job of its own, for a test that changes what the job made."""
    return vertex.succeeded(vertex.create_job(labels={"team": "models"})["name"])


def model_name(job: dict[str, Any]) -> str:
    return str(job["tunedModel"]["model"]).removesuffix("@1")


def retire(vertex: Vertex, job: dict[str, Any]) -> None:
    """Undeploys every checkpoint and deletes its endpoint."""
    client = vertex.gapic("EndpointServiceClient")
    for checkpoint in job["tunedModel"]["checkpoints"]:
        endpoint = client.get_endpoint(name=checkpoint["endpoint"])
        client.undeploy_model(
            endpoint=endpoint.name, deployed_model_id=endpoint.deployed_models[0].id
        ).result()
        client.delete_endpoint(name=endpoint.name).result()


def test_what_a_job_registers(vertex: Vertex, done: dict[str, Any]) -> None:
    model = vertex.gapic("ModelServiceClient").get_model(name=done["tunedModel"]["model"])
    assert model.name == model_name(done)
    assert (model.version_id, list(model.version_aliases)) == ("1", ["default"])
    assert dict(model.labels) == {
        "google-vertex-llm-tuning-base-model-id": "gemini-2_5-flash",
        "google-vertex-llm-tuning-job-id": done["name"].rpartition("/")[2],
        "tune-type": "sft",
        "team": "support",
    }
    assert model.default_checkpoint_id == "3"
    assert [(item.checkpoint_id, item.epoch) for item in model.checkpoints] == [("1", 1), ("2", 2), ("3", 3)]
    endpoints = {item["checkpointId"]: item["endpoint"] for item in done["tunedModel"]["checkpoints"]}
    assert {item.endpoint for item in model.deployed_models} == set(endpoints.values())
    # The field is in the discovery document of v1, and not yet in its Python client.
    deployed = vertex.job(done["tunedModel"]["model"], "v1")["deployedModels"]
    assert {item["checkpointId"]: item["endpoint"] for item in deployed} == endpoints
    assert model.display_name == done["tunedModelDisplayName"]
    assert model.base_model_source.genie_source.base_model_uri == "publishers/google/models/gemini-2.5-flash"


@pytest.mark.parametrize("suffix", ["", "@1", "@default", "%401"])
def test_a_model_is_found_by_version_and_alias(vertex: Vertex, done: dict[str, Any], suffix: str) -> None:
    assert vertex.job(model_name(done) + suffix)["name"] == model_name(done)


@pytest.mark.parametrize("suffix", ["@2", "@canary", "0"])
def test_what_is_not_there_is_not_found(vertex: Vertex, done: dict[str, Any], suffix: str) -> None:
    with pytest.raises(exceptions.NotFound):
        vertex.gapic("ModelServiceClient").get_model(name=model_name(done) + suffix)


def test_genai_gets_and_lists_tuned_models(vertex: Vertex, done: dict[str, Any]) -> None:
    client = vertex.genai()
    found = client.models.get(model=done["tunedModel"]["model"])
    assert (found.name, found.default_checkpoint_id) == (model_name(done), "3")
    listed = client.models.list(config=types.ListModelsConfig(query_base=False, filter="labels.team=support"))
    assert [model.name for model in listed] == [model_name(done)]


def test_models_are_filtered_and_paged(vertex: Vertex, done: dict[str, Any], trained: dict[str, Any]) -> None:
    client = vertex.gapic("ModelServiceClient", "v1beta1")

    def found(text: str) -> set[str]:
        return {
            model.name
            for model in client.list_models(request={"parent": PARENT, "filter": text, "page_size": 1})
        }

    assert {model_name(done), model_name(trained)} <= found("")
    assert found(f"labels.google-vertex-llm-tuning-job-id={done['name'].rpartition('/')[2]}") == {
        model_name(done)
    }
    assert found(f'display_name="{done["tunedModelDisplayName"]}"') == {model_name(done)}
    assert found(f"model={model_name(done).rpartition('/')[2]}") == {model_name(done)}
    assert {model_name(done), model_name(trained)} <= found('base_model_name="gemini-2.5-flash"')


def test_a_patch_changes_what_the_mask_names_alone(vertex: Vertex, trained: dict[str, Any]) -> None:
    client = vertex.gapic("ModelServiceClient")
    before = client.get_model(name=model_name(trained))
    changed = aiplatform_v1.Model(before)
    changed.display_name = "another name"
    changed.description = "not in the mask"
    mask = field_mask_pb2.FieldMask(paths=["display_name", "labels"])
    changed.labels = {"kept": "no-others"}
    after = client.update_model(model=changed, update_mask=mask)
    assert (after.display_name, after.description, dict(after.labels)) == (
        "another name",
        "",
        {"kept": "no-others"},
    )
    assert after.update_time > before.update_time
    assert list(after.checkpoints) == list(before.checkpoints)


def test_a_mask_of_what_cannot_change_is_refused(vertex: Vertex, trained: dict[str, Any]) -> None:
    client = vertex.gapic("ModelServiceClient")
    model = aiplatform_v1.Model(name=model_name(trained), version_id="7")
    with pytest.raises(exceptions.BadRequest, match="versionId"):
        client.update_model(model=model, update_mask=field_mask_pb2.FieldMask(paths=["version_id"]))


def test_the_default_checkpoint_moves_the_jobs_endpoint(vertex: Vertex, trained: dict[str, Any]) -> None:
    config = types.UpdateModelConfig(default_checkpoint_id="1", display_name="moved")
    model = vertex.genai().models.update(model=model_name(trained), config=config)
    assert (model.default_checkpoint_id, model.display_name) == ("1", "moved")
    first = trained["tunedModel"]["checkpoints"][0]["endpoint"]
    assert vertex.job(trained["name"])["tunedModel"]["endpoint"] == first


def test_an_unknown_default_checkpoint_is_refused(vertex: Vertex, trained: dict[str, Any]) -> None:
    response = vertex.call(
        "PATCH", f"models/{model_name(trained).rpartition('/')[2]}", {"defaultCheckpointId": "9"}
    )
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert vertex.job(trained["name"])["tunedModel"]["endpoint"] == trained["tunedModel"]["endpoint"]


def test_the_jobs_endpoint_is_empty_while_its_checkpoint_is_not_deployed(
    vertex: Vertex, trained: dict[str, Any]
) -> None:
    retire(vertex, trained)
    assert "endpoint" not in vertex.job(trained["name"])["tunedModel"]


def test_a_deployed_model_cannot_be_deleted(vertex: Vertex, trained: dict[str, Any]) -> None:
    client = vertex.gapic("ModelServiceClient")
    with pytest.raises(exceptions.BadRequest, match=trained["tunedModel"]["endpoint"]):
        client.delete_model(name=model_name(trained))
    assert client.get_model(name=model_name(trained))


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_retired_model_is_deleted_and_its_job_stays(vertex: Vertex, version: str) -> None:
    job = vertex.succeeded(vertex.create_job()["name"])
    retire(vertex, job)
    client = vertex.gapic("ModelServiceClient", version)
    client.delete_model(name=model_name(job)).result()
    with pytest.raises(exceptions.NotFound):
        client.get_model(name=model_name(job))
    assert vertex.job(job["name"])["tunedModel"]["model"] == job["tunedModel"]["model"]


def test_genai_deletes_a_retired_model(vertex: Vertex, trained: dict[str, Any]) -> None:
    retire(vertex, trained)
    vertex.genai().models.delete(model=model_name(trained))
    assert vertex.call("GET", f"models/{model_name(trained).rpartition('/')[2]}").status_code == 404


def test_versions_and_checkpoints_are_listed(vertex: Vertex, done: dict[str, Any]) -> None:
    client = vertex.gapic("ModelServiceClient")
    versions = client.list_model_versions(name=model_name(done))
    assert [model.version_id for model in versions] == ["1"]
    request = {"name": done["tunedModel"]["model"], "page_size": 2}
    checkpoints = client.list_model_version_checkpoints(request=request)
    assert [item.checkpoint_id for item in checkpoints] == ["3", "2", "1"]


def test_aliases_are_merged(vertex: Vertex, trained: dict[str, Any]) -> None:
    client = vertex.gapic("ModelServiceClient")
    name = trained["tunedModel"]["model"]
    model = client.merge_version_aliases(name=name, version_aliases=["prod", "canary"])
    assert list(model.version_aliases) == ["default", "prod", "canary"]
    model = client.merge_version_aliases(name=name, version_aliases=["-prod"])
    assert list(model.version_aliases) == ["default", "canary"]
    assert client.get_model(name=f"{model_name(trained)}@canary").name == model_name(trained)
    for bad in (["-default"], ["9lives"], []):
        with pytest.raises(exceptions.BadRequest):
            client.merge_version_aliases(name=name, version_aliases=bad)


def test_the_only_version_cannot_be_deleted(vertex: Vertex, trained: dict[str, Any]) -> None:
    client = vertex.gapic("ModelServiceClient")
    with pytest.raises(exceptions.BadRequest, match="deployed"):
        client.delete_model_version(name=trained["tunedModel"]["model"])
    retire(vertex, trained)
    with pytest.raises(exceptions.BadRequest, match="only version"):
        client.delete_model_version(name=trained["tunedModel"]["model"])
