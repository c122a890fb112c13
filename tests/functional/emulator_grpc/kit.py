"""Google's own async clients on the gRPC side of a running emulator."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import requests
from google.longrunning import operations_pb2

Found = TypeVar("Found")


@dataclass(frozen=True)
class Rpc:
    """An open channel and the clients on it."""

    channel: grpc.aio.Channel

    def client(self, service: str, version: str = "v1") -> Any:
        """The async client of a service, e.g. "ModelService", unmodified, on its official transport."""
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", service).lower()
        module = importlib.import_module(f"google.cloud.aiplatform_{version}.services.{snake}")
        transport = importlib.import_module(f"{module.__name__}.transports")
        channel = getattr(transport, f"{service}GrpcAsyncIOTransport")(channel=self.channel)
        return getattr(module, f"{service}AsyncClient")(transport=channel)

    @property
    def tuning(self) -> Any:
        return self.client("GenAiTuningService")

    @property
    def models(self) -> Any:
        return self.client("ModelService")

    @property
    def endpoints(self) -> Any:
        return self.client("EndpointService")

    @property
    def prediction(self) -> Any:
        return self.client("PredictionService")

    def raw(self, path: str) -> Callable[[bytes], Awaitable[bytes]]:
        """A method from bytes to bytes."""
        found: Callable[[bytes], Awaitable[bytes]] = self.channel.unary_unary(
            path, request_serializer=bytes, response_deserializer=bytes
        )
        return found

    async def operation(self, name: str) -> Any:
        """google.longrunning.Operations/GetOperation."""
        stub = self.channel.unary_unary(
            "/google.longrunning.Operations/GetOperation",
            request_serializer=operations_pb2.GetOperationRequest.SerializeToString,
            response_deserializer=operations_pb2.Operation.FromString,
        )
        return await stub(operations_pb2.GetOperationRequest(name=name))


def grpc_address(endpoint: str) -> str:
    """Where the gRPC side is, as a client finds it that knows the HTTP endpoint only."""
    found: str = requests.get(f"{endpoint}/_emulator/health", timeout=30).json()["grpc"]
    return found


def ask(endpoint: str, question: Callable[[Rpc], Awaitable[Found]]) -> Found:
    """Runs a coroutine function with a channel that is open for as long."""

    async def opened() -> Found:
        address = grpc_address(endpoint)
        async with grpc.aio.insecure_channel(address) as channel:
            return await asyncio.wait_for(question(Rpc(channel)), 120)

    return asyncio.run(opened())
