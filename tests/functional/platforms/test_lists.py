"""Lists of many, by pages; ours, everybody else's, and a service whose filter knows no labels."""

from __future__ import annotations

from typing import Any

import pytest
from tests.functional.platforms.kit import PROJECT, Bench

from tuneform.errors import Terminal
from tuneform.platforms.vertex import jobs, serving
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL
from tuneform_emulator.services.vertex.resources import ENDPOINT, JOB, MODEL

JOBS = 300
PAGE = 100


def seed(bench: Bench, kind: str, collection: str, number: int, **fields: Any) -> str:
    """A resource as it would be stored; returns its name as we spell it."""
    name = f"projects/{bench.emulator.number}/locations/us-central1/{collection}/{number}"
    stamp = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    resource = {"name": name, "createTime": stamp, "updateTime": stamp, **fields}
    bench.emulator.world.store.create(kind, name, {"number": number, "resource": resource, "endpoints": {}})
    return f"{PROJECT.parent}/{collection}/{number}"


@pytest.fixture
def seeded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Every third job has another owner, and every fifth no labels at all; ten of ours have one name."""
    monkeypatch.setattr(jobs, "PAGE", PAGE)
    monkeypatch.setattr(serving, "PAGE", PAGE)
    for number in range(JOBS):
        owner = {OWNER_LABEL: "others" if number % 3 == 0 else "team"}
        labels = {} if number % 5 == 0 else {**owner, NAME_LABEL: f"job-{number % 20}"}
        seed(
            bench,
            JOB,
            "tuningJobs",
            number,
            state="JOB_STATE_SUCCEEDED",
            labels=labels,
            tunedModelDisplayName="x",
            baseModel="gemini-2.5-flash",
        )
    return bench


OURS = [n for n in range(JOBS) if n % 3 and n % 5]


def numbers(found: Any) -> list[int]:
    return [int(item.name.rpartition("/")[2]) for item in found]


@pytest.mark.parametrize("filters", [True, False])
def test_all_pages_of_our_jobs_newest_first(seeded: Bench, filters: bool) -> None:
    seeded.control.settings(list_filters_labels=filters)
    before = seeded.mark()
    assert numbers(seeded.ports.reader.jobs(PROJECT)) == OURS[::-1]
    # Unfiltered there are more pages, and before them the refusal of the filter.
    assert seeded.calls(before)["GET /tuningJobs"] == (2 if filters else 1 + 3)
    before = seeded.mark()
    named = [n for n in OURS if n % 20 == 7]
    assert numbers(seeded.ports.reader.jobs(PROJECT, "job-7")) == named[::-1]
    assert seeded.calls(before)["GET /tuningJobs"] == (1 if filters else 3), "the refusal is remembered"


def test_everybody_else_s_jobs_are_those_without_our_label(seeded: Bench) -> None:
    others = sorted(set(range(JOBS)) - set(OURS), reverse=True)
    assert numbers(seeded.ports.reader.others(PROJECT)) == others


def test_all_pages_of_models_and_endpoints(seeded: Bench) -> None:
    models = [
        seed(seeded, MODEL, "models", n, deployedModels=[], displayName=f"m{n}", labels={"n": str(n)})
        for n in range(250)
    ]
    endpoints = [
        seed(seeded, ENDPOINT, "endpoints", n, deployedModels=[], trafficSplit={}, displayName=f"e{n}")
        for n in range(250)
    ]
    before = seeded.mark()
    found = seeded.ports.reader.models(PROJECT)
    assert [model.name for model in found] == models[::-1]
    assert (found[0].display_name, found[0].labels) == ("m249", {"n": "249"})
    assert [endpoint.name for endpoint in seeded.ports.reader.endpoints(PROJECT)] == endpoints[::-1]
    assert dict(seeded.calls(before)) == {"GET /models": 3, "GET /endpoints": 3}


def test_a_page_that_fails_is_asked_for_again_and_no_other(seeded: Bench) -> None:
    fault = {
        "calls": {"method": "GET", "route": ".../tuningJobs", "nth": 2},
        "effect": {"kind": "status", "status": "UNAVAILABLE"},
    }
    before = seeded.mark()
    with seeded.control.met(fault):
        assert numbers(seeded.ports.reader.jobs(PROJECT)) == OURS[::-1]
    assert seeded.calls(before)["GET /tuningJobs"] == 3


def test_a_list_that_is_forbidden_is_an_error_and_no_empty_list(bench: Bench) -> None:
    fault = {"calls": {"method": "GET", "times": 0}, "effect": {"kind": "permission"}}
    with bench.control.met(fault):
        for read in (bench.ports.reader.jobs, bench.ports.reader.models, bench.ports.reader.endpoints):
            with pytest.raises(Terminal, match="permission"):
                read(PROJECT)
