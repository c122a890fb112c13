"""Calls as faults, barriers and tests see them: which ones are meant, how often they came, in which order."""

from __future__ import annotations

import itertools
import re
import sys
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from tuneform_emulator.wire import ApiError

When = Literal["before", "after"]
"""Before the handler runs, or after it ran and what it changed is stored."""

KEPT = 100_000
"""How many calls the log holds; the oldest fall out."""

RUN = re.compile(r"\brun/(\S+)")
ANY = "..."


@dataclass(frozen=True, slots=True)
class Call:
    """One call under way. `number` counts calls from 1 as they came in; `pattern` is "" when no route was found."""

    number: int
    method: str
    path: str
    pattern: str
    agent: str = ""
    """The caller's `user-agent` and `x-goog-api-client`, with a space between."""

    @property
    def run(self) -> str:
        """The run that the caller says it is, from `run/ID` in its user agent; "" without one."""
        found = RUN.search(self.agent)
        return found[1] if found else ""


def agent_of(headers: Mapping[str, str]) -> str:
    """What a caller says about itself; header names in lower case."""
    return " ".join(headers[name] for name in ("user-agent", "x-goog-api-client") if headers.get(name))


@dataclass(frozen=True)
class Calls:
    """Which calls are meant; "" stands for any.

    Raises ValueError for a path that is no regular expression, and for numbers that mean nothing.
    """

    method: str = ""
    route: str = ""
    """A route's pattern as the log shows it; `.../tuningJobs` means every pattern that ends in `/tuningJobs`."""
    path: str = ""
    """A regular expression, looked for anywhere in the path as it was sent."""
    caller: str = ""
    """Part of the `user-agent` or of the `x-goog-api-client`."""
    nth: int = 1
    """The first one meant, of those that all the rest fits; from 1."""
    times: int = 1
    """How many are meant from there on; 0 is all of them."""

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from error
        check_window(self.nth, self.times)

    def fits(self, call: Call) -> bool:
        """Whether the call is of this kind, whichever one it is in their order."""
        return (
            self.method in ("", call.method)
            and self.fits_route(call.pattern)
            and self.caller in call.agent
            and (not self.path or self._path.search(call.path) is not None)
        )

    def fits_route(self, pattern: str) -> bool:
        """Whether the route is meant."""
        if self.route.startswith(ANY):
            return pattern.endswith(self.route.removeprefix(ANY))
        return self.route in ("", pattern)

    @cached_property
    def _path(self) -> re.Pattern[str]:
        return re.compile(self.path)


def check_when(value: object) -> When:
    """The word as a `When`; raises `ApiError` 400."""
    if value == "before":
        return "before"
    if value == "after":
        return "after"
    raise ApiError.invalid(f"when is before or after, not {value!r}.", ("when", str(value)))


def check_window(nth: int, times: int) -> None:
    """Raises ValueError unless nth and times say which ones of a row are meant."""
    if nth < 1 or times < 0:
        raise ValueError("nth is 1 or more, times is 0 (all) or more")


@dataclass
class Tally:
    """How many came by, and how many of them were meant."""

    nth: int
    times: int
    seen: int = 0
    met: int = 0

    def hit(self) -> bool:
        """Counts one that came by; says whether it is meant."""
        self.seen += 1
        meant = self.seen >= self.nth and (self.times == 0 or self.seen < self.nth + self.times)
        self.met += meant
        return meant

    @property
    def unmet(self) -> bool:
        """Whether fewer were met than were meant; of "all", at least one is."""
        return self.met < max(self.times, 1)


@dataclass(slots=True)
class Entry:
    """A call in the log. `status` is None while it is under way, then the HTTP status, "cut" or "garbage"."""

    call: Call
    status: int | str | None = None
    handled: bool = False
    """Whether the handler ran: the call may then have changed something, whatever the caller was told."""

    def shown(self) -> dict[str, Any]:
        """The entry as JSON."""
        call = self.call
        return {
            "number": call.number,
            "method": call.method,
            "path": call.path,
            "route": call.pattern,
            "run": call.run,
            "status": self.status,
            "handled": self.handled,
        }


@dataclass
class CallLog:
    """The last calls in the order they came, and how often each route was called since the start."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    counts: Counter[str] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str, pattern: str) -> None:
        """Notes one call of a route, the emulator's own included."""
        with self._lock:
            self.counts[f"{method} {pattern}"] += 1

    def arrive(self, method: str, path: str, pattern: str, agent: str) -> Entry:
        """Numbers a call and writes it down."""
        with self._lock:
            entry = Entry(Call(next(self._numbers), method, path, pattern, sys.intern(agent)))
            self.entries.append(entry)
        return entry

    def calls(self) -> dict[str, int]:
        """Calls by "METHOD pattern"."""
        with self._lock:
            return dict(sorted(self.counts.items()))

    def since(self, number: int) -> list[dict[str, Any]]:
        """The calls after a number, as far as they are kept."""
        with self._lock:
            newer = list(
                itertools.takewhile(lambda entry: entry.call.number > number, reversed(self.entries))
            )
        return [entry.shown() for entry in reversed(newer)]
