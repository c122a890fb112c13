"""The emulator's HTTP server: loopback only, one port for every service.

What is true of all services and not of one: unknown routes answer 501 with their name; errors have the shape
of the API that was called; a request whose Host is not this machine's loopback is refused, so that no web page
can reach the emulator by rebinding a name. There is no authentication: every caller is the owner of every
project, and grants matter only where a service agent or a service account needs them (CMEK, tuning).
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route as HttpRoute

from . import __version__, operations
from .clock import Clock, ManualClock, WallClock, parse_stamp
from .daemon import HOST, START_SECONDS, STOP_SECONDS, DaemonError, listen
from .services import (
    buckets,
    cryptokeys,
    key_versions,
    keyrings,
    objects,
    projects,
    service_accounts,
    service_usage,
    vertex,
)
from .services.storage import bucket_iam, uploads
from .services.vertex import resources
from .store import Store
from .wire import ApiError, Match, Request, Response, Route, Router, parse_query
from .world import Worker, World

log = logging.getLogger(__name__)

LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
BODY_LIMIT = 256 * 2**20

MODULES: tuple[ModuleType, ...] = (
    operations,
    buckets,
    bucket_iam,
    objects,
    uploads,
    keyrings,
    cryptokeys,
    key_versions,
    service_accounts,
    projects,
    service_usage,
    vertex,
)
"""Every module that serves something."""


def collect(world: World) -> tuple[Route, ...]:
    """The routes of all services."""
    return tuple(route for module in MODULES for route in module.routes(world))


def workers() -> tuple[Worker, ...]:
    """What the services run in the background."""
    return tuple(module.worker for module in MODULES if hasattr(module, "worker"))


class Traffic:
    """How often each route was called since the server started, refused calls included."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def count(self, method: str, pattern: str) -> None:
        """Notes one call."""
        with self._lock:
            self._calls[f"{method} {pattern}"] += 1

    def calls(self) -> dict[str, int]:
        """Calls by "METHOD pattern"."""
        with self._lock:
            return dict(sorted(self._calls.items()))


def control_routes(world: World, traffic: Traffic) -> tuple[Route, ...]:
    """The emulator's own questions and levers, under `/_emulator/`."""

    def health(request: Request) -> Mapping[str, Any]:
        del request
        return {"status": "ok", "pid": os.getpid(), "version": __version__}

    def requests(request: Request) -> Mapping[str, Any]:
        del request
        return {"requests": traffic.calls()}

    def counts(request: Request) -> Mapping[str, Any]:
        del request
        return {name: world.store.count(kind) for name, kind in COUNTED.items()}

    def advance(request: Request) -> Mapping[str, Any]:
        if not isinstance(world.clock, ManualClock):
            raise ApiError.failed_precondition(
                "The clock is the machine's; start with --manual-clock to drive it."
            )
        seconds = request.json().get("seconds")
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or seconds < 0:
            raise ApiError.invalid(
                "'seconds' must be a number that is not negative.", ("seconds", "required")
            )
        world.clock.advance(timedelta(seconds=seconds))
        stood = {"now": world.stamp()}
        world.store.delete(*STOOD_AT)
        world.store.create(*STOOD_AT, stood)
        return stood

    return (
        Route("GET", "/_emulator/health", health),
        Route("GET", "/_emulator/requests", requests),
        Route("GET", "/_emulator/counts", counts),
        Route("POST", "/_emulator/clock:advance", advance),
    )


STOOD_AT = ("clock", "manual")
"""Where the clock that is driven by hand is kept over a restart."""

COUNTED = {
    "jobs": resources.JOB,
    "models": resources.MODEL,
    "endpoints": resources.ENDPOINT,
    "buckets": buckets.KIND,
}
"""What `status` counts, and the kind it is stored under."""


def build_app(world: World) -> Starlette:
    """The ASGI application over all services."""
    traffic = Traffic()
    router = Router((*control_routes(world, traffic), *collect(world)))

    async def endpoint(http: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        path = raw_path(http)
        match = router.match(http.method, path)
        traffic.count(http.method, match.route.pattern if match else path)
        try:
            refuse_strangers(http)
            if match is None:
                raise ApiError.unimplemented(f"tuneform-emulator does not implement {http.method} {path}")
            request = parse(http, path, match, await http.body())
            response = await run_in_threadpool(call, match.route, request)
        except ApiError as error:
            response = render_error(path, error)
        log.info(
            "%s %s %d %.0f ms", http.method, path, response.status, (time.perf_counter() - started) * 1000
        )
        return HttpResponse(
            response.content(),
            response.status,
            headers=dict(response.headers),
            media_type=response.media_type,
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


def parse(http: HttpRequest, path: str, match: Match, body: bytes) -> Request:
    """The handler's view of an HTTP request."""
    return Request(
        method=http.method,
        path=path,
        params=match.params,
        query=parse_query(http.url.query),
        headers={name.lower(): value for name, value in http.headers.items()},
        body=body,
        version=match.params.get("version", ""),
    )


def call(route: Route, request: Request) -> Response:
    """Runs a handler; a defect of ours becomes a 500 whose traceback is in the log and nowhere else."""
    try:
        answer = route.handler(request)
    except ApiError as error:
        return render_error(request.path, error)
    except Exception:
        # The outermost edge: whatever a handler breaks on must still be answered.
        log.exception("defect in %s %s", route.method, route.pattern)
        return render_error(
            request.path, ApiError(500, "INTERNAL", "Internal error; the emulator's log says more.")
        )
    return answer if isinstance(answer, Response) else Response(answer)


def render_error(path: str, error: ApiError) -> Response:
    """The error in the shape of the API: Cloud Storage has its own, all others google.rpc.Status."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if path.startswith(("/storage/", "/upload/", "/download/", "/batch/storage")):
        body["errors"] = [{"domain": "global", "reason": error.reason, "message": error.message}]
    else:
        body["status"] = error.status
        if error.details:
            body["details"] = list(error.details)
    return Response({"error": body}, error.code)


def make_server(world: World) -> uvicorn.Server:
    """A uvicorn server for the world, not started yet."""
    return uvicorn.Server(
        uvicorn.Config(
            build_app(world),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(STOP_SECONDS),
        )
    )


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


def serve_database(database: Path, bound: socket.socket, *, manual_clock: bool) -> None:
    """Serves a database until SIGTERM or SIGINT, then finishes the calls under way; for the main thread.

    Raises `DaemonError` when the file is not one of ours.
    """
    try:
        store = Store(database)
    except sqlite3.DatabaseError as error:
        raise DaemonError(
            f"{database} cannot be used: {error}.", "Throw the emulator's state away with `reset`."
        ) from error
    world = World(store, clock(store, manual=manual_clock))
    try:
        with background(world):
            make_server(world).run(sockets=[bound])
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
    bound = listen(port)
    server = make_server(world)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="emulator", daemon=True)
    with background(world):
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
