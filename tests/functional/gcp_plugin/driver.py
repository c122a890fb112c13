"""The plugin's protocol, spoken as the engine does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tuneform_emulator.gcp_plugin.values import from_struct, to_struct

PROJECT = "plugin-tests"
SEED = b"0123456789abcdef"


@dataclass(frozen=True)
class Made:
    """A resource that the plugin has created, as the engine would remember it."""

    token: str
    id: str
    inputs: dict[str, Any]
    properties: dict[str, Any]


def urn(token: str) -> str:
    return f"urn:pulumi:stack::project::{token}::thing"


@dataclass(frozen=True)
class Plugin:
    """The plugin behind a socket, and the steps of the engine's life cycle."""

    stub: provider_pb2_grpc.ResourceProviderStub
    endpoint: str

    def check(self, token: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(token), news=to_struct(news), olds=to_struct(olds or {}), randomSeed=SEED
            )
        )
        assert not answer.failures, answer.failures
        return from_struct(answer.inputs)

    def preview(self, token: str, news: dict[str, Any]) -> dict[str, Any]:
        inputs = self.check(token, news)
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=urn(token), properties=to_struct(inputs), preview=True)
        )
        assert answer.id == ""
        return from_struct(answer.properties)

    def create(self, token: str, news: dict[str, Any]) -> Made:
        inputs = self.check(token, news)
        answer = self.stub.Create(provider_pb2.CreateRequest(urn=urn(token), properties=to_struct(inputs)))
        return Made(token, answer.id, inputs, from_struct(answer.properties))

    def diff(self, made: Made, news: dict[str, Any]) -> provider_pb2.DiffResponse:
        answer: provider_pb2.DiffResponse = self.stub.Diff(
            provider_pb2.DiffRequest(
                id=made.id,
                urn=urn(made.token),
                olds=to_struct(made.properties),
                old_inputs=to_struct(made.inputs),
                news=to_struct(self.check(made.token, news, made.inputs)),
            )
        )
        return answer

    def update(self, made: Made, news: dict[str, Any], *, preview: bool = False) -> Made:
        inputs = self.check(made.token, news, made.inputs)
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=made.id,
                urn=urn(made.token),
                olds=to_struct(made.properties),
                old_inputs=to_struct(made.inputs),
                news=to_struct(inputs),
                preview=preview,
            )
        )
        return Made(made.token, made.id, inputs, from_struct(answer.properties))

    def refresh(self, made: Made) -> Made | None:
        return self._read(made.token, made.id, made.properties, made.inputs)

    def imported(self, token: str, identity: str) -> Made | None:
        return self._read(token, identity, {}, {})

    def delete(self, made: Made) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=made.id,
                urn=urn(made.token),
                properties=to_struct(made.properties),
                old_inputs=to_struct(made.inputs),
            )
        )

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]:
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=to_struct(args)))
        return from_struct(getattr(answer, "return"))

    def api(self, method: str, path: str, body: object = None) -> Any:
        response = requests.request(method, f"{self.endpoint}/{path}", json=body, timeout=30)
        assert response.ok, response.text
        return response.json() if response.content else None

    def calls(self) -> int:
        """How many calls the emulator has had, this one not counted."""
        counts: dict[str, int] = self.api("GET", "_emulator/requests")["requests"]
        return sum(number for route, number in counts.items() if "/_emulator/" not in route)

    def _read(self, token: str, identity: str, state: dict[str, Any], inputs: dict[str, Any]) -> Made | None:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=identity, urn=urn(token), properties=to_struct(state), inputs=to_struct(inputs)
            )
        )
        if not answer.id:
            return None
        return Made(token, answer.id, from_struct(answer.inputs), from_struct(answer.properties))
