"""Endpoints of a caller's own: chosen ids, deployments, traffic, deletion."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import aiplatform_v1
from google.protobuf import field_mask_pb2

from .kit import PARENT, PROJECT, Vertex

_numbers = itertools.count(1)
Make = Callable[[], str]


@pytest.fixture
def client(vertex: Vertex) -> Any:
    return vertex.gapic("EndpointServiceClient")


@pytest.fixture
def make(client: Any) -> Make:
    """Makes an endpoint with an id of its own and returns its name."""

    def endpoint() -> str:
        chosen = f"serving-{next(_numbers)}"
        body = aiplatform_v1.Endpoint(display_name=chosen, labels={"made-for": "tests"})
        made = client.create_endpoint(parent=PARENT, endpoint=body, endpoint_id=chosen).result()
        return str(made.name)

    return endpoint


def deploy(
    client: Any, endpoint: str, job: dict[str, Any], checkpoint: str, split: dict[str, int] | None = None
) -> str:
    """Deploys a checkpoint of a job's model, with all traffic unless said otherwise; returns the deployed id."""
    deployed = aiplatform_v1.DeployedModel(model=job["tunedModel"]["model"], checkpoint_id=checkpoint)
    traffic = {"0": 100} if split is None else split
    answer = client.deploy_model(endpoint=endpoint, deployed_model=deployed, traffic_split=traffic).result()
    return str(answer.deployed_model.id)


def test_an_endpoint_keeps_the_id_it_was_given(client: Any, make: Make) -> None:
    name = make()
    found = client.get_endpoint(name=name)
    assert found.name == name
    assert name.rpartition("/")[2].startswith("serving-")
    assert dict(found.labels) == {"made-for": "tests"}
    assert client.get_endpoint(name=f"{PARENT}/endpoints/{name.rpartition('/')[2]}").name == name


def test_an_id_that_is_taken_is_refused(client: Any, make: Make) -> None:
    taken = make().rpartition("/")[2]
    with pytest.raises(exceptions.Conflict, match=taken):
        client.create_endpoint(
            parent=PARENT, endpoint=aiplatform_v1.Endpoint(display_name="x"), endpoint_id=taken
        )


@pytest.mark.parametrize("bad", ["Upper", "a" * 64, "ends-", "0123", "1234567890", "-x", "a_b", "1a"])
def test_a_bad_id_is_refused(client: Any, bad: str) -> None:
    with pytest.raises(exceptions.BadRequest, match="endpoint_id"):
        client.create_endpoint(
            parent=PARENT, endpoint=aiplatform_v1.Endpoint(display_name="x"), endpoint_id=bad
        )


def test_without_an_id_the_service_makes_one_up(client: Any) -> None:
    made = client.create_endpoint(parent=PARENT, endpoint=aiplatform_v1.Endpoint(display_name="x")).result()
    assert made.name.rpartition("/")[2].isdigit()


def test_a_display_name_is_required(vertex: Vertex) -> None:
    assert vertex.call("POST", "endpoints", {}).json()["error"]["status"] == "INVALID_ARGUMENT"


def test_unknown_fields_are_named(vertex: Vertex) -> None:
    response = vertex.call("POST", "endpoints", {"displayName": "x", "dedicatedEndpointEnabled": True})
    assert response.status_code == 501
    assert "dedicatedEndpointEnabled" in response.text


def test_endpoints_are_filtered(client: Any, make: Make) -> None:
    name = make()
    chosen = name.rpartition("/")[2]
    for text in (f"endpoint={chosen}", f'display_name="{chosen}" AND labels.made-for:tests'):
        found = client.list_endpoints(request={"parent": PARENT, "filter": text})
        assert [endpoint.name for endpoint in found] == [name]


def test_a_deployment_is_on_both_the_endpoint_and_the_model(
    client: Any, make: Make, vertex: Vertex, done: dict[str, Any]
) -> None:
    endpoint = make()
    deployed_id = deploy(client, endpoint, done, "2")
    found = client.get_endpoint(name=endpoint)
    assert [(item.id, item.model, item.checkpoint_id) for item in found.deployed_models] == [
        (deployed_id, done["tunedModel"]["model"], "2")
    ]
    assert dict(found.traffic_split) == {deployed_id: 100}
    model = vertex.job(done["tunedModel"]["model"])
    expected = {"endpoint": endpoint, "deployedModelId": deployed_id, "checkpointId": "2"}
    assert expected in model["deployedModels"]
    client.undeploy_model(endpoint=endpoint, deployed_model_id=deployed_id).result()
    assert expected not in vertex.job(done["tunedModel"]["model"])["deployedModels"]


def test_without_a_checkpoint_the_default_is_deployed(client: Any, make: Make, done: dict[str, Any]) -> None:
    endpoint = make()
    deploy(client, endpoint, done, "")
    assert client.get_endpoint(name=endpoint).deployed_models[0].checkpoint_id == "3"


