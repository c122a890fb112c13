"""The gRPC port: loopback only, every service on it, each call in a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import orjson
from google.protobuf.message import DecodeError

from tuneform_emulator.daemon import HOST, STOP_SECONDS, listen
from tuneform_emulator.traffic.dispatch import Answer, Cut, Dispatcher, Garbage, render_error
from tuneform_emulator.wire import ApiError, Response

from . import messages
from .answers import Encoder
from .failures import DETAILS_KEY, Failure, failure
from .methods import Bound, bound
from .transcoding import http_call

log = logging.getLogger(__name__)

THREADS = 256
"""How many calls are under way at once; a call that a barrier holds has a thread to itself."""
RECEIVE_LIMIT = 256 * 2**20
OPTIONS = (
    # Without it the kernel would give two emulators the same port, and each of them some of the calls.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", RECEIVE_LIMIT),
    ("grpc.max_send_message_length", -1),
)
UNDECODABLE = b"\xff"
"""No message: the first number never ends."""

Dispatch = Callable[[str, str, str, Mapping[str, str], bytes], Answer]
"""Answers a call: method, path, query, headers, body."""


class Refused(Exception):
    """A call that ends with a status other than OK."""

    def __init__(self, ending: Failure) -> None:
        super().__init__(ending.message)
        self.ending = ending


class RpcServer:
    """A gRPC server, bound to its port at once; while it is not `serving`, callers wait."""

    def __init__(self, port: int = 0) -> None:
        """Binds the port, any free one when that is taken or 0."""
        self._server = grpc.server(ThreadPoolExecutor(THREADS, thread_name_prefix="rpc"), options=OPTIONS)
        self.port: int = self._server.add_insecure_port(f"{HOST}:{port if free(port) else 0}")

    @property
    def address(self) -> str:
        """What a channel is opened to, e.g. "127.0.0.1:43210"."""
        return f"{HOST}:{self.port}"

    @contextmanager
    def serving(self, dispatcher: Dispatcher) -> Iterator[None]:
        """Answers calls while the block runs, then finishes those under way."""
        dispatcher.controls.places["grpc"] = self.address
        self._server.add_generic_rpc_handlers((Handler(dispatcher),))
        self._server.start()
        try:
            yield
        finally:
            self.close()

    def close(self) -> None:
        """Gives the port back, once the calls under way are answered."""
        self._server.stop(STOP_SECONDS).wait()


def free(port: int) -> bool:
    """Whether a port can be bound right now; asked first because gRPC reports one that cannot on stderr."""
    try:
        listen(port).close()
    except (OSError, OverflowError):
        return False
    return True


class Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in grpc-stubs only
    """Answers every method of the table through a dispatcher, and names the others."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._methods = dict(bound())
        self._encoder = Encoder()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        """How a call is answered."""
        path = handler_call_details.method
        found = self._methods.get(path)
        if found is not None and found.method.streams:
            return grpc.unary_stream_rpc_method_handler(
                lambda data, context: iter(self._answer(path, found, data, context))
            )
        return grpc.unary_unary_rpc_method_handler(
            lambda data, context: self._answer(path, found, data, context)[0]
        )

    def _answer(
        self, path: str, found: Bound | None, data: bytes, context: grpc.ServicerContext
    ) -> list[bytes]:
        """The response messages; ends the call through the context when there are none."""
        started = time.perf_counter()
        try:
            replies = self._call(path, found, data, context)
            outcome = "OK"
        except Refused as refused:
            ending, replies = refused.ending, []
            outcome = ending.code.name
        except Exception:
            # The outermost edge: whatever breaks must still be answered.
            log.exception("defect in %s", path)
            ending, replies = (
                Failure(grpc.StatusCode.INTERNAL, "Internal error; the emulator's log says more."),
                [],
            )
            outcome = "INTERNAL"
        log.info("%s %s %.0f ms", path, outcome, (time.perf_counter() - started) * 1000)
        if outcome != "OK":
            if ending.details:
                context.set_trailing_metadata(((DETAILS_KEY, ending.details),))
            context.abort(ending.code, ending.message)
        return replies

    def _call(
        self, path: str, found: Bound | None, data: bytes, context: grpc.ServicerContext
    ) -> list[bytes]:
        try:
            if found is None:
                raise ApiError.unimplemented(f"tuneform-emulator does not implement {path}")
            if found.version:
                messages.load(found.version, found.service)
            call = http_call(found, decode(found.request, data))
        except ApiError as error:
            raise Refused(failure(render_error(path, error))) from error
        answer = self._dispatch(call.method, call.path, call.query, headers(context), call.body)
        if isinstance(answer, Cut):
            # What a client makes of a connection that is reset under its feet.
            raise Refused(Failure(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer"))
        if isinstance(answer, Garbage):
            return [UNDECODABLE]
        if answer.status >= 400:
            raise Refused(failure(answer))
        value = json_value(answer)
        return [
            self._encoder.encode(found.answer, item) for item in (value if found.method.streams else [value])
        ]


def decode(full_name: str, data: bytes) -> Any:
    """The request message; raises `ApiError` 400 for bytes that are none."""
    try:
        return messages.message_class(full_name).FromString(data)
    except DecodeError as error:
        raise ApiError.invalid(f"The request is not a {full_name}.") from error


def headers(context: grpc.ServicerContext) -> dict[str, str]:
    """The call's metadata, but for binary values."""
    return {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}


def json_value(answer: Response) -> Any:
    """The JSON of an answer."""
    return orjson.loads(answer.body) if isinstance(answer.body, bytes) else answer.body
