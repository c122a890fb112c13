"""Eight runs of the same specs at once, each held up here and there by lot: one job, and all of them end well."""

from __future__ import annotations

import random

import pytest
from tests.faults.endings import Complaint
from tests.faults.faults_bench import Beginning, Wanted, prepare
from tests.faults.tally import Tally

CROWD = 8
SEEDS = 50
QUICKLY = 4
"""So many seeds are tried in every run of the tests, the others with the slow ones."""
HELD_UP = 10
"""So many of a run's first calls are delayed, by up to `LONGEST` seconds."""
CALLS = 120
LONGEST = 0.25


@pytest.fixture(scope="module", params=["nothing", "an older revision"])
def begin(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Beginning:
    first = Wanted(1) if request.param != "nothing" else None
    return prepare(tmp_path_factory.mktemp("crowd"), first, Wanted(2))


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.slow if seed >= QUICKLY else ()) for seed in range(SEEDS)]
)
def test_eight_at_once(begin: Beginning, seed: int, tally: Tally) -> None:
    wrong = crowd(begin, seed)
    tally("eight at once", points=1, disturbed=1, complaints=[wrong] if wrong else ())
    assert not wrong, "\n".join(map(str, wrong))


def crowd(begin: Beginning, seed: int) -> list[Complaint]:
    """Run them all, and say what is wrong afterwards."""
    dice = random.Random(seed)
    with begin.bench() as bench:
        runs = [bench.applier(begin.wanted) for _ in range(CROWD)]
        bench.control.order(
            *(
                {
                    "calls": {"caller": run.caller, "nth": nth},
                    "when": dice.choice(("before", "after")),
                    "effect": {"kind": "delay", "seconds": dice.uniform(0, LONGEST)},
                }
                for run in runs
                for nth in dice.sample(range(1, CALLS), HELD_UP)
            )
        )
        for run in runs:
            run.start()
        results = [run.wait() for run in runs]
        wrong = [complaint for result in results for complaint in result.complaints()]
        if not any(result.well for result in results):
            wrong.append(Complaint("unfinished", "all of them stopped"))
        return [*wrong, *begin.complaints(bench)]
