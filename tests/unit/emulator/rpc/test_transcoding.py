"""From request messages to HTTP calls."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from google.cloud import aiplatform_v1
from google.longrunning import operations_pb2

from tuneform_emulator.rpc.methods import bound
from tuneform_emulator.rpc.transcoding import HttpCall, http_call
from tuneform_emulator.wire import ApiError

PLACE = "projects/p/locations/l"
TABLE = dict(bound())


def transcoded(method: str, request: Any) -> HttpCall:
    """The call of a method of Vertex v1, e.g. "ModelService/GetModel"."""
    return http_call(TABLE[f"/google.cloud.aiplatform.v1.{method}"], type(request).pb(request))


def test_a_get_has_its_name_in_the_path_and_nothing_else() -> None:
    request = aiplatform_v1.GetModelRequest(name=f"{PLACE}/models/1@2")
    assert transcoded("ModelService/GetModel", request) == HttpCall("GET", f"/v1/{PLACE}/models/1@2", "", b"")


def test_what_is_in_neither_path_nor_body_is_in_the_query() -> None:
    request = aiplatform_v1.CreateEndpointRequest(
        parent=PLACE,
        endpoint_id="mine",
        endpoint=aiplatform_v1.Endpoint(display_name="x", labels={"a_b": "c"}),
    )
    call = transcoded("EndpointService/CreateEndpoint", request)
    assert (call.method, call.path, call.query) == ("POST", f"/v1/{PLACE}/endpoints", "endpointId=mine")
    assert orjson.loads(call.body) == {"displayName": "x", "labels": {"a_b": "c"}}


def test_lists_are_repeated_and_masks_are_one_word() -> None:
    request = aiplatform_v1.BatchReadTensorboardTimeSeriesDataRequest(
        tensorboard=f"{PLACE}/tensorboards/1", time_series=["x&y", "z"]
    )
    query = transcoded("TensorboardService/BatchReadTensorboardTimeSeriesData", request).query
    assert parse_qsl(query) == [("timeSeries", "x&y"), ("timeSeries", "z")]
    update = aiplatform_v1.UpdateModelRequest(
        model=aiplatform_v1.Model(name=f"{PLACE}/models/1", display_name="n"),
        update_mask={"paths": ["display_name", "version_description"]},
    )
    call = transcoded("ModelService/UpdateModel", update)
    assert (call.method, call.path) == ("PATCH", f"/v1/{PLACE}/models/1")
    assert parse_qsl(call.query) == [("updateMask", "displayName,versionDescription")]
    assert orjson.loads(call.body) == {"displayName": "n"}


def test_a_body_of_all_fields_is_without_the_one_in_the_path() -> None:
    request = aiplatform_v1.UndeployModelRequest(
        endpoint=f"{PLACE}/endpoints/1", deployed_model_id="7", traffic_split={"8": 100}
    )
    call = transcoded("EndpointService/UndeployModel", request)
    assert call.path == f"/v1/{PLACE}/endpoints/1:undeployModel"
    assert orjson.loads(call.body) == {"deployedModelId": "7", "trafficSplit": {"8": 100}}


def test_an_empty_update_has_an_empty_body() -> None:
    request = aiplatform_v1.UpdateModelRequest(model=aiplatform_v1.Model(name=f"{PLACE}/models/1"))
    assert transcoded("ModelService/UpdateModel", request).body == b"{}"


@pytest.mark.parametrize("tail", ["operations/5", "models/1/operations/5", "endpoints/e/operations/5"])
def test_operations_are_polled_where_rest_does(tail: str) -> None:
    path = "/google.longrunning.Operations/GetOperation"
    call = http_call(TABLE[path], operations_pb2.GetOperationRequest(name=f"{PLACE}/{tail}"))
    assert call == HttpCall("GET", f"/ui/{PLACE}/{tail}", "", b"")


@pytest.mark.parametrize(
    "name", ["", "models/1", f"{PLACE}/models/", f"{PLACE}/models/1/2", f"{PLACE}/endpoints/1"]
)
def test_a_name_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(ApiError) as caught:
        transcoded("ModelService/GetModel", aiplatform_v1.GetModelRequest(name=name))
    assert caught.value.status == "INVALID_ARGUMENT"
    assert caught.value.details[0]["fieldViolations"][0]["field"] == "name"


def test_a_nested_name_that_is_absent_is_refused() -> None:
    with pytest.raises(ApiError, match=r"model\.name"):
        transcoded("ModelService/UpdateModel", aiplatform_v1.UpdateModelRequest())


def test_an_unknown_field_is_refused_at_any_depth() -> None:
    nested = aiplatform_v1.Model.serialize(aiplatform_v1.Model(name=f"{PLACE}/models/1")) + b"\xba\x3e\x01x"
    request = aiplatform_v1.UpdateModelRequest.deserialize(b"\x0a" + bytes([len(nested)]) + nested)
    with pytest.raises(ApiError) as caught:
        transcoded("ModelService/UpdateModel", request)
    assert caught.value.status == "UNIMPLEMENTED"
