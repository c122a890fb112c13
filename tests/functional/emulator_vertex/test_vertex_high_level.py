"""The high-level Vertex AI SDK, which re-uses names that the server gave it and polls operations in its own way."""

from __future__ import annotations

from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from .kit import LOCATION, PROJECT, Vertex


@pytest.fixture(scope="module")
def sdk(vertex: Vertex) -> Any:
    """`google.cloud.aiplatform`, pointed at the emulator. Imported late: it takes seconds."""
    from google.cloud import aiplatform  # noqa: PLC0415 - see above

    aiplatform.init(
        project=PROJECT,
        location=LOCATION,
        api_endpoint=vertex.endpoint,
        api_transport="rest",
        credentials=AnonymousCredentials(),
    )
    return aiplatform


@pytest.fixture
def trained(vertex: Vertex) -> dict[str, Any]:
    return vertex.succeeded(vertex.create_job(labels={"made-for": "sdk"})["name"])


def test_models_are_listed_and_updated(sdk: Any, done: dict[str, Any]) -> None:
    (model,) = sdk.Model.list(filter="labels.team=support", order_by="create_time desc")
    assert f"{model.resource_name}@{model.version_id}" == done["tunedModel"]["model"]
    changed = model.update(display_name="renamed", labels={"team": "support", "by": "sdk"})
    assert (changed.display_name, changed.labels) == ("renamed", {"team": "support", "by": "sdk"})


def test_a_tuned_model_is_taken_down(sdk: Any, vertex: Vertex, trained: dict[str, Any]) -> None:
    for checkpoint in trained["tunedModel"]["checkpoints"]:
        sdk.Endpoint(checkpoint["endpoint"]).delete(force=True)
        assert vertex.call("GET", f"endpoints/{checkpoint['endpoint'].rpartition('/')[2]}").status_code == 404
    name = trained["tunedModel"]["model"]
    sdk.Model(name).delete()
    assert vertex.call("GET", f"models/{name.rpartition('/')[2]}").status_code == 404


def test_a_model_is_deployed_beside_another(sdk: Any, done: dict[str, Any]) -> None:
    endpoint = sdk.Endpoint.create(display_name="sdk", endpoint_id="made-by-the-sdk")
    model = sdk.Model(done["tunedModel"]["model"])
    for percentage in (100, 50):
        endpoint.deploy(model, traffic_percentage=percentage)
    assert sorted(endpoint.traffic_split.values()) == [50, 50]
    endpoint.undeploy_all()
    assert endpoint.list_models() == []
    endpoint.delete()


def test_the_curves_of_a_run_are_read(sdk: Any, done: dict[str, Any]) -> None:
    (board,) = sdk.Tensorboard.list()
    experiment = f"{board.resource_name}/experiments/{done['experiment'].rpartition('/')[2]}"
    (run,) = sdk.TensorboardRun.list(tensorboard_experiment_name=experiment)
    curves = run.read_time_series_data()
    steps = [point.step for point in curves["/eval_total_loss"].values]
    assert steps == [int(item["step"]) for item in done["tunedModel"]["checkpoints"]]
