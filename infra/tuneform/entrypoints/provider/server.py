"""The Pulumi provider protocol (pulumi/proto/provider.proto), for the resources in `resources`.

Every refusal is sent with the code UNKNOWN and the text a person should read: the engine gives other codes, such
as UNIMPLEMENTED and UNAVAILABLE, meanings of its own.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tuneform.entrypoints.provider import importing
from tuneform.entrypoints.provider.policies import Policies
from tuneform.entrypoints.provider.resources import RESOURCES, Call, Resource
from tuneform.entrypoints.provider.session import Session, load_clients, working_for
from tuneform.entrypoints.provider.shape import Failure, failures, schema_text
from tuneform.entrypoints.provider.wire import Properties, conceal, decode, encode, reveal
from tuneform.errors import TuneformError

THREADS = 64
"""Resources that may be waited for at the same time; a tuning job keeps a thread busy until it has ended."""
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024
_UPDATE = provider_pb2.PropertyDiff.Kind.UPDATE
_REPLACE = provider_pb2.PropertyDiff.Kind.UPDATE_REPLACE

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")


class UnfinishedError(Exception):
    """A create or update that failed half-way: the state is to remember what there is by now."""

    def __init__(self, cause: TuneformError, details: provider_pb2.ErrorResourceInitFailed) -> None:
        super().__init__(cause.render())
        self.details = details


class Provider:
    """The provider's methods, on requests and answers alone; many run at a time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.policies = Policies(session)

    def get_plugin_info(self, _request: empty_pb2.Empty) -> plugin_pb2.PluginInfo:
        """The package's version."""
        return plugin_pb2.PluginInfo(version=version("tuneform"))

    def get_schema(self, _request: provider_pb2.GetSchemaRequest) -> provider_pb2.GetSchemaResponse:
        """What every Pulumi language makes its SDK from."""
        return provider_pb2.GetSchemaResponse(schema=schema_text())

    def check_config(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """The stack's `tuneform:` settings come here too; the program judges them."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def diff_config(self, _request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """No setting makes other resources of those that there are."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def configure(self, request: provider_pb2.ConfigureRequest) -> provider_pb2.ConfigureResponse:
        """Take the settings, and begin to load what the first resource will need."""
        self.session.config = reveal(decode(request.args))
        threading.Thread(target=load_clients, name="load-clients", daemon=True).start()
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def attach(self, request: plugin_pb2.PluginAttach) -> empty_pb2.Empty:
        """The engine's address, for a provider that was started by hand (PULUMI_DEBUG_PROVIDERS)."""
        self.session.log.attach(request.address)
        return empty_pb2.Empty()

    def cancel(self, _request: empty_pb2.Empty) -> empty_pb2.Empty:
        """End every wait. Jobs go on and are recorded; the next run follows them."""
        self.session.stop.set()
        return empty_pb2.Empty()

    def check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """Judge inputs, by the schema and by policies; they are passed on as they came, secrets and all."""
        resource = _resource(request.urn)
        inputs = reveal(decode(request.news))
        found: list[Failure] = list(failures(resource.token, inputs))
        if not found:
            found = list(resource.flaws(Call(self.session, inputs)))
        if not found:
            found = list(self.policies.failures(resource.token, _name(request.urn), inputs))
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=f.path, reason=f.reason) for f in found],
        )

    def diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Against the inputs before and what is live."""
        resource = _resource(request.urn)
        call = self._call(request.news, request.old_inputs, request.olds)
        if replaced := resource.replaced(call):
            return _difference(dict.fromkeys(replaced, True), replace=True)
        return _difference(resource.differences(call))

    def create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        """Create; a preview reads and tells."""
        resource, call = _resource(request.urn), self._call(request.properties)
        given = decode(request.properties)
        if request.preview:
            foreseen = conceal(resource.foresee(call), given)
            return provider_pb2.CreateResponse(properties=encode(foreseen))
        identity = resource.id(call.inputs)
        outputs = _apply(resource, identity, call, given)
        return provider_pb2.CreateResponse(id=identity, properties=encode(outputs))

    def update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        """Update; a preview reads and tells."""
        resource, given = _resource(request.urn), decode(request.news)
        call = self._call(request.news, request.old_inputs, request.olds)
        if request.preview:
            foreseen = conceal(resource.foresee(call), given)
            return provider_pb2.UpdateResponse(properties=encode(foreseen))
        outputs = _apply(resource, request.id, call, given)
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    def read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        """The live resource, for a refresh (the state's inputs are given) or an import (an id alone is given).

        An update cannot give a resource another id, a read can: here the id of a renamed one follows its name.
        """
        resource = _resource(request.urn)
        given = decode(request.inputs)
        if not given.get("project"):
            given = importing.inputs_of(resource.token, request.id, self.session)
        call = Call(self.session, reveal(given), outputs=reveal(decode(request.properties)))
        outputs = resource.look(call)
        if outputs is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=resource.id(call.inputs), inputs=encode(given), properties=encode(conceal(outputs, given))
        )

    def delete(self, request: provider_pb2.DeleteRequest) -> empty_pb2.Empty:
        """Delete what is live."""
        call = Call(
            self.session, reveal(decode(request.old_inputs)), outputs=reveal(decode(request.properties))
        )
        _resource(request.urn).remove(call)
        return empty_pb2.Empty()

    def _call(self, inputs: Struct, old_inputs: Struct | None = None, outputs: Struct | None = None) -> Call:
        plain = [reveal(decode(struct)) if struct else {} for struct in (inputs, old_inputs, outputs)]
        return Call(self.session, *plain)


def _apply(resource: Resource, identity: str, call: Call, given: Properties) -> dict[str, Any]:
    """The outputs, secrets marked; a failure brings what is to be remembered with it."""
    try:
        return conceal(resource.apply(call), given)
    except TuneformError as error:
        details = provider_pb2.ErrorResourceInitFailed(
            id=identity,
            properties=encode(conceal(resource.salvage(call), given)),
            inputs=encode(given),
            reasons=[error.render()],
        )
        raise UnfinishedError(error, details) from error


def _resource(urn: str) -> Resource:
    """The resource type in a URN (urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME)."""
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in RESOURCES:
        raise TuneformError(
            f"the tuneform provider has no resource type {token}",
            remedy=f"it has {', '.join(sorted(RESOURCES))}",
            code="E310",
        )
    return RESOURCES[token]


def _name(urn: str) -> str:
    """The name in a URN, in which there may be colons."""
    return urn.split("::", 3)[3]


def _difference(paths: Mapping[str, bool], *, replace: bool = False) -> provider_pb2.DiffResponse:
    if not paths:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    tops = sorted({path.partition(".")[0] for path in paths})
    kind = _REPLACE if replace else _UPDATE
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=tops,
        replaces=tops if replace else [],
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=kind, inputDiff=of_input) for path, of_input in paths.items()
        },
        hasDetailedDiff=True,
    )


def _refusing(call: Callable[[RequestT], AnswerT]) -> Callable[[RequestT, grpc.ServicerContext], AnswerT]:
    """A method as gRPC wants it: errors as statuses, and what is said on the way under the resource's URN."""

    @functools.wraps(call)
    def answer(request: RequestT, context: grpc.ServicerContext) -> AnswerT:
        try:
            with working_for(getattr(request, "urn", "")):
                return call(request)
        except UnfinishedError as unfinished:
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(unfinished))
            status.details.add().Pack(unfinished.details)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, str(unfinished))
            raise  # never reached, since abort raises; the type checker does not know
        except TuneformError as error:
            context.abort(grpc.StatusCode.UNKNOWN, error.render())
            raise  # as above

    return answer


def servicer(provider: Provider) -> provider_pb2_grpc.ResourceProviderServicer:
    """The methods under the protocol's names; all others stay unimplemented, which the engine expects."""
    served = provider_pb2_grpc.ResourceProviderServicer()
    methods: Mapping[str, Callable[[Any], Any]] = {
        "Attach": provider.attach,
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
        "Read": provider.read,
        "Update": provider.update,
    }
    for name, method in methods.items():
        setattr(served, name, _refusing(method))
    return served


def build(session: Session) -> tuple[grpc.Server, int]:
    """A server on a free loopback port, not started yet, and its port."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="tuneform"),
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer(Provider(session)), server)
    return server, server.add_insecure_port("127.0.0.1:0")
