"""A run paused at any call, before or after it took effect, and woken when its lease was taken, does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.faults.faults_bench import QUICK, Beginning, Wanted, prepare
from tests.faults.faults_strike import points
from tests.faults.points import Point
from tests.faults.tally import Tally
from tests.faults.zombies_wake import pause

from tuneform_emulator.world import Settings

SIDE_BY_SIDE = 3
READS = 24
"""Every so many-th call that only looks is in the bounded sweep."""


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    return prepare(tmp_path_factory.mktemp("zombies"), Wanted(1), Wanted(2))


@pytest.fixture(scope="module")
def calls(begin: Beginning) -> tuple[Point, ...]:
    """Every call twice: to be paused before it takes effect, and after."""
    found = points(begin, QUICK)
    return tuple(replace(call, when=when) for call in found for when in ("before", "after"))


@pytest.mark.timeout(900)
def test_woken_at_any_writing_call_it_ends_without_harm(
    begin: Beginning, calls: tuple[Point, ...], tally: Tally
) -> None:
    judge(begin, bounded(calls), tally)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_woken_at_any_call_at_all(begin: Beginning, calls: tuple[Point, ...], tally: Tally) -> None:
    before = {str(call) for call in bounded(calls)}
    judge(begin, [call for call in calls if str(call) not in before], tally)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_woken_where_data_is_read_at_create(begin: Beginning, calls: tuple[Point, ...], tally: Tally) -> None:
    judge(begin, [call for call in calls if call.writes], tally, replace(QUICK, dataset_read="create"))


def bounded(calls: Sequence[Point]) -> list[Point]:
    """All calls that write, each paused before or after its effect in turn, and a few of the others."""
    looks = [call for call in calls if not call.writes][::READS]
    writes = [call for call in calls if call.writes]
    # Each call stands there twice in a row, before and after: one of the first, the other of the second.
    turns = [call for index, call in enumerate(writes) if index % 4 in (0, 3)]
    return [call for call in calls if call in turns or call in looks]


def judge(begin: Beginning, chosen: Sequence[Point], tally: Tally, settings: Settings = QUICK) -> None:
    """Pause at each of them, count, and fail with everything that is wrong."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = list(pool.map(lambda point: pause(begin, point, settings), chosen))
    reached = sum(woken.reached for woken in found)
    wrong = [woken for woken in found if woken.wrong]
    tally("zombie", points=len(found), disturbed=reached, complaints=[woken.wrong for woken in wrong])
    assert not wrong, f"{len(wrong)} of {len(found)}:\n" + "\n\n".join(map(str, wrong))
    assert reached >= 0.8 * len(found), "most of the calls are come to"
