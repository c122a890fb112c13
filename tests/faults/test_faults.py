"""Every fault at every kind of call of a full apply: it goes on, or stops with a remedy and then a re-run goes on.

The apply uploads, creates, waits, measures, promotes, clears and retires: a first revision serves and another is asked
for. After every point nothing was paid for twice, nothing is left over, and a plan has nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice

import pytest
from tests.faults.faults_bench import QUICK, Beginning, Wanted, prepare
from tests.faults.faults_strike import (
    APART,
    LASTING,
    LOST,
    REFUSED,
    UNCLEAR,
    Fault,
    Verdict,
    judge,
    points,
    strike,
    sweep,
)
from tests.faults.points import Point
from tests.faults.tally import Tally

from tuneform_emulator.world import Settings

Pairs = list[tuple[Point, Fault]]
HURRIED = Settings(queued_seconds=0, pending_seconds=0, get_lag_seconds=0.6, list_lag_seconds=0.6)
LAG = timedelta(seconds=1)
FORMS = 1
"""How many of the faults that mean the same a route gets."""


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    return prepare(tmp_path_factory.mktemp("faults"), Wanted(1), Wanted(2))


@pytest.fixture(scope="module")
def calls(begin: Beginning) -> tuple[Point, ...]:
    return points(begin, QUICK)


def faults_of(point: Point) -> tuple[Fault, ...]:
    """What may go wrong with a call; the answer to one that only looks is lost as its sending is."""
    return (*REFUSED, *LASTING, *(LOST if point.writes else ()))


def every(calls: tuple[Point, ...]) -> Pairs:
    """Every fault at every call that writes, and at the first one of those that look in the same place."""
    return [(call, fault) for call in calls if call.writes or call.nth == 1 for fault in faults_of(call)]


def bounded(calls: tuple[Point, ...]) -> Pairs:
    """On every route that writes each fault that the core can tell apart; one fault on each route that looks.

    Of faults that are the same to the core a route gets `FORMS`, so that each strikes on several routes, and a route's
    calls are struck in turn.
    """
    routes: dict[str, list[Point]] = {}
    for call in calls:
        routes.setdefault(f"{call.method} {route(call)}", []).append(call)
    return list(_chosen(routes))


def _chosen(routes: dict[str, list[Point]]) -> Iterator[tuple[Point, Fault]]:
    looks, unclear, lost = cycle((*REFUSED, *LASTING)), cycle(UNCLEAR), cycle(LOST)
    for same in routes.values():
        if not same[0].writes:
            yield same[0], next(looks)
            continue
        in_turn = cycle(same)
        for fault in (*APART, *islice(unclear, FORMS), *islice(lost, FORMS)):
            yield next(in_turn), fault


def route(call: Point) -> str:
    """Where a call goes, without the names of things; uploads to the two buckets are told apart."""
    parts = call.shown.split("/")
    storage = "storage" in parts
    return "/".join(parts[: 7 if "upload" in parts else 6]) if storage else _verb(parts[-1], parts[-2])


def _verb(last: str, before: str) -> str:
    return last.partition(":")[2] or (before if last[:1].isdigit() or last == "colours" else last)


@pytest.mark.timeout(900)
def test_any_fault_on_any_route_is_got_over(begin: Beginning, calls: tuple[Point, ...], tally: Tally) -> None:
    judge("fault", tried(begin, bounded(calls)), tally)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_any_fault_at_any_call_is_got_over(begin: Beginning, calls: tuple[Point, ...], tally: Tally) -> None:
    before = {(str(call), str(fault)) for call, fault in bounded(calls)}
    left = [pair for pair in every(calls) if (str(pair[0]), str(pair[1])) not in before]
    judge("fault", tried(begin, left), tally)


def tried(begin: Beginning, pairs: Pairs) -> Iterator[Verdict]:
    yield from sweep(pairs, lambda call, fault: strike(begin, call, fault, QUICK))


def test_what_was_just_made_is_missing_from_lists_and_by_name_for_a_while(
    begin: Beginning, calls: tuple[Point, ...], tally: Tally
) -> None:
    creating = [call for call in calls if call.method == "POST" and call.shown.endswith("/tuningJobs")]
    lost = [fault for fault in (*REFUSED, *LOST) if fault.name in ("500", "reset", "malformed")]
    pairs = [(call, fault) for call in creating for fault in lost]
    found = sweep(pairs, lambda call, fault: strike(begin, call, fault, HURRIED, list_lag=LAG))
    judge("fault: lists and names that lag", found, tally)
