"""The Pulumi provider protocol (pulumi/proto/provider.proto), spoken for the resources in `resources`."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from . import NAME, VERSION, diffing
from .checking import check, named_by_program
from .config import config_problems, context_from
from .resources import INVOKES, RESOURCES, Context, Resource
from .rest import PluginError, loopback_endpoint
from .schema_check import Problem
from .values import (
    DEFAULTS_KEY,
    UNKNOWN,
    Secret,
    Unknown,
    conceal,
    from_struct,
    has_unknown,
    reveal,
    to_struct,
)

MAX_MESSAGE_BYTES = 400 * 1024 * 1024
"""What the engine itself allows."""
THREADS = 16

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")


class GcpProvider:
    """The provider. It is configured once, then serves many calls at a time; refusals are `PluginError`s."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._configured: Context | None = None

    # The provider itself

    def get_plugin_info(self, _request: empty_pb2.Empty) -> plugin_pb2.PluginInfo:
        """The version of pulumi-gcp that is stood in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def get_schema(self, _request: provider_pb2.GetSchemaRequest) -> provider_pb2.GetSchemaResponse:
        """The tokens alone: programs use pulumi-gcp's own SDK, which has the full schema."""
        schema = {
            "name": NAME,
            "version": VERSION,
            "resources": {token: {} for token in RESOURCES},
            "functions": {token: {} for token in INVOKES},
        }
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def check_config(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """The settings, and that the emulator and nothing else will be spoken to."""
        failures = _failures(config_problems(from_struct(request.news)))
        try:
            loopback_endpoint(self._environment.get("TUNEFORM_ENDPOINT", ""))
        except PluginError as error:
            failures.append(provider_pb2.CheckFailure(reason=str(error)))
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def diff_config(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Another project makes it another provider, as with pulumi-gcp; anything else changes in place."""
        old = reveal(from_struct(request.old_inputs or request.olds))
        found = diffing.changes(old, reveal(from_struct(request.news)))
        return diffing.response(found, replace_on=frozenset({"project"}), same_name=False)

    def configure(self, request: provider_pb2.ConfigureRequest) -> provider_pb2.ConfigureResponse:
        """Takes the settings and the endpoint."""
        self._configured = context_from(from_struct(request.args), self._environment)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def cancel(self, _request: empty_pb2.Empty) -> empty_pb2.Empty:
        """Gives up waiting; calls that are under way are finished, so that their results get into the state."""
        if self._configured is not None:
            self._configured.rest.cancel()
        return empty_pb2.Empty()

    # Resources

    def check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """Judges and completes inputs."""
        result = check(
            _resource(request.urn),
            from_struct(request.news),
            from_struct(request.olds),
            self._context(),
            name=_split(request.urn)[1],
            seed=request.randomSeed,
        )
        return provider_pb2.CheckResponse(
            inputs=to_struct(result.inputs), failures=_failures(result.problems)
        )

    def diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Old inputs against new ones, in the form in which they mean the same."""
        resource = _resource(request.urn)
        checked = from_struct(request.news)
        old, new = (
            resource.canonical(reveal(inputs)) for inputs in (from_struct(request.old_inputs), checked)
        )
        ignored = frozenset(request.ignoreChanges)
        found = tuple(
            change
            for change in diffing.changes(old, new)
            if change.top not in ignored and not (change.top in resource.keeps and change.top not in new)
        )
        return diffing.response(
            found, replace_on=resource.replace_on, same_name=named_by_program(resource, checked)
        )

    def create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        """Creates; a preview tells the outputs that it can and calls nothing."""
        resource = _resource(request.urn)
        given = from_struct(request.properties)
        inputs = _without_marks(given)
        if request.preview:
            outputs = _foreseen(resource, reveal(inputs))
            return provider_pb2.CreateResponse(properties=to_struct(conceal({**inputs, **outputs}, inputs)))
        plain = _known(reveal(inputs))
        identity = resource.create(plain, self._context())
        return provider_pb2.CreateResponse(
            id=identity, properties=to_struct(self._state(resource, identity, given))
        )

    def read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        """The live resource for refresh and import; an empty id when there is none."""
        given = from_struct(request.inputs)
        live = _resource(request.urn).refresh(request.id, reveal(given), self._context())
        if live is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=live.id,
            inputs=to_struct(conceal(live.inputs, given)),
            properties=to_struct(conceal(_without_marks(live.properties), given)),
        )

    def update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        """Changes in place; a preview calls nothing."""
        resource = _resource(request.urn)
        given = from_struct(request.news)
        if request.preview:
            inputs = _without_marks(given)
            state = {**from_struct(request.olds), **inputs}
            return provider_pb2.UpdateResponse(properties=to_struct(conceal(state, inputs)))
        plain = _known(reveal(_without_marks(given)))
        old = reveal(from_struct(request.old_inputs))
        found = diffing.changes(resource.canonical(old), resource.canonical(plain))
        if any(change.top not in resource.virtual for change in found):
            resource.update(request.id, old, plain, self._context())
        return provider_pb2.UpdateResponse(properties=to_struct(self._state(resource, request.id, given)))

    def delete(self, request: provider_pb2.DeleteRequest) -> empty_pb2.Empty:
        """Deletes, unless the deletion policy says otherwise."""
        properties = reveal(from_struct(request.properties))
        match properties.get("deletionPolicy"):
            case "PREVENT":
                raise PluginError(
                    f"{request.id}: deletionPolicy is PREVENT; set it to DELETE or ABANDON and run up first"
                )
            case "ABANDON":
                pass
            case _:
                _resource(request.urn).delete(request.id, properties, self._context())
        return empty_pb2.Empty()

    def invoke(self, request: provider_pb2.InvokeRequest) -> provider_pb2.InvokeResponse:
        """Answers a data source."""
        function = INVOKES.get(request.tok)
        if function is None:
            raise _unsupported("function", request.tok, INVOKES)
        result = function(reveal(from_struct(request.args)), self._context())
        return _invoke_response(to_struct(result))

    def _context(self) -> Context:
        if self._configured is None:
            raise PluginError("the gcp provider was not configured")
        return self._configured

    def _state(self, resource: Resource, identity: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the state keeps after a change: the inputs, and the outputs as they are live."""
        live = resource.read(identity, reveal(given), self._context())
        if live is None:
            raise PluginError(f"{identity} was changed, and then it was not there any more")
        return conceal({**_without_marks(given), **live.outputs}, given)


def _split(urn: str) -> tuple[str, str]:
    """The type token and the name in a URN (urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME)."""
    _, _, qualified, name = urn.split("::", 3)
    return qualified.rpartition("$")[2], name


def _resource(urn: str) -> Resource:
    token = _split(urn)[0]
    resource = RESOURCES.get(token)
    if resource is None:
        raise _unsupported("resource type", token, RESOURCES)
    return resource


def _unsupported(what: str, token: str, known: Mapping[str, object]) -> PluginError:
    return PluginError(
        f"the emulator's stand-in for the gcp plugin does not support the {what} {token}; "
        f"it knows: {', '.join(sorted(known))}"
    )


def _invoke_response(result: struct_pb2.Struct) -> provider_pb2.InvokeResponse:
    response = provider_pb2.InvokeResponse()
    # The field is named `return`, which Python cannot spell as an attribute.
    getattr(response, "return").CopyFrom(result)
    return response


def _failures(found: tuple[Problem, ...]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=problem.property, reason=problem.reason) for problem in found]


def _without_marks(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != DEFAULTS_KEY}


def _foreseen(resource: Resource, inputs: Mapping[str, Any]) -> dict[str, Any]:
    outputs: dict[str, Secret | Unknown | Any] = dict.fromkeys(sorted(resource.computed), UNKNOWN)
    return {**outputs, **resource.foreseen(inputs)}


def _known(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs, all of which must be known outside a preview."""
    for name, value in inputs.items():
        if has_unknown(value):
            raise PluginError(f"the input '{name}' is not known, and this is not a preview")
    return inputs


def refusals(call: Callable[[RequestT], AnswerT]) -> Callable[[RequestT, grpc.ServicerContext], AnswerT]:
    """Answers a `PluginError` as a gRPC error with its text, which the engine shows to the user.

    The code is always UNKNOWN: the engine gives others, such as UNIMPLEMENTED and UNAVAILABLE, meanings of its own.
    """

    @functools.wraps(call)
    def answer(request: RequestT, context: grpc.ServicerContext) -> AnswerT:
        try:
            return call(request)
        except PluginError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise  # never reached: abort raises; this tells the type checker

    return answer


def servicer(provider: GcpProvider) -> provider_pb2_grpc.ResourceProviderServicer:
    """The provider's methods under the protocol's names; all others stay unimplemented, as the engine expects.

    Handshake is among those on purpose: its one use would be to learn the engine's address, which is not needed.
    """
    served = provider_pb2_grpc.ResourceProviderServicer()
    methods: Mapping[str, Callable[[Any], Any]] = {
        "Cancel": provider.cancel,
        "Check": provider.check,
        "CheckConfig": provider.check_config,
        "Configure": provider.configure,
        "Create": provider.create,
        "Delete": provider.delete,
        "Diff": provider.diff,
        "DiffConfig": provider.diff_config,
        "GetPluginInfo": provider.get_plugin_info,
        "GetSchema": provider.get_schema,
        "Invoke": provider.invoke,
        "Read": provider.read,
        "Update": provider.update,
    }
    for name, method in methods.items():
        setattr(served, name, refusals(method))
    return served


def build(provider: GcpProvider) -> tuple[grpc.Server, int]:
    """A server for the provider on a free loopback port, not started yet, and its port."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="gcp"),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer(provider), server)
    return server, server.add_insecure_port("127.0.0.1:0")
