"""Audits of many projects: each is read once, and nothing is missed."""

from __future__ import annotations

import pytest
from benchmarks.auditing import world
from tests.functional.audit.conftest import Office

PER_PROJECT = 2 + 1 + 3 * len(world.LOCATIONS)
"""Calls: what it is and who owns it, buckets, three lists in each location."""


@pytest.mark.parametrize(("projects", "jobs"), [(10, 20), pytest.param(200, 50, marks=pytest.mark.slow)])
def test_every_project_is_read_once_and_every_thing_in_it(office: Office, projects: int, jobs: int) -> None:
    world.write(office.shop.folder, projects)
    world.populate(office.shop.emulator.world.store, projects, jobs)

    found = office.found()

    succeeded = sum(count % world.SUCCEEDED != 0 for count in range(jobs)) * projects
    assert found["summary"]["seen"] == {
        "buckets": 2 * projects,
        "endpoints": succeeded,
        "jobs": jobs * projects,
        "models": succeeded,
    }
    opened = [one for one in found["breaches"] if one["rule"] == "house/never-public"]
    assert len(opened) == len(range(0, 2 * projects, 7))
    assert all(one["notes"] for one in opened)
    assert len(office.reads()) == PER_PROJECT * projects + len(opened)
