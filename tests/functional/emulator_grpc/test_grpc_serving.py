"""Models, endpoints, answers and curves through the official async clients."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import aiplatform_v1
from tests.functional.emulator_grpc.kit import Rpc, ask
from tests.functional.emulator_vertex.kit import PARENT, Vertex

PROMPT = aiplatform_v1.Content(role="user", parts=[aiplatform_v1.Part(text="hello there 1")])
INSTRUCTION = aiplatform_v1.Content(role="system", parts=[aiplatform_v1.Part(text="Name the intent.")])


def test_a_model_is_deployed_asked_and_undeployed(vertex: Vertex, done: dict[str, Any]) -> None:
    """Each of the three operations is polled over the channel that began it."""

    async def question(rpc: Rpc) -> tuple[Any, Any, Any]:
        begun = await rpc.endpoints.create_endpoint(
            parent=PARENT,
            endpoint=aiplatform_v1.Endpoint(display_name="own", labels={"a": "b"}),
            endpoint_id="own-endpoint",
        )
        made = await begun.result()
        deployed = aiplatform_v1.DeployedModel(model=done["tunedModel"]["model"], checkpoint_id="2")
        begun = await rpc.endpoints.deploy_model(
            endpoint=made.name, deployed_model=deployed, traffic_split={"0": 100}
        )
        key = (await begun.result()).deployed_model.id
        request = aiplatform_v1.GenerateContentRequest(
            model=made.name,
            contents=[PROMPT],
            system_instruction=INSTRUCTION,
            generation_config={"temperature": 0.0},
        )
        answer = await rpc.prediction.generate_content(request=request)
        pieces = [
            piece.candidates[0].content.parts[0].text
            async for piece in await rpc.prediction.stream_generate_content(request=request)
        ]
        assert "".join(pieces) == answer.candidates[0].content.parts[0].text
        while_deployed = await rpc.endpoints.get_endpoint(name=made.name)
        begun = await rpc.endpoints.undeploy_model(endpoint=made.name, deployed_model_id=key)
        await begun.result()
        after = await rpc.endpoints.get_endpoint(name=made.name)
        begun = await rpc.endpoints.delete_endpoint(name=made.name)
        await begun.result()
        return answer, while_deployed, after

    answer, while_deployed, after = ask(vertex.endpoint, question)
    assert answer.candidates[0].content.parts[0].text == "greeting"
    assert answer.candidates[0].finish_reason == aiplatform_v1.Candidate.FinishReason.STOP
    assert answer.usage_metadata.total_token_count > 0
    assert [item.checkpoint_id for item in while_deployed.deployed_models] == ["2"]
    assert list(while_deployed.traffic_split.values()) == [100]
    assert dict(while_deployed.labels) == {"a": "b"}
    assert not after.deployed_models
    assert vertex.call("GET", "endpoints/own-endpoint").status_code == 404


def test_an_operation_begun_over_http_is_polled_over_grpc(vertex: Vertex) -> None:
    begun = vertex.call("POST", "endpoints", {"displayName": "by http"}, version="v1").json()

    async def question(rpc: Rpc) -> Any:
        return await rpc.operation(begun["name"])

    polled = ask(vertex.endpoint, question)
    assert polled.done
    made = aiplatform_v1.Endpoint()
    assert polled.response.Unpack(aiplatform_v1.Endpoint.pb(made))
    assert made.name == begun["response"]["name"]


def test_a_model_is_updated_listed_and_its_versions_and_aliases_kept(
    vertex: Vertex, done: dict[str, Any]
) -> None:
    name = done["tunedModel"]["model"].partition("@")[0]

    async def question(rpc: Rpc) -> tuple[Any, ...]:
        patched = await rpc.models.update_model(
            model=aiplatform_v1.Model(name=name, display_name="renamed", labels={"tier": "gold"}),
            update_mask={"paths": ["display_name", "labels"]},
        )
        listed = [item async for item in await rpc.models.list_models(parent=PARENT)]
        versions = [item async for item in await rpc.models.list_model_versions(name=name)]
        aliased = await rpc.models.merge_version_aliases(name=f"{name}@1", version_aliases=["live"])
        checkpoints = [item async for item in await rpc.models.list_model_version_checkpoints(name=name)]
        return patched, listed, versions, aliased, checkpoints

    patched, listed, versions, aliased, checkpoints = ask(vertex.endpoint, question)
    assert (patched.display_name, patched.labels["tier"]) == ("renamed", "gold")
    assert name in [item.name for item in listed]
    assert [item.version_id for item in versions] == ["1"]
    assert "live" in aliased.version_aliases
    assert [item.epoch for item in checkpoints] == [3, 2, 1]
    assert vertex.call("GET", f"models/{name.rpartition('/')[2]}").json()["displayName"] == "renamed"


def test_a_deployed_model_cannot_be_deleted(vertex: Vertex, done: dict[str, Any]) -> None:
    async def question(rpc: Rpc) -> None:
        begun = await rpc.models.delete_model(name=done["tunedModel"]["model"].partition("@")[0])
        await begun.result()

    with pytest.raises(exceptions.FailedPrecondition):
        ask(vertex.endpoint, question)


def test_a_curve_is_read_the_way_the_guides_do(vertex: Vertex, done: dict[str, Any]) -> None:
    """From the job's experiment to its TensorBoard, its run, its series and their points."""

    async def question(rpc: Rpc) -> tuple[Any, Any, Any]:
        boards, metadata = rpc.client("TensorboardService"), rpc.client("MetadataService")
        context = await metadata.get_context(name=done["experiment"])
        board = context.metadata["backing_tensorboard_resource"]
        experiment = f"{board}/experiments/{done['experiment'].rpartition('/')[2]}"
        runs = [run async for run in await boards.list_tensorboard_runs(parent=experiment)]
        series = [item async for item in await boards.list_tensorboard_time_series(parent=runs[0].name)]
        request = {"tensorboard": board, "time_series": [item.name for item in series]}
        batch = await boards.batch_read_tensorboard_time_series_data(request=request)
        one = await boards.read_tensorboard_time_series_data(tensorboard_time_series=series[0].name)
        return series, batch, one

    series, batch, one = ask(vertex.endpoint, question)
    assert "/train_total_loss" in {item.display_name for item in series}
    assert {item.tensorboard_time_series_id for item in batch.time_series_data} == {
        item.name.rpartition("/")[2] for item in series
    }
    points = one.time_series_data.values
    assert [point.step for point in points] == sorted(point.step for point in points)
    assert all(point.scalar.value >= 0 and point.wall_time.year > 2000 for point in points)


@pytest.mark.parametrize(
    ("version", "service"), [("v1", "LlmUtilityService"), ("v1beta1", "PredictionService")]
)
def test_tokens_are_counted_where_each_version_has_it(
    vertex: Vertex, done: dict[str, Any], version: str, service: str
) -> None:
    async def question(rpc: Rpc) -> Any:
        contents = [{"role": "user", "parts": [{"text": "one two three"}]}]
        request = {"endpoint": done["tunedModel"]["endpoint"], "contents": contents}
        return await rpc.client(service, version).count_tokens(request=request)

    assert ask(vertex.endpoint, question).total_tokens == 3
