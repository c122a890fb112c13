"""The emulator's own questions and levers, under `/_emulator/`; no fault and no barrier ever applies to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tuneform_emulator import __version__
from tuneform_emulator.clock import ManualClock
from tuneform_emulator.services import buckets
from tuneform_emulator.services.vertex import resources
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from . import orders, switches
from .barriers import Barrier, Barriers, Held, Outcome
from .calls import CallLog, Calls, check_when
from .decoding import decode, encode
from .effects import CallFault

PREFIX = "/_emulator/"

STOOD_AT = ("clock", "manual")
"""Where the clock that is driven by hand is kept over a restart."""

COUNTED = {
    "jobs": resources.JOB,
    "models": resources.MODEL,
    "endpoints": resources.ENDPOINT,
    "buckets": buckets.KIND,
}
"""What `status` counts, and the kind it is stored under."""

LONGEST_WAIT = 60.0
"""Seconds that a question for held calls may wait for them."""

Json = Mapping[str, Any]


@dataclass
class Controls:
    """What the control routes work on. `knows` says whether a route is meant by some calls."""

    world: World
    knows: Callable[[Calls], bool]
    log: CallLog = field(default_factory=CallLog)
    barriers: Barriers = field(default_factory=Barriers)
    places: dict[str, str] = field(default_factory=dict)
    """Other ports, which health tells clients that know this one: "grpc"."""

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route("GET", "/_emulator/health", self._health),
            Route("GET", "/_emulator/requests", lambda _: {"requests": self.log.calls()}),
            Route("GET", "/_emulator/counts", self._counts),
            Route("GET", "/_emulator/log", self._log),
            Route("POST", "/_emulator/clock:advance", self._advance),
            Route("GET", "/_emulator/settings", lambda _: {"settings": encode(self.world.settings)}),
            Route("POST", "/_emulator/settings", self._set),
            Route("POST", "/_emulator/faults", self._order),
            Route("GET", "/_emulator/faults", self._orders),
            Route("DELETE", "/_emulator/faults", lambda _: {"deleted": self.world.faults.take_back()}),
            Route("DELETE", "/_emulator/faults/{id}", self._take_back),
            Route("POST", "/_emulator/barriers", self._set_up),
            Route("GET", "/_emulator/barriers", self._held),
            Route("POST", "/_emulator/barriers/{id}:release", self._release),
            Route("DELETE", "/_emulator/barriers/{id}", self._remove),
        )

    def _health(self, request: Request) -> Json:
        del request
        return {"status": "ok", "pid": os.getpid(), "version": __version__, **self.places}

    def _counts(self, request: Request) -> Json:
        del request
        return {name: self.world.store.count(kind) for name, kind in COUNTED.items()}

    def _log(self, request: Request) -> Json:
        return {"calls": self.log.since(request.whole("since"))}

    def _advance(self, request: Request) -> Json:
        world = self.world
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

    def _set(self, request: Request) -> Json:
        """Changes some settings, for good: they are there after a restart."""
        self.world.settings = switches.changed(self.world.settings, request.json())
        switches.keep(self.world.store, self.world.settings)
        return {"settings": encode(self.world.settings)}

    def _order(self, request: Request) -> Json:
        """Orders the faults of the body, all or none."""
        given = known(request, {"faults"}).get("faults")
        if not isinstance(given, list):
            raise ApiError.invalid("'faults' must be a list.", ("faults", "required"))
        faults = [orders.read(item) for item in given]
        for fault in faults:
            if isinstance(fault, CallFault):
                self._check_route(fault.calls)
        return {"ids": list(self.world.faults.order(*faults))}

    def _orders(self, request: Request) -> Json:
        found = self.world.faults.orders(unmet=request.flag("unmet"))
        return {"faults": [orders.shown(order) for order in found]}

    def _take_back(self, request: Request) -> Json:
        if not (gone := self.world.faults.take_back(request.params["id"])):
            raise ApiError.not_found(f"There is no fault {request.params['id']}.")
        return {"deleted": gone}

    def _set_up(self, request: Request) -> Json:
        body = known(request, {"calls", "when"})
        calls = decode(Calls, body.get("calls", {}), "calls")
        self._check_route(calls)
        return {"id": self.barriers.set_up(calls, check_when(body.get("when", "before")))}

    def _held(self, request: Request) -> Json:
        """What is held now; with `held=N&seconds=S` waits until it is that many, or the time is over."""
        held = self.barriers.held(request.whole("held"), min(request.whole("seconds"), LONGEST_WAIT))
        return {
            "barriers": [barrier_shown(barrier) for barrier in self.barriers.barriers()],
            "held": [held_shown(item) for item in held],
        }

    def _release(self, request: Request) -> Json:
        body = known(request, {"outcome", "count"})
        count = body.get("count")
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise ApiError.invalid("'count' must be a positive integer.", ("count", str(count)))
        outcome = check_outcome(body.get("outcome", "proceed"))
        released = self.barriers.release(request.params["id"], outcome, count)
        if released is None:
            raise ApiError.not_found(f"There is no barrier and no held call {request.params['id']}.")
        return {"released": released}

    def _remove(self, request: Request) -> Json:
        if not self.barriers.remove(request.params["id"]):
            raise ApiError.not_found(f"There is no barrier {request.params['id']}.")
        return {}

    def _check_route(self, calls: Calls) -> None:
        """A fault on a route that is not there would never be met: say so at once."""
        if not self.knows(calls):
            raise ApiError.invalid(
                f"No route matches {calls.method or 'any method'} {calls.route}.",
                ("calls.route", calls.route),
            )


def known(request: Request, names: set[str]) -> dict[str, Any]:
    """The body, whose fields are all known; raises `ApiError` 400."""
    body = request.json()
    if unknown := set(body) - names:
        raise ApiError.invalid(f"There is no '{min(unknown)}' here.", (min(unknown), "unknown"))
    return body


def check_outcome(value: object) -> Outcome:
    """The word as an `Outcome`; raises `ApiError` 400."""
    if value == "proceed":
        return "proceed"
    if value == "drop":
        return "drop"
    raise ApiError.invalid(f"outcome is proceed or drop, not {value!r}.", ("outcome", str(value)))


def barrier_shown(barrier: Barrier) -> dict[str, Any]:
    """A barrier as JSON."""
    return {
        "id": barrier.id,
        "calls": encode(barrier.calls),
        "when": barrier.when,
        "seen": barrier.tally.seen,
        "met": barrier.tally.met,
    }


def held_shown(held: Held) -> dict[str, Any]:
    """A held call as JSON."""
    call = held.call
    return {
        "id": held.id,
        "barrier": held.barrier,
        "when": held.when,
        "method": call.method,
        "path": call.path,
        "route": call.pattern,
        "run": call.run,
    }
