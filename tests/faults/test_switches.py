"""Both values of every switch of the emulator: what nobody knows of the real service must not matter.

Each value is tried with an undisturbed apply, and with those faults at the create call that leave its end unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.faults.faults_bench import QUICK, Beginning, Bench, Wanted, prepare
from tests.faults.faults_strike import LOST, REFUSED, Verdict, judge, points, strike, sweep
from tests.faults.scene import PROJECT_ID
from tests.faults.tally import Tally

from tuneform_emulator.services import agents
from tuneform_emulator.world import Settings

SWITCHES: tuple[dict[str, Any], ...] = (
    {"labels_copied": False},
    {"list_filters_labels": False},
    {"dataset_read": "create"},
    {"list_lag_seconds": 0.5},
    {"get_lag_seconds": 0.5},
    {"grants_lag_seconds": 0.5},
    {"agent_exists_before_first_job": False},
    {"over_quota": "refuse", "concurrent_jobs": 1},
)
"""Each switch at the value that is not its default; the sweep of faults is at the defaults."""
ALL = {name: value for switch in SWITCHES for name, value in switch.items()}
LAG = timedelta(seconds=0.8)
ACCOUNT = f"a-tuner@{PROJECT_ID}.iam.gserviceaccount.com"
UNKNOWN = tuple(fault for fault in (*REFUSED, *LOST) if fault.name in ("503", "reset", "slow", "malformed"))
"""After these nobody knows whether a job was made."""


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    return prepare(tmp_path_factory.mktemp("switches"), Wanted(1), Wanted(2))


@pytest.mark.parametrize("switch", [*SWITCHES, ALL], ids=" and ".join)
@pytest.mark.timeout(600)
def test_at_the_other_value_of_a_switch(begin: Beginning, switch: dict[str, Any], tally: Tally) -> None:
    settings = replace(QUICK, **switch)
    judge("switch", tried(begin.under(settings, list_lag=LAG), settings), tally)


def tried(begin: Beginning, settings: Settings) -> Iterator[Verdict]:
    calls = points(begin, QUICK)
    (creating,) = (call for call in calls if call.method == "POST" and call.shown.endswith("/tuningJobs"))
    pairs = [(creating, fault) for fault in UNKNOWN]
    yield from sweep(pairs, lambda call, fault: strike(begin, call, fault, settings, list_lag=LAG))


@pytest.mark.parametrize("lag", [0.0, 30.0])
@pytest.mark.parametrize("exists", [True, False])
def test_a_job_as_an_account_of_its_own_stops_with_a_remedy_until_its_grants_are_in_force(
    tmp_path: Path, lag: float, exists: bool
) -> None:
    begin = prepare(tmp_path, None, Wanted(service_account=None))
    wanted = replace(begin.wanted, service_account=ACCOUNT)
    settings = replace(QUICK, grants_lag_seconds=lag, agent_exists_before_first_job=exists)
    with begin.bench(settings) as bench:
        call(bench, f"projects/{PROJECT_ID}/serviceAccounts", {"accountId": ACCOUNT.partition("@")[0]})
        refused = bench.apply(wanted)
        grant(bench)
        early = bench.apply(wanted)
        bench.clock.ahead += timedelta(seconds=lag)
        last = bench.apply(wanted)

        assert not refused.well
        assert early.well == (lag == 0)
        assert last.well, last.errors
        wrong = [*refused.complaints(), *early.complaints(), *begin.complaints(bench)]
        assert not wrong, "\n".join(map(str, wrong))


def grant(bench: Bench) -> None:
    """Grant what a job that runs as an account needs. Its agent is there by now: a job was asked for."""
    agent = f"serviceAccount:{agents.tuning(bench.world.names.number(PROJECT_ID))}"
    account = f"serviceAccount:{ACCOUNT}"
    project = [{"role": "roles/aiplatform.tuningServiceAgent", "members": [account]}]
    token = [{"role": "roles/iam.serviceAccountTokenCreator", "members": [agent]}]
    call(bench, f"projects/{PROJECT_ID}:setIamPolicy", {"policy": {"bindings": project}})
    resource = f"projects/{PROJECT_ID}/serviceAccounts/{ACCOUNT}:setIamPolicy"
    call(bench, resource, {"policy": {"bindings": token}})


def call(bench: Bench, path: str, body: dict[str, Any]) -> None:
    """A plain call, as an administrator makes it."""
    requests.post(f"{bench.endpoint}/v1/{path}", json=body, timeout=30).raise_for_status()
