"""Two runs of the same specs, their calls in any order: one job, one endpoint, nothing left over.

All orders of all calls are too many, so these are tried (docs/emulator.md has the barriers that make it possible):

- all orders of the first eight calls of both, but for those that differ in calls that commute; eleven when it is slow;
- two switches: A makes i calls, B makes j, then A goes to its end and B after it, from three beginnings;
- switches drawn by lot, 300 seeds.

`polite` runs know each other alive, and wait for each other's lease. `rude` ones take each other for dead, so that each
revokes at once what the other has begun: the protocol has to keep them apart where leases do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import pytest
from tests.faults.faults_bench import Beginning, Wanted, prepare
from tests.faults.interleavings_orders import Duel, Tried
from tests.faults.tally import Tally

SEEDS = range(300)
BOUNDED = 19
"""Every so many-th seed or pair of pauses is tried in every run of the tests."""
CALLS = 300
"""So many calls of both are made one by one; a run has about 130."""
CREATING = range(1, 27, 2)
"""Where a run of tuning and served model alone may be paused: it looks, claims, fences and creates in 20 calls."""
PROMOTING = range(1, 61, 4)
"""The same for a run that finds its job ended: it measures, promotes, clears and retires."""


@pytest.fixture(scope="module")
def from_nothing(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """The content is there, and nothing else."""
    return prepare(tmp_path_factory.mktemp("nothing"), None, Wanted(1), "uploaded")


@pytest.fixture(scope="module")
def from_older(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """A first revision serves, a second one is asked for."""
    return prepare(tmp_path_factory.mktemp("older"), Wanted(1), Wanted(2))


@pytest.fixture(scope="module")
def from_trained(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """A first revision serves; the second one has been trained, and is to be promoted."""
    return prepare(tmp_path_factory.mktemp("trained"), Wanted(1), Wanted(2), "trained")


@pytest.fixture(params=["polite", "rude"])
def rude(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "rude")


def test_all_orders_of_the_first_eight_calls(from_nothing: Beginning, rude: bool, tally: Tally) -> None:
    judge("interleaving: all orders of the first calls", orders(from_nothing, rude, 8), tally)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_all_orders_of_the_first_eleven_calls(from_nothing: Beginning, tally: Tally) -> None:
    judge("interleaving: all orders of the first calls", orders(from_nothing, True, 11), tally)


def orders(begin: Beginning, rude: bool, calls: int) -> Iterable[Tried]:
    return Duel(begin, rude, narrow=True).all_orders(calls)


@pytest.mark.timeout(600)
def test_two_pauses_about_claim_fence_and_create(from_nothing: Beginning, rude: bool, tally: Tally) -> None:
    judge("interleaving: two pauses", paused(Duel(from_nothing, rude, narrow=True), CREATING, BOUNDED), tally)


@pytest.mark.timeout(600)
def test_two_pauses_about_deployment_traffic_and_retirement(from_trained: Beginning, tally: Tally) -> None:
    judge("interleaving: two pauses", paused(Duel(from_trained, True), PROMOTING, BOUNDED), tally)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_two_pauses_anywhere(from_trained: Beginning, from_nothing: Beginning, tally: Tally) -> None:
    creating = paused(Duel(from_nothing, True, narrow=True), CREATING, 1)
    judge("interleaving: two pauses", creating, tally)
    judge("interleaving: two pauses", paused(Duel(from_trained, True), PROMOTING, 1), tally)


def paused(duel: Duel, places: Sequence[int], every: int) -> Iterable[Tried]:
    """Every so many-th pair of places. What the stride leaves out in one row, it does not in the next."""
    step = places[1] - places[0]
    for index, (first, second) in enumerate(product(places, places)):
        if index % every == 0:
            yield duel.paused_twice(first + second // step % step, second + first // step % step)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(SEEDS[::BOUNDED], id="bounded"),
        pytest.param(SEEDS, id="all", marks=[pytest.mark.slow, pytest.mark.timeout(3000)]),
    ],
)
def test_switches_drawn_by_lot(
    from_older: Beginning, from_nothing: Beginning, seeds: Iterable[int], tally: Tally
) -> None:
    duels = [Duel(begin, rude) for begin in (from_older, from_nothing) for rude in (False, True)]
    found = (duels[seed % len(duels)].drawn(seed, CALLS) for seed in seeds)
    judge("interleaving: switches drawn by lot", found, tally)


def judge(name: str, tried: Iterable[Tried], tally: Tally) -> None:
    """Count, and fail with everything that is wrong."""
    found = list(tried)
    wrong = [duel for duel in found if duel.wrong]
    switched = sum(duel.switches > 0 for duel in found)
    tally(name, points=len(found), disturbed=switched, complaints=[duel.wrong for duel in wrong])
    assert not wrong, f"{len(wrong)} of {len(found)}:\n" + "\n\n".join(map(str, wrong))
    assert found
    assert switched, "the runs did get in each other's way"
