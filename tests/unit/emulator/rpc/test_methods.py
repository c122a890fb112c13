"""The table of methods against Google's own clients, and against the routes that exist."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from tuneform_emulator.clock import WallClock
from tuneform_emulator.rpc.methods import OPERATIONS, VERSIONS, VERTEX, Bound, bound
from tuneform_emulator.store import Store
from tuneform_emulator.traffic.services import collect
from tuneform_emulator.wire import Router
from tuneform_emulator.world import World

OFFICIAL = {
    "GenAiTuningService": "gen_ai_tuning_service",
    "ModelService": "model_service",
    "EndpointService": "endpoint_service",
    "PredictionService": "prediction_service",
    "LlmUtilityService": "llm_utility_service",
    "MetadataService": "metadata_service",
    "TensorboardService": "tensorboard_service",
}


class Recorder(grpc.Channel):
    """A channel that opens nothing and notes what a transport would call."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[bool, str, str]] = {}

    def note(self, path: str, serializer: Any, deserializer: Any, *, streams: bool) -> Any:
        self.found[path] = (streams, request_name(serializer), response_name(deserializer))
        return lambda: None

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any
    ) -> Any:
        return self.note(method, request_serializer, response_deserializer, streams=False)

    def unary_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any
    ) -> Any:
        return self.note(method, request_serializer, response_deserializer, streams=True)

    def stream_unary(self, *_: Any, **__: Any) -> Any:
        return lambda: None

    stream_stream = stream_unary

    def subscribe(self, callback: Any, try_to_connect: Any = None) -> None:
        pass

    def unsubscribe(self, callback: Any) -> None:
        pass

    def close(self) -> None:
        pass

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def request_name(serializer: Any) -> str:
    """The message that a serializer takes: proto-plus has it as a bound method, protobuf as a plain one."""
    owner = getattr(serializer, "__self__", None)
    return full_name(owner()) if owner is not None else ""


def response_name(deserializer: Any) -> str:
    """The message that a deserializer makes; a client for operations makes do without for Empty."""
    return full_name(deserializer(b"")) if deserializer is not None else "google.protobuf.Empty"


def full_name(message: Any) -> str:
    raw = message if isinstance(message, Message) else type(message).pb(message)
    return str(raw.DESCRIPTOR.full_name)


def transport(version: str, service: str, module: str) -> Any:
    """The class of the client's transport in that module, "grpc" or "rest_base"."""
    found = importlib.import_module(
        f"google.cloud.aiplatform_{version}.services.{OFFICIAL[service]}.transports.{module}"
    )
    name = f"{service}GrpcTransport" if module == "grpc" else f"_Base{service}RestTransport"
    return getattr(found, name)


def official_http(version: str, service: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The HTTP bindings of a service's own methods, by method name."""
    for name, inner in vars(transport(version, service, "rest_base")).items():
        if name.startswith("_Base") and hasattr(inner, "_get_http_options"):
            options = inner._get_http_options()
            if not options[0]["uri"].startswith("/ui/") and "IamP" not in name:
                yield name.removeprefix("_Base"), options


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("service", sorted(VERTEX))
def test_paths_requests_and_responses_are_those_of_the_official_stubs(
    version: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The transports log through an interceptor, which would not reach the channel before a call is made.
    monkeypatch.setattr(grpc, "intercept_channel", lambda channel, *_: channel)
    recorder = Recorder()
    stubs = transport(version, service, "grpc")(channel=recorder)
    official = dict(official_http(version, service))
    for method in VERTEX[service]:
        if version not in method.versions:
            continue
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower()
        getattr(stubs, snake)
        path = f"/google.cloud.aiplatform.{version}.{service}/{method.name}"
        ours = table()[path]
        assert recorder.found[path] == (method.streams, ours.request, ours.answer)
        bindings = {(o["method"].upper(), o["uri"], o.get("body", "")) for o in official[method.name]}
        assert {
            (method.verb, f"/{version}/{template}", method.body) for template in method.templates
        } <= bindings


@pytest.mark.parametrize("version", VERSIONS)
def test_what_http_serves_grpc_serves(version: str) -> None:
    """A route that is added without its method here would answer UNIMPLEMENTED over gRPC."""
    store = Store(None)
    router = Router(collect(World(store, WallClock())))
    missing = set()
    for service in VERTEX:
        for name, options in official_http(version, service):
            for option in options:
                path = re.sub(r"\{[\w.]+=([^}]+)\}", r"\1", option["uri"]).replace("*", "x")
                full = f"/google.cloud.aiplatform.{version}.{service}/{name}"
                if router.match(option["method"].upper(), path) and full not in table():
                    missing.add(full)
    store.close()
    assert missing == set()


def test_operations_are_where_rest_polls_them() -> None:
    found = transport("v1", "ModelService", "rest_base")
    for method in OPERATIONS:
        official = getattr(found, f"_Base{method.name}")._get_http_options()
        uris = {option["uri"] for option in official if option["method"].upper() == method.verb}
        assert "/ui/" + method.templates[0] in uris
        assert re.sub(r"/\*/\*/operations", "/models/*/operations", "/ui/" + method.templates[1]) in uris


def table() -> dict[str, Bound]:
    return dict(bound())
