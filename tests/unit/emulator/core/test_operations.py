from __future__ import annotations

from collections.abc import Iterator

import pytest

from tuneform_emulator.clock import WallClock
from tuneform_emulator.services import operations
from tuneform_emulator.store import Store
from tuneform_emulator.wire import ApiError, Request, Router
from tuneform_emulator.world import World

EMPTY = "type.googleapis.com/google.protobuf.Empty"


@pytest.fixture
def world() -> Iterator[World]:
    store = Store(None)
    yield World(store, WallClock())
    store.close()


def poll(world: World, path: str) -> object:
    found = Router(operations.routes(world)).match("GET", path)
    assert found is not None
    return found.route.handler(Request("GET", path, found.params, version=found.params.get("version", "")))


def test_an_operation_is_polled_under_every_prefix_in_the_clients_own_version(world: World) -> None:
    number = world.names.number("p1")
    parent = f"projects/{number}/locations/us-central1/models/7"
    made = operations.done(world, "v1beta1", parent, "DeleteOperationMetadata")
    assert made["done"] is True
    assert made["response"] == {"@type": EMPTY}
    wanted = "type.googleapis.com/google.cloud.aiplatform.v1beta1.DeleteOperationMetadata"
    assert made["metadata"]["@type"] == wanted

    assert poll(world, f"/ui/{made['name']}") == made
    assert poll(world, f"/v1beta1/{made['name']}") == made
    assert poll(world, f"/v1beta1/{made['name'].replace(number, 'p1')}") == made
    older = poll(world, f"/v1/{made['name']}")
    assert isinstance(older, dict)
    assert older["metadata"]["@type"] == wanted.replace("v1beta1", "v1")


def test_an_operation_of_a_location_carries_its_response(world: World) -> None:
    parent = f"projects/{world.names.number('p1')}/locations/us-central1"
    made = operations.done(
        world, "v1", parent, "CreateEndpointOperationMetadata", {"name": "e"}, response_type="Endpoint"
    )
    assert made["response"] == {
        "@type": "type.googleapis.com/google.cloud.aiplatform.v1.Endpoint",
        "name": "e",
    }
    assert poll(world, f"/ui/{made['name']}") == made


def test_a_failed_operation_has_an_error_and_no_response(world: World) -> None:
    refusal = ApiError.failed_precondition("still deployed")
    made = operations.done(world, "v1", "projects/1/locations/l", "DeleteOperationMetadata", error=refusal)
    assert made["error"] == {"code": 9, "message": "still deployed"}
    assert "response" not in made


def test_an_unknown_operation_is_not_found(world: World) -> None:
    with pytest.raises(ApiError, match="Operation not found"):
        poll(world, "/v1/projects/p1/locations/us-central1/operations/1")
