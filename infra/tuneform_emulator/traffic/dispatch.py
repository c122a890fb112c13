"""From a call to its answer, the same for HTTP and gRPC.

A call is logged, held by barriers, met by faults, handled, held again, met again, answered.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tuneform_emulator.wire import ApiError, Match, Request, Response, Route, Router, parse_query
from tuneform_emulator.world import World

from .calls import Entry, When, agent_of
from .control import PREFIX, Controls
from .effects import Malformed, Reset, Status
from .services import collect

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cut:
    """No answer: the connection is to be dropped."""


@dataclass(frozen=True)
class Garbage:
    """An answer of 200 that its reader cannot decode."""

    body: bytes
    media_type: str


Answer = Response | Cut | Garbage


class Dispatcher:
    """Answers the calls of one world. It may be called from many threads at once, and may block."""

    def __init__(self, world: World) -> None:
        self.world = world
        routes = collect(world)
        self.controls = Controls(
            world,
            lambda calls: any(
                calls.method in ("", route.method) and calls.fits_route(route.pattern) for route in routes
            ),
        )
        self._router = Router((*self.controls.routes(), *routes))

    def __call__(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a call.

        `path` and `query` are as they were sent, percent-encoded; header names may have either case. Refusals and
        defects are answers too, in the shape of the API that was called.
        """
        log = self.controls.log
        match = self._router.match(method, path)
        log.count(method, match.route.pattern if match else path)
        request = Request(
            method=method,
            path=path,
            params=match.params if match else {},
            query=parse_query(query),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            version=match.params.get("version", "") if match else "",
        )
        if path.startswith(PREFIX):
            return handle(match, request)
        pattern = match.route.pattern if match else ""
        entry = log.arrive(method, path, pattern, agent_of(request.headers))
        answer = self._live(entry, match, request)
        entry.status = answer.status if isinstance(answer, Response) else type(answer).__name__.lower()
        return answer

    def close(self) -> None:
        """Lets go of every call that is held or delayed; the server is about to end."""
        self.controls.barriers.close()
        self.world.faults.close()

    def _live(self, entry: Entry, match: Match | None, request: Request) -> Answer:
        """All that a call goes through; what a fault or a barrier makes of it stands instead of its own answer."""
        if broken := self._befall(entry, "before", request.path):
            return broken
        entry.handled = True
        answer = handle(match, request)
        return self._befall(entry, "after", request.path) or answer

    def _befall(self, entry: Entry, when: When, path: str) -> Answer | None:
        if self.controls.barriers.hold(entry.call, when) == "drop":
            return Cut()
        match self.world.faults.meet(entry.call, when):
            case Status() as effect:
                return replace(render_error(path, effect.error()), headers=effect.headers())
            case Reset():
                return Cut()
            case Malformed() as effect:
                return Garbage(effect.body.encode(), effect.media_type)
            case _:
                return None


def handle(match: Match | None, request: Request) -> Response:
    """What the emulated service answers."""
    if match is None:
        return render_error(
            request.path,
            ApiError.unimplemented(f"tuneform-emulator does not implement {request.method} {request.path}"),
        )
    return call(match.route, request)


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
