"""Faults that are ordered over HTTP meet the calls that come over gRPC."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from google.api_core import exceptions
from google.api_core.gapic_v1.client_info import ClientInfo
from google.cloud import aiplatform_v1
from tests.faults.control import Control
from tests.functional.emulator_grpc.kit import Rpc, ask
from tests.functional.emulator_vertex.kit import PARENT, Vertex

ENDPOINTS = importlib.import_module("google.cloud.aiplatform_v1.services.endpoint_service")
TRANSPORTS = importlib.import_module("google.cloud.aiplatform_v1.services.endpoint_service.transports")


def endpoints_of(rpc: Rpc, run: str) -> Any:
    """A client that says which run it belongs to."""
    transport = TRANSPORTS.EndpointServiceGrpcAsyncIOTransport(
        channel=rpc.channel, client_info=ClientInfo(user_agent=f"tuneform/0.1.0 run/{run}")
    )
    return ENDPOINTS.EndpointServiceAsyncClient(transport=transport)


def test_a_fault_finds_its_caller(vertex: Vertex) -> None:
    fault = {"calls": {"route": ".../endpoints", "caller": "run/two"}, "effect": {"kind": "quota"}}

    async def question(rpc: Rpc) -> None:
        await endpoints_of(rpc, "one").list_endpoints(parent=PARENT)
        with pytest.raises(exceptions.ResourceExhausted):
            await endpoints_of(rpc, "two").list_endpoints(parent=PARENT)
        await endpoints_of(rpc, "two").list_endpoints(parent=PARENT)

    with Control(vertex.endpoint).met(fault):
        ask(vertex.endpoint, question)


def test_a_create_whose_answer_is_lost_has_happened(vertex: Vertex) -> None:
    calls = {"method": "POST", "route": ".../endpoints", "caller": "run/lost"}
    fault = {"calls": calls, "effect": {"kind": "reset"}, "when": "after"}

    async def question(rpc: Rpc) -> Any:
        client = endpoints_of(rpc, "lost")
        endpoint = aiplatform_v1.Endpoint(display_name="lost")
        with pytest.raises(exceptions.ServiceUnavailable):
            await client.create_endpoint(parent=PARENT, endpoint=endpoint, endpoint_id="lost")
        return await client.get_endpoint(name=f"{PARENT}/endpoints/lost")

    with Control(vertex.endpoint).met(fault):
        assert ask(vertex.endpoint, question).display_name == "lost"
