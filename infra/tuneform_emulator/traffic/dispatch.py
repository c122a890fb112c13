"""From a call to its answer, the same for HTTP and gRPC."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuneform_emulator.wire import ApiError, Request, Response, Route, Router, parse_query
from tuneform_emulator.world import World

from .control import Counts, control_routes
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
        self.counts = Counts()
        self._router = Router((*control_routes(world, self.counts), *collect(world)))

    def __call__(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a call.

        `path` and `query` are as they were sent, percent-encoded; header names may have either case. Refusals and
        defects are answers too, in the shape of the API that was called.
        """
        match = self._router.match(method, path)
        self.counts.add(method, match.route.pattern if match else path)
        if match is None:
            return render_error(
                path, ApiError.unimplemented(f"tuneform-emulator does not implement {method} {path}")
            )
        request = Request(
            method=method,
            path=path,
            params=match.params,
            query=parse_query(query),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            version=match.params.get("version", ""),
        )
        return call(match.route, request)

    def close(self) -> None:
        """Lets go of every call that is held or delayed; the server is about to end."""


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
