"""Both values of every switch of the emulator: what nobody knows of the real service must not matter.

Each value is tried with an undisturbed apply and with those faults at the create call that leave its end unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.faults.faults_bench import QUICK, Beginning, Wanted, prepare
from tests.faults.faults_strike import LOST, REFUSED, Verdict, judge, points, strike, sweep
from tests.faults.tally import Tally

from tuneform_emulator.world import Settings

SWITCHES: tuple[dict[str, Any], ...] = (
    {"labels_copied": False},
    {"list_filters_labels": False},
    {"dataset_read": "create"},
    {"list_lag_seconds": 0.5},
    {"get_lag_seconds": 0.5},
    {"grants_lag_seconds": 0.5},
    {"agent_exists_before_first_job": False},
)
"""Each switch at the value that is not its default; the sweep of faults is at the defaults."""
ALL = {name: value for switch in SWITCHES for name, value in switch.items()}
LAG = timedelta(seconds=0.8)
UNKNOWN = tuple(fault for fault in (*REFUSED, *LOST) if fault.name in ("503", "reset", "slow", "malformed"))
"""After these nobody knows whether a job was made."""


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    return prepare(tmp_path_factory.mktemp("switches"), Wanted(1), Wanted(2))


@pytest.mark.parametrize("switch", [*SWITCHES, ALL], ids=" and ".join)
@pytest.mark.timeout(600)
def test_at_the_other_value_of_a_switch(begin: Beginning, switch: dict[str, Any], tally: Tally) -> None:
    settings = replace(QUICK, **switch)
    with begin.bench(settings, list_lag=LAG) as bench:
        result = bench.apply(begin.wanted)
        assert result.well, result.errors
        wrong = begin.complaints(bench)
        assert not wrong, "\n".join(map(str, wrong))
    judge("switch", tried(begin, settings), tally)


def tried(begin: Beginning, settings: Settings) -> Iterator[Verdict]:
    calls = points(begin, QUICK)
    (creating,) = (call for call in calls if call.method == "POST" and call.shown.endswith("/tuningJobs"))
    pairs = [(creating, fault) for fault in UNKNOWN]
    yield from sweep(pairs, lambda call, fault: strike(begin, call, fault, settings, list_lag=LAG))
