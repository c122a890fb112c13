"""The parts of the watch loop that need no project: waits, health, log lines, what tells a changed file."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from tuneform.entrypoints.cli.reconciling.connecting import list_lag, transport
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock, Stopped
from tuneform.entrypoints.cli.reconciling.watching.log import Logged, log_to
from tuneform.entrypoints.cli.reconciling.watching.loop import LONGEST, backoff
from tuneform.entrypoints.cli.reconciling.watching.telling import BUSY, Health, Metrics, Teller
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import SettingsError
from tuneform.reconcile.desired import Identity
from tuneform.reconcile.live import Job, JobState, Progress
from tuneform.reconcile.observe import World

ONE = Identity("demo", "intents")


def test_waits_double_up_to_a_limit() -> None:
    waits = [backoff(30, tries, LONGEST, chance=lambda: 0.0) for tries in range(1, 7)]

    assert waits == [30, 60, 120, 240, 300, 300]
    assert backoff(30, 10_000, LONGEST, chance=lambda: 0.0) == 300


def test_waits_differ_by_chance_and_are_never_longer_than_said() -> None:
    assert backoff(30, 1, LONGEST, chance=lambda: 1.0) == 24
    assert all(24 <= backoff(30, 1, LONGEST) <= 30 for _ in range(100))


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_is_well_while_the_last_look_is_younger_than_three_intervals() -> None:
    seconds = Seconds()
    health = Health(10, seconds)
    assert health.state()[0] is False
    assert health.state()[1]["reason"] == "no look has succeeded yet"

    health.succeeded()
    seconds.now += 29
    assert health.state() == (
        True,
        {"status": "ok", "lastSuccess": health.state()[1]["lastSuccess"], "age": 29.0},
    )

    seconds.now += 2
    well, told = health.state()
    assert not well
    assert told["reason"] == "the last successful look is older than 30 s"


def test_a_backoff_is_no_illness_until_it_is_over() -> None:
    seconds = Seconds()
    health = Health(10, seconds)
    health.succeeded()
    health.failed("E510: nothing answers", 60)

    seconds.now += 89
    well, told = health.state()
    assert well
    assert told["reason"] == "E510: nothing answers"
    seconds.now += 2
    assert health.state()[0] is False


def test_a_long_piece_of_work_is_no_illness_for_a_while() -> None:
    seconds = Seconds()
    health = Health(1, seconds)
    health.succeeded()
    health.working()

    seconds.now += BUSY - 1
    health.working()
    assert health.state()[0]
    seconds.now += 2
    assert health.state()[0] is False


def test_metrics_count_jobs_by_state() -> None:
    metrics = Metrics()
    jobs = {
        "a": (Job("1", JobState.RUNNING, {}), Job("2", JobState.SUCCEEDED, {})),
        "b": (Job("3", JobState.RUNNING, {}),),
    }

    metrics.seen(World(jobs=jobs))
    metrics.seen(World(jobs={"a": jobs["a"]}))

    text = generate_latest(metrics.registry).decode()
    assert 'tuneform_jobs{state="RUNNING"} 1.0' in text
    assert 'tuneform_jobs{state="SUCCEEDED"} 1.0' in text
    assert 'tuneform_jobs{state="FAILED"} 0.0' in text


def test_two_loops_of_a_process_do_not_share_metrics() -> None:
    one, two = Metrics(), Metrics()

    one.rounds.inc()

    assert "tuneform_rounds_total 0.0" in generate_latest(two.registry).decode()


def test_log_lines_are_objects_that_begin_alike() -> None:
    stream = io.StringIO()
    listener = Logged(log_to(stream), StoppableClock())

    listener.say(ONE, "promotes “r1-aa”")
    listener.progress(ONE, Progress("jobs/1", JobState.RUNNING, 1, 4, 0.5))
    listener.progress(ONE, Progress("jobs/1", JobState.RUNNING, 1, 4, 0.5))

    said, moved = map(json.loads, stream.getvalue().splitlines())
    assert list(said) == ["time", "level", "event", "project", "name", "text"]
    assert (said["level"], said["event"], said["project"], said["name"]) == (
        "info",
        "doing",
        "demo",
        "intents",
    )
    assert said["text"] == "promotes “r1-aa”"
    assert (moved["event"], moved["state"], moved["epoch"], moved["loss"]) == ("job", "RUNNING", 1, 0.5)


def test_what_was_told_to_stop_begins_nothing_new() -> None:
    clock = StoppableClock()
    listener = Logged(log_to(io.StringIO()), clock)
    clock.stop()

    with pytest.raises(Stopped):
        listener.say(ONE, "creates a job")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_wait_at_once_and_the_second_would_end_the_process(number: signal.Signals) -> None:
    clock = StoppableClock()
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}

    with clock.listening():
        ring = threading.Timer(0.05, os.kill, (os.getpid(), number))
        ring.start()
        assert clock.wait(60)
        assert signal.getsignal(number) is signal.SIG_DFL
        ring.join()

    assert {name: signal.getsignal(name) for name in before} == before


@pytest.mark.parametrize("listen", ["9464", "127.0.0.1", "127.0.0.1:x", ":9464", "127.0.0.1:99999", "a:1/b"])
def test_an_address_that_is_none_is_refused(listen: str) -> None:
    with pytest.raises(SettingsError, match="is not HOST:PORT"):
        Teller(listen, Health(1), Metrics())


def settings(**values: str) -> Settings:
    return Settings(None, Path(), values)


def test_the_transport_is_grpc_unless_it_is_said() -> None:
    assert transport(settings()) == "grpc"
    assert transport(settings(transport="rest")) == "rest"
    with pytest.raises(SettingsError, match="TUNEFORM_TRANSPORT is 'soap'"):
        transport(settings(transport="soap"))


def test_the_lag_of_lists_is_in_seconds() -> None:
    assert list_lag(settings()) is None
    lag = list_lag(settings(list_lag="1.5"))
    assert lag is not None
    assert lag.total_seconds() == 1.5
    for wrong in ("-1", "a while", "nan", "1e9"):
        with pytest.raises(SettingsError, match="TUNEFORM_LIST_LAG"):
            list_lag(settings(list_lag=wrong))
