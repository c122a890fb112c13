"""The levers of a running emulator, for tests: faults, barriers, settings, the clock and the log of calls.

The names and shapes are those of docs/emulator.md; nothing here knows the emulator's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import requests

When = Literal["before", "after"]
Json = dict[str, Any]

TIMEOUT = 90.0
WAIT = 30


@dataclass(frozen=True)
class Logged:
    """A call as the emulator's log shows it; `status` is None while it is under way."""

    number: int
    method: str
    path: str
    route: str
    run: str
    status: int | str | None
    handled: bool


@dataclass(frozen=True)
class Held:
    """A call that a barrier holds."""

    id: str
    barrier: str
    when: When
    method: str
    path: str
    route: str
    run: str


class Refused(Exception):
    """The emulator did not take an order."""


@dataclass(frozen=True)
class Control:
    """One emulator; `endpoint` as in "http://127.0.0.1:8787"."""

    endpoint: str

    def order(self, *faults: Mapping[str, Any]) -> list[str]:
        """Orders faults and returns their ids; raises `Refused`."""
        return list(self._call("POST", "faults", {"faults": list(faults)})["ids"])

    def faults(self) -> list[Json]:
        """All orders, with how often each was met."""
        return list(self._call("GET", "faults")["faults"])

    def unmet(self) -> list[Json]:
        """The orders that were met less often than they were meant to be."""
        return list(self._call("GET", "faults?unmet=1")["faults"])

    def take_back(self, *ids: str) -> None:
        """Removes orders, all without an id; a delay ends and a stuck job goes on."""
        for path in [f"faults/{key}" for key in ids] or ["faults"]:
            self._call("DELETE", path)

    @contextmanager
    def met(self, *faults: Mapping[str, Any]) -> Iterator[list[str]]:
        """Orders faults for a block; when it ends well, each of them must have been met as often as it was meant."""
        ids = self.order(*faults)
        try:
            yield ids
            missed = [fault for fault in self.unmet() if fault["id"] in ids]
        finally:
            self.take_back(*ids)
        assert not missed, f"faults that were ordered and never met: {missed}"

    def hold(self, when: When = "before", **calls: object) -> str:
        """Holds calls from now on; the fields are those of a fault's `calls`, `times=0` to hold them all."""
        return str(self._call("POST", "barriers", {"calls": calls, "when": when})["id"])

    def held(self, at_least: int = 0, seconds: int = WAIT) -> list[Held]:
        """The calls held now, the oldest first, once they are `at_least` so many; fails after `seconds`."""
        query = f"?held={at_least}&seconds={seconds}"
        found = [Held(**item) for item in self._call("GET", f"barriers{query}")["held"]]
        assert len(found) >= at_least, f"{len(found)} calls are held, not {at_least}: {found}"
        return found

    def release(
        self, key: str, outcome: Literal["proceed", "drop"] = "proceed", count: int | None = None
    ) -> list[str]:
        """Lets a held call go, or those of a barrier; returns the ids of the calls."""
        body = {"outcome": outcome, **({"count": count} if count else {})}
        return list(self._call("POST", f"barriers/{key}:release", body)["released"])

    def remove(self, key: str) -> None:
        """Takes a barrier away; what it holds goes on."""
        self._call("DELETE", f"barriers/{key}")

    def log(self, since: int = 0) -> list[Logged]:
        """The calls after a number, in the order they came."""
        return [Logged(**item) for item in self._call("GET", f"log?since={since}")["calls"]]

    def settings(self, **changes: object) -> Json:
        """The settings, after some were changed."""
        if changes:
            return dict(self._call("POST", "settings", changes)["settings"])
        return dict(self._call("GET", "settings")["settings"])

    def advance(self, seconds: float) -> str:
        """Moves a clock that is driven by hand; returns the new moment."""
        return str(self._call("POST", "clock:advance", {"seconds": seconds})["now"])

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = requests.request(method, f"{self.endpoint}/_emulator/{path}", json=body, timeout=TIMEOUT)
        if answer.status_code != 200:
            raise Refused(answer.text)
        found: Json = answer.json()
        return found
