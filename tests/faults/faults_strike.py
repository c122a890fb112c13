"""One fault at one call of a run: what may go wrong, where, and what has to hold afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from tests.faults.control import When
from tests.faults.endings import Complaint
from tests.faults.faults_bench import Beginning, Bench, Result, Wanted, impatient
from tests.faults.points import Point, points_of
from tests.faults.tally import Tally

from tuneform_emulator.world import Settings

SIDE_BY_SIDE = 3
"""Points tried at once: a good part of a point's time is waiting."""
BUDGET = 0.3
"""Seconds for which a call that may be repeated is tried, instead of twenty."""
SHORT = 1.0
"""The deadline of calls where one is to be missed."""
FOR_GOOD = 0
"""As often as it comes: `times` of an order."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong; `effect` as docs/emulator.md has it. A `times` of 0 lasts until the run has ended."""

    name: str
    effect: Mapping[str, Any]
    when: When = "before"
    times: int = 1
    deadline: float | None = None

    def __str__(self) -> str:
        return f"{self.name} {'for good' if self.times == FOR_GOOD else self.when}"


def _status(status: str, **more: object) -> dict[str, object]:
    return {"kind": "status", "status": status, **more}


SLOW = {"kind": "delay", "seconds": 50.0}
REFUSED = (
    Fault("429", {"kind": "quota", "retry_after": 0.2}),
    Fault("500", _status("INTERNAL")),
    Fault("503", _status("UNAVAILABLE")),
    Fault("504", _status("DEADLINE_EXCEEDED")),
    Fault("reset", {"kind": "reset"}),
    Fault("slow", SLOW, deadline=SHORT),
    Fault("malformed", {"kind": "malformed"}),
    Fault("403", {"kind": "permission"}),
)
"""Before the call does anything, though a slow one comes later."""
LASTING = (
    Fault("503", _status("UNAVAILABLE"), times=FOR_GOOD),
    Fault("403", {"kind": "permission"}, times=FOR_GOOD),
)
"""It goes on failing: the run has to give up."""
PLAIN = ("429", "403")
"""What says that nothing happened. All else is `Ambiguous` to the core: see platforms/vertex/errors.py."""
UNCLEAR = (*(fault for fault in REFUSED if fault.name not in PLAIN),)
"""Whether the call did anything is not said; it did not."""
LOST = (*(replace(fault, when="after") for fault in UNCLEAR),)
"""The call did what it was sent for, and nobody hears of it."""
APART = (*(fault for fault in REFUSED if fault.name in PLAIN), *LASTING)
"""Faults that are no other's like: each means something of its own to the core."""


@dataclass(frozen=True)
class Verdict:
    """What came of one fault. `met` is False when the run did without the call."""

    point: Point
    fault: Fault
    met: bool
    first: Result
    wrong: tuple[Complaint, ...] = ()

    def __str__(self) -> str:
        stopped = "; ".join(map(repr, self.first.errors)) or "went on"
        return "\n".join([f"{self.fault} at {self.point} ({stopped})", *map(str, self.wrong)])


def strike(begin: Beginning, point: Point, fault: Fault, settings: Settings, **options: Any) -> Verdict:
    """Run with the fault, take it back, let late calls arrive, run again if need be, and say what is wrong then."""
    if fault.deadline is not None:
        options["deadline"] = fault.deadline
    with begin.bench(settings, **options) as bench:
        control = bench.control
        order = {"calls": {**point.calls, "times": fault.times}, "when": fault.when, "effect": fault.effect}
        (key,) = control.order(order)
        first = bench.apply(begin.wanted, dead=True)  # so that the re-run knows that it has ended
        met = any(found["met"] for found in control.faults() if found["id"] == key)
        control.take_back()
        bench.quiet()
        wrong = [*first.complaints(), *recovered(begin, bench, first, late=fault.name == "slow")]
    return Verdict(point, fault, met, first, tuple(wrong))


def recovered(begin: Beginning, bench: Bench, first: Result, *, late: bool = False) -> list[Complaint]:
    """What is wrong now; after a plain re-run if the first run stopped, or if something came after it had ended."""
    wrong: list[Complaint] = []
    if late or not first.well:
        again = bench.apply(begin.wanted)
        if not again.well:
            wrong.append(Complaint("unfinished", f"the re-run stopped: {again.errors}"))
    return [*wrong, *begin.complaints(bench)]


def points(begin: Beginning, settings: Settings, **options: Any) -> tuple[Point, ...]:
    """Every call of an undisturbed run, once: those that two such runs came to, and so a third one will.

    A run that has to wait once more looks once more, which depends on what else the machine does.
    """
    found, again = (_calls_of_a_run(begin, settings, **options) for _ in range(2))
    both = {(point.method, point.path, point.nth) for point in again}
    return tuple(point for point in found if (point.method, point.path, point.nth) in both)


def _calls_of_a_run(begin: Beginning, settings: Settings, **options: Any) -> tuple[Point, ...]:
    with begin.bench(settings, **options) as bench:
        assert bench.apply(begin.wanted).well
        found = points_of(bench.control.log(), "before")
    # The object by which a run asks for the server's time bears the run's own name.
    return tuple(replace(point, path=re.sub(r"clock%2F.*", "clock%2F.+$", point.path)) for point in found)


def sweep(
    pairs: Sequence[tuple[Point, Fault]], strike_at: Callable[[Point, Fault], Verdict]
) -> Iterable[Verdict]:
    """Try every pair, a few side by side, in their order."""
    with impatient(BUDGET), ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield from pool.map(lambda pair: strike_at(*pair), pairs)


def judge(name: str, verdicts: Iterable[Verdict], tally: Tally) -> None:
    """Count, and fail with everything that is wrong."""
    every = list(verdicts)
    stopped = [verdict for verdict in every if not verdict.first.well]
    went_on = [verdict for verdict in every if verdict.first.well]
    for row, found in ((f"{name}: the run went on", went_on), (f"{name}: stopped, then run again", stopped)):
        met = sum(verdict.met for verdict in found)
        tally(row, points=len(found), disturbed=met, complaints=[v.wrong for v in found if v.wrong])
    wrong = [str(verdict) for verdict in every if verdict.wrong]
    assert not wrong, f"{len(wrong)} of {len(every)}:\n" + "\n\n".join(wrong)
    # A run that has to wait once more looks once more, so that which call is the n-th is not quite the same each time.
    assert sum(verdict.met for verdict in every) >= 0.9 * len(every)


__all__ = [
    "APART",
    "LASTING",
    "LOST",
    "REFUSED",
    "UNCLEAR",
    "Fault",
    "Verdict",
    "Wanted",
    "judge",
    "points",
    "strike",
    "sweep",
]
