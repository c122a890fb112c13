"""The emulator's own questions and levers, under `/_emulator/`."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tuneform_emulator import __version__
from tuneform_emulator.clock import ManualClock
from tuneform_emulator.services import buckets
from tuneform_emulator.services.vertex import resources
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

STOOD_AT = ("clock", "manual")
"""Where the clock that is driven by hand is kept over a restart."""

COUNTED = {
    "jobs": resources.JOB,
    "models": resources.MODEL,
    "endpoints": resources.ENDPOINT,
    "buckets": buckets.KIND,
}
"""What `status` counts, and the kind it is stored under."""


class Counts:
    """How often each route was called since the server started, refused calls included."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def add(self, method: str, pattern: str) -> None:
        """Notes one call."""
        with self._lock:
            self._calls[f"{method} {pattern}"] += 1

    def calls(self) -> dict[str, int]:
        """Calls by "METHOD pattern"."""
        with self._lock:
            return dict(sorted(self._calls.items()))


def control_routes(world: World, counted: Counts) -> tuple[Route, ...]:
    """The routes; no fault and no barrier ever applies to them."""

    def health(request: Request) -> Mapping[str, Any]:
        del request
        return {"status": "ok", "pid": os.getpid(), "version": __version__}

    def requests(request: Request) -> Mapping[str, Any]:
        del request
        return {"requests": counted.calls()}

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