def test_a_model_of_another_location_can_be_deployed(vertex: Vertex, done: dict[str, Any]) -> None:
    client = vertex.gapic("EndpointServiceClient")
    parent = f"projects/{PROJECT}/locations/us"
    made = client.create_endpoint(
        parent=parent, endpoint=aiplatform_v1.Endpoint(display_name="multi-region")
    ).result()
    deploy(client, made.name, done, "1")
    assert client.get_endpoint(name=made.name).deployed_models[0].model == done["tunedModel"]["model"]


def test_without_a_split_a_deployment_gets_no_traffic(client: Any, make: Make, done: dict[str, Any]) -> None:
    endpoint = make()
    deploy(client, endpoint, done, "1", {})
    assert dict(client.get_endpoint(name=endpoint).traffic_split) == {}


@pytest.mark.parametrize("split", [{"0": 99}, {"0": 50, "77": 50}, {"0": 60, "1": 40}])
def test_a_split_that_does_not_fit_is_refused_and_nothing_is_deployed(
    client: Any, make: Make, done: dict[str, Any], split: dict[str, int]
) -> None:
    endpoint = make()
    with pytest.raises(exceptions.BadRequest):
        deploy(client, endpoint, done, "1", split)
    assert not client.get_endpoint(name=endpoint).deployed_models


def test_an_unknown_checkpoint_or_model_is_refused(client: Any, make: Make, done: dict[str, Any]) -> None:
    endpoint = make()
    with pytest.raises(exceptions.BadRequest, match="Checkpoint 9"):
        deploy(client, endpoint, done, "9")
    gone = {"tunedModel": {"model": f"{PARENT}/models/1@1"}}
    with pytest.raises(exceptions.NotFound):
        deploy(client, endpoint, gone, "1")
    with pytest.raises(exceptions.NotFound):
        deploy(client, f"{PARENT}/endpoints/absent", done, "1")


def test_traffic_is_switched_and_the_old_one_undeployed(
    client: Any, make: Make, done: dict[str, Any]
) -> None:
    endpoint = make()
    old = deploy(client, endpoint, done, "1")
    new = deploy(client, endpoint, done, "3", {old: 100, "0": 0})
    with pytest.raises(exceptions.BadRequest, match=old):
        client.undeploy_model(endpoint=endpoint, deployed_model_id=old)
    mask = field_mask_pb2.FieldMask(paths=["traffic_split"])
    switched = client.update_endpoint(
        endpoint=aiplatform_v1.Endpoint(name=endpoint, traffic_split={new: 100}), update_mask=mask
    )
    assert dict(switched.traffic_split) == {new: 100}
    client.undeploy_model(endpoint=endpoint, deployed_model_id=old).result()
    found = client.get_endpoint(name=endpoint)
    assert [item.id for item in found.deployed_models] == [new]
    assert dict(found.traffic_split) == {new: 100}


def test_a_split_given_with_undeploy_frees_the_traffic(client: Any, make: Make, done: dict[str, Any]) -> None:
    endpoint = make()
    old = deploy(client, endpoint, done, "1")
    new = deploy(client, endpoint, done, "3", {old: 100, "0": 0})
    client.undeploy_model(endpoint=endpoint, deployed_model_id=old, traffic_split={new: 100}).result()
    assert dict(client.get_endpoint(name=endpoint).traffic_split) == {new: 100}


def test_undeploying_what_is_not_deployed_is_refused(client: Any, make: Make) -> None:
    with pytest.raises(exceptions.NotFound, match="77"):
        client.undeploy_model(endpoint=make(), deployed_model_id="77")


def test_a_patch_changes_what_the_mask_names_alone(client: Any, make: Make) -> None:
    endpoint = make()
    mask = field_mask_pb2.FieldMask(paths=["description", "labels"])
    body = aiplatform_v1.Endpoint(name=endpoint, display_name="ignored", description="d", labels={"a": "b"})
    found = client.update_endpoint(endpoint=body, update_mask=mask)
    assert (found.description, dict(found.labels)) == ("d", {"a": "b"})
    assert found.display_name == endpoint.rpartition("/")[2]


@pytest.mark.parametrize("split", [{"77": 100}, {"77": 40}])
def test_a_patch_cannot_send_traffic_nowhere(client: Any, make: Make, split: dict[str, int]) -> None:
    body = aiplatform_v1.Endpoint(name=make(), traffic_split=split)
    with pytest.raises(exceptions.BadRequest):
        client.update_endpoint(endpoint=body, update_mask=field_mask_pb2.FieldMask(paths=["traffic_split"]))


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_an_endpoint_is_deleted_once_it_is_empty(
    vertex: Vertex, make: Make, done: dict[str, Any], version: str
) -> None:
    client = vertex.gapic("EndpointServiceClient", version)
    endpoint = make()
    deployed_id = deploy(vertex.gapic("EndpointServiceClient"), endpoint, done, "1")
    with pytest.raises(exceptions.BadRequest, match=deployed_id):
        client.delete_endpoint(name=endpoint)
    client.undeploy_model(endpoint=endpoint, deployed_model_id=deployed_id).result()
    client.delete_endpoint(name=endpoint).result()
    with pytest.raises(exceptions.NotFound):
        client.get_endpoint(name=endpoint)
    with pytest.raises(exceptions.NotFound):
        client.delete_endpoint(name=endpoint)
