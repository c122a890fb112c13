"""The emulator's HTTP server: loopback only, one port for every service.

What concerns HTTP is here, what concerns gRPC in `rpc`, what concerns calls in `traffic.dispatch`. A request whose
Host is not this machine's loopback is refused, so that no web page can reach the emulator by rebinding a name. There
is no authentication: every caller is the owner of every project, and grants matter only where a service agent or a
service account needs them (CMEK, tuning).
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route as HttpRoute
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .clock import Clock, ManualClock, WallClock, parse_stamp
from .daemon import HOST, START_SECONDS, STOP_SECONDS, DaemonError, listen
from .rpc.server import RpcServer
from .store import Store
from .traffic import switches
from .traffic.control import PREFIX, STOOD_AT
from .traffic.dispatch import Cut, Dispatcher, Garbage, render_error
from .traffic.services import workers
from .wire import ApiError
from .world import World

log = logging.getLogger(__name__)

LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
BODY_LIMIT = 256 * 2**20
THREADS = 256
"""How many calls are under way at once; a call that a barrier holds has a thread to itself."""
CONTROL_THREADS = 32
"""Those of the control routes: they answer also while every other thread is held."""


class Protocol(H11Protocol):
    """uvicorn's HTTP protocol, with a way for the application to drop its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Hands the application a way to reset the connection, as `state["reset"]` of each of its requests."""
        self.app_state = {**self.app_state, "reset": self._reset}
        super().connection_made(transport)

    def _reset(self) -> None:
        if self.transport.is_closing():
            return  # the client was faster
        # Lingering for no time makes the close a TCP reset: the client cannot take it for the end of an answer.
        bound = self.transport.get_extra_info("socket")
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class CutOff:
    """An answer that is none: the connection is reset under the client's feet."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Drops the connection, and waits until it is known to be gone, or uvicorn would answer 500 into it."""
        del send
        scope["state"]["reset"]()
        while (await receive())["type"] != "http.disconnect":
            pass


class Pools:
    """Threads for calls: they go on to their end whether or not the client still waits."""

    def __init__(self) -> None:
        self._calls = ThreadPoolExecutor(THREADS, thread_name_prefix="call")
        self._controls = ThreadPoolExecutor(CONTROL_THREADS, thread_name_prefix="control")

    def of(self, path: str) -> ThreadPoolExecutor:
        """The threads that a call runs in."""
        return self._controls if path.startswith(PREFIX) else self._calls

    def close(self) -> None:
        """Starts nothing any more; does not wait."""
        for pool in (self._calls, self._controls):
            pool.shutdown(wait=False, cancel_futures=True)


def build_app(dispatcher: Dispatcher, pools: Pools) -> Starlette:
    """The ASGI application over all services."""

    async def endpoint(http: HttpRequest) -> Any:
        started = time.perf_counter()
        path = raw_path(http)
        try:
            refuse_strangers(http)
        except ApiError as error:
            refused = render_error(path, error)
            return HttpResponse(refused.content(), refused.status, media_type=refused.media_type)
        body = await http.body()
        answer = await asyncio.get_running_loop().run_in_executor(
            pools.of(path), dispatcher, http.method, path, http.url.query, dict(http.headers), body
        )
        outcome = (
            "cut" if isinstance(answer, Cut) else "garbage" if isinstance(answer, Garbage) else answer.status
        )
        log.info("%s %s %s %.0f ms", http.method, path, outcome, (time.perf_counter() - started) * 1000)
        if isinstance(answer, Cut):
            return CutOff()
        if isinstance(answer, Garbage):
            return HttpResponse(answer.body, media_type=answer.media_type)
        return HttpResponse(
            answer.content(), answer.status, headers=dict(answer.headers), media_type=answer.media_type
        )

    return Starlette(routes=[HttpRoute("/{path:path}", endpoint, methods=METHODS)])


def raw_path(http: HttpRequest) -> str:
    """The path as it was sent: `%2F` inside an object's name is not a separator."""
    sent: bytes = http.scope.get("raw_path") or http.scope["path"].encode()
    return sent.partition(b"?")[0].decode("latin-1")


def refuse_strangers(http: HttpRequest) -> None:
    """Raises `ApiError` when the call was not meant for loopback, or is larger than memory allows."""
    host = http.headers.get("host", "")
    if not LOOPBACK.fullmatch(host):
        raise ApiError.permission_denied(f"The emulator answers loopback hosts only, not '{host}'.")
    length = http.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_LIMIT:
        raise ApiError(413, "INVALID_ARGUMENT", f"The emulator takes bodies of at most {BODY_LIMIT} bytes.")


class Server(uvicorn.Server):
    """A uvicorn server that lets go of held calls when it ends, and does not wait for their clients."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._pools = Pools()
        config = uvicorn.Config(
            build_app(dispatcher, self._pools),
            http=Protocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(STOP_SECONDS),
        )
        super().__init__(config)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the server once the calls under way are answered."""
        self._dispatcher.close()
        await super().shutdown(sockets)
        self._pools.close()


@contextmanager
def background(world: World) -> Iterator[None]:
    """Runs the services' workers in threads; on leaving tells them to stop and waits for them."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=worker, args=(world, stop), name=worker.__module__, daemon=True)
        for worker in workers()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(STOP_SECONDS)


def serve_database(
    database: Path,
    bound: socket.socket,
    rpc: RpcServer,
    *,
    manual_clock: bool,
    settings: Mapping[str, Any],
) -> None:
    """Serves a database until SIGTERM or SIGINT, then finishes the calls under way; for the main thread.

    `settings` replace those that the database holds, from now on.

    Raises `DaemonError` when the file is not one of ours.
    """
    try:
        store = Store(database)
    except sqlite3.DatabaseError as error:
        raise DaemonError(
            f"{database} cannot be used: {error}.", "Throw the emulator's state away with `reset`."
        ) from error
    world = World(store, clock(store, manual=manual_clock), switches.changed(switches.kept(store), settings))
    try:
        switches.keep(store, world.settings)
        dispatcher = Dispatcher(world)
        with background(world), rpc.serving(dispatcher):
            Server(dispatcher).run(sockets=[bound])
    finally:
        store.close()


def clock(store: Store, *, manual: bool) -> Clock:
    """The machine's clock, or one driven by hand that goes on where it stood before a restart."""
    if not manual:
        return WallClock()
    stood = store.get(*STOOD_AT)
    return ManualClock(parse_stamp(stood["now"]) if stood else datetime.now(UTC))


@contextmanager
def running(world: World, port: int = 0) -> Iterator[str]:
    """Serves from a thread while the block runs and gives the endpoint, e.g. "http://127.0.0.1:43210"."""
    with serving(Dispatcher(world), port) as endpoint:
        yield endpoint


@contextmanager
def serving(dispatcher: Dispatcher, port: int = 0) -> Iterator[str]:
    """As `running`, for a test that keeps the dispatcher in its own hands."""
    bound = listen(port)
    server = Server(dispatcher)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="emulator", daemon=True)
    with background(dispatcher.world), RpcServer().serving(dispatcher):
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the emulator's server did not start")
            time.sleep(0.005)
        try:
            yield f"http://{HOST}:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)
            bound.close()
