"""The pace of calls, in a loop whose time passes only when everybody waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.platforms.vertex.calls.pace import LEAST, Pace
from tuneform.platforms.vertex.calls.retry import Policy

INSTANT = 1e-7
"""Every look at what is to be done takes a moment, as it does in the world: fractions never stand still."""


class _Leaps(selectors.SelectSelector):
    """Waits for nothing: what would be waited is added to the time."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.passed += (timeout or 0.0) + INSTANT
        return super().select(0)


class Leaping(asyncio.SelectorEventLoop):
    """An event loop whose time passes when it has nothing to do."""

    def __init__(self) -> None:
        self._leaps = _Leaps()
        super().__init__(self._leaps)

    def time(self) -> float:
        return self._leaps.passed


def passing(work: Coroutine[Any, Any, list[float]]) -> list[float]:
    loop = Leaping()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def sent(pace: Pace, pauses: list[float]) -> list[float]:
    """When each call went; they are asked for after these pauses, side by side."""
    loop, times = asyncio.get_running_loop(), []

    async def call() -> None:
        await pace.keep()
        times.append(loop.time())

    begun = []
    for pause in pauses:
        await asyncio.sleep(pause)
        begun.append(asyncio.ensure_future(call()))
    await asyncio.gather(*begun)
    return times


@settings(max_examples=60, deadline=None)
@given(
    per_minute=st.integers(LEAST, 80),
    pauses=st.lists(st.sampled_from((0.0, 0.0, 0.0, 0.7, 40.0)), min_size=1, max_size=200),
)
def test_in_no_minute_more_calls_go_than_may(per_minute: int, pauses: list[float]) -> None:
    times = passing(sent(Pace(per_minute), pauses))

    assert len(times) == len(pauses)
    for start in times:
        within = [time for time in times if start <= time < start + 59.9]
        assert len(within) <= per_minute


def test_a_few_calls_go_at_once_and_the_rest_at_the_pace() -> None:
    times = passing(sent(Pace(600), [0.0] * 600))

    assert times[59] < 0.01
    assert 55 < times[-1] < 61


def test_without_a_limit_nothing_waits() -> None:
    assert max(passing(sent(Pace(None), [0.0] * 5000))) < 0.01


def test_a_call_that_is_sent_again_counts_again_and_waits_as_long_as_the_service_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace, times = Pace(10), []

    async def work() -> list[float]:
        loop = asyncio.get_running_loop()

        async def once() -> None:
            await pace.keep()
            times.append(loop.time())
            if len(times) < 3:
                raise TimeoutError

        monkeypatch.setattr(Policy, "pause", lambda *_: 2.0)
        await Policy(100.0).patiently(once)
        return times

    assert passing(work()) == pytest.approx([0.0, 60 / 9, 120 / 9], abs=0.01)
