"""The pace of calls to many projects, in a loop whose time passes only when everybody waits."""

from __future__ import annotations

import asyncio

from tests.unit.platforms.test_pace import passing

from tuneform.platforms.vertex.calls import paces
from tuneform.platforms.vertex.calls.paces import Paces


async def sent(pace: Paces, projects: list[str]) -> list[float]:
    loop, times = asyncio.get_running_loop(), []

    async def call(project: str) -> None:
        await pace.keep(project)
        times.append(loop.time())

    await asyncio.gather(*(call(project) for project in projects))
    return sorted(times)


def test_one_project_waits_for_its_own_pace_and_others_go_on_meanwhile() -> None:
    alone = passing(sent(Paces(None, 60), ["busy"] * 61))
    beside = passing(sent(Paces(None, 60), ["busy"] * 61 + ["idle"]))
    assert 55 < alone[-1] < 62
    assert beside[6] < 0.01, "six of the busy one's go at once, and the idle one's with them"
    assert beside[7] > 1


def test_all_projects_together_keep_to_the_overall_pace() -> None:
    times = passing(sent(Paces(120, 60), [f"p{number}" for number in range(121)]))
    assert 55 < times[-1] < 61
    for start in times:
        assert sum(start <= time < start + 59.9 for time in times) <= 120


def test_without_limits_nothing_waits() -> None:
    assert max(passing(sent(Paces(None, None), ["p"] * 2000))) < 0.01


def test_projects_that_were_long_ago_are_forgotten() -> None:
    pace = Paces(None, 60)
    passing(sent(pace, [f"p{number}" for number in range(paces.REMEMBERED + 5)]))
    assert len(pace._projects) == paces.REMEMBERED
