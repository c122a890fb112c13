from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tuneform_emulator.clock import ManualClock, WallClock, parse_stamp, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_manual_clock_moves_only_when_it_is_told_to() -> None:
    clock = ManualClock(START)
    assert clock.now() == START
    assert clock.advance(timedelta(seconds=5)) == clock.now() == START + timedelta(seconds=5)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(timedelta(seconds=-1))


def test_a_wait_ends_when_the_manual_clock_gets_there() -> None:
    clock = ManualClock(START)
    waiting, ended = threading.Event(), []

    def wait() -> None:
        waiting.set()
        ended.append(clock.wait_until(START + timedelta(hours=1)))

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(10)
    clock.advance(timedelta(minutes=59))
    assert thread.is_alive()
    clock.advance(timedelta(minutes=1))
    thread.join(10)
    assert ended == [True]


@pytest.mark.parametrize("clock", [ManualClock(START), WallClock()])
def test_a_wait_ends_when_it_is_told_to_stop(clock: ManualClock | WallClock) -> None:
    stop, ended = threading.Event(), []
    late = clock.now() + timedelta(days=1)
    thread = threading.Thread(target=lambda: ended.append(clock.wait_until(late, stop)))
    thread.start()
    stop.set()
    thread.join(10)
    assert ended == [False]


@pytest.mark.parametrize("clock", [ManualClock(START), WallClock()])
def test_a_moment_that_has_passed_is_not_waited_for(clock: ManualClock | WallClock) -> None:
    assert clock.wait_until(clock.now() - timedelta(seconds=1))


def test_a_stamp_reads_back() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert stamp(moment) == "2026-01-02T03:04:05.678901Z"
    assert parse_stamp(stamp(moment)) == moment
