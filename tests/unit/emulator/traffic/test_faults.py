"""Which calls and jobs a fault is for, and how often it is met; no sockets."""

from __future__ import annotations

import threading

import pytest

from tuneform_emulator.traffic import orders
from tuneform_emulator.traffic.calls import Call, Calls
from tuneform_emulator.traffic.effects import (
    CallFault,
    Delay,
    EndpointFailed,
    Failed,
    JobFault,
    Jobs,
    KeyRevoked,
    Malformed,
    Reset,
    Status,
    Stuck,
    quota,
)
from tuneform_emulator.traffic.faults import Faults
from tuneform_emulator.wire import ApiError

JOBS = "/{version}/projects/{project}/locations/{location}/tuningJobs"


def call(method: str = "POST", pattern: str = JOBS, *, path: str = "", agent: str = "") -> Call:
    return Call(1, method, path or "/v1/projects/p/locations/l/tuningJobs", pattern, agent)


@pytest.mark.parametrize(
    "calls",
    [
        Calls(),
        Calls(method="POST"),
        Calls(route=JOBS),
        Calls(route=".../tuningJobs"),
        Calls(path=r"/tuningJobs$"),
        Calls(path="^/v1/"),
        Calls(caller="run/abc"),
        Calls("POST", ".../tuningJobs", "projects/p/", "tuneform/"),
    ],
)
def test_a_call_that_everything_fits_is_meant(calls: Calls) -> None:
    assert calls.fits(call(agent="python/3 tuneform/1.0 run/abc gl-python/3.11"))


@pytest.mark.parametrize(
    "calls",
    [
        Calls(method="GET"),
        Calls(route="/tuningJobs"),
        Calls(route=".../models"),
        Calls(path="^/v1beta1/"),
        Calls(caller="run/abd"),
        Calls("POST", ".../tuningJobs", "projects/q/"),
    ],
)
def test_a_call_that_something_does_not_fit_is_not(calls: Calls) -> None:
    assert not calls.fits(call(agent="tuneform/1.0 run/abc"))


def test_a_call_knows_the_run_it_belongs_to() -> None:
    assert call(agent="tuneform/1.0 run/2026-a.b gl-python/3").run == "2026-a.b"
    assert call(agent="tuneform/1.0").run == ""


def effects(faults: Faults, times: int, method: str = "POST") -> list[object]:
    return [faults.meet(call(method), "before") for _ in range(times)]


def test_a_fault_meets_the_nth_call_and_those_that_follow_and_no_more() -> None:
    faults = Faults()
    (key,) = faults.order(CallFault(Calls(method="POST", nth=2, times=2), Reset()))
    assert effects(faults, 1, "GET") == [None]
    assert effects(faults, 5) == [None, Reset(), Reset(), None, None]
    (order,) = faults.orders()
    assert (order.id, order.tally.seen, order.tally.met) == (key, 5, 2)


def test_a_fault_without_end_meets_every_call() -> None:
    faults = Faults()
    faults.order(CallFault(Calls(times=0), Reset()))
    assert len(faults.orders(unmet=True)) == 1
    assert effects(faults, 3) == [Reset()] * 3
    assert faults.orders(unmet=True) == []


def test_a_fault_is_unmet_until_it_was_met_as_often_as_it_is_meant() -> None:
    faults = Faults()
    faults.order(CallFault(Calls(times=2), Reset()))
    effects(faults, 1)
    assert len(faults.orders(unmet=True)) == 1
    effects(faults, 1)
    assert faults.orders(unmet=True) == []


def test_faults_on_one_route_follow_each_other() -> None:
    faults = Faults()
    faults.order(CallFault(Calls(), quota()), CallFault(Calls(times=2), Reset()))
    assert effects(faults, 4) == [quota(), Reset(), Reset(), None]


def test_a_fault_for_answers_leaves_calls_alone() -> None:
    faults = Faults()
    faults.order(CallFault(Calls(), Malformed(), when="after"))
    assert faults.meet(call(), "before") is None
    assert faults.meet(call(), "after") == Malformed()


def test_a_delay_is_followed_by_what_comes_next_and_ends_when_it_is_taken_back() -> None:
    faults = Faults()
    (key,) = faults.order(CallFault(Calls(), Delay(3600)))
    faults.order(CallFault(Calls(), Reset()))
    met: list[object] = []
    thread = threading.Thread(target=lambda: met.append(faults.meet(call(), "before")))
    thread.start()
    assert met == []
    assert faults.take_back(key) == [key]
    thread.join(20)
    assert met == [Reset()]
    assert not thread.is_alive()


def test_many_callers_at_once_meet_a_fault_no_more_often_than_it_is_meant() -> None:
    faults = Faults()
    faults.order(CallFault(Calls(times=50), Reset()))
    met: list[list[object]] = []
    threads = [threading.Thread(target=lambda: met.append(effects(faults, 100))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(part.count(Reset()) for part in met) == 50


def befall(faults: Faults, job: str, phase: str = "pending", epochs: int = 0) -> object:
    return faults.befall(f"projects/1/locations/l/tuningJobs/{job}", f"intents-{job}", phase, epochs)


def test_a_job_is_befallen_once_however_often_it_is_looked_at() -> None:
    faults = Faults()
    faults.order(JobFault(Jobs("pending", nth=2), Stuck()))
    assert [befall(faults, "1"), befall(faults, "1"), befall(faults, "2"), befall(faults, "3")] == [
        None,
        None,
        Stuck(),
        None,
    ]
    assert befall(faults, "2") == Stuck()
    assert faults.orders()[0].tally.met == 1


def test_a_job_is_named_by_its_id_or_by_its_display_name() -> None:
    faults = Faults()
    faults.order(JobFault(Jobs("tuning", name="^intents-7$", epochs=2), Failed(9, "no")))
    assert befall(faults, "8", "tuning", 2) is None
    assert befall(faults, "7", "tuning", 1) is None
    assert befall(faults, "7", "post", 2) is None
    assert befall(faults, "7", "tuning", 2) == Failed(9, "no")


@pytest.mark.parametrize(
    "fault",
    [
        CallFault(Calls("POST", ".../tuningJobs", "x", "y", 2, 0), Status("ABORTED", 409, "m", 1.5), "after"),
        CallFault(Calls(), Delay(1.0)),
        CallFault(Calls(), Reset()),
        CallFault(Calls(), Malformed("{", "text/plain")),
        JobFault(Jobs("queued"), Stuck()),
        JobFault(Jobs("tuning", "x", 2, 3, 0), Failed(9, "no")),
        JobFault(Jobs("post"), EndpointFailed("JOB_STATE_FAILED")),
        JobFault(Jobs("dataset"), KeyRevoked("DESTROYED")),
    ],
)
def test_a_fault_is_what_its_json_says(fault: CallFault | JobFault) -> None:
    assert orders.read(orders.write(fault)) == fault


def test_what_has_a_name_of_its_own_is_a_status() -> None:
    read = orders.read({"calls": {}, "effect": {"kind": "quota", "retry_after": 3}})
    assert read.effect == quota(retry_after=3.0)
    denied = orders.read({"calls": {"times": 0}, "effect": {"kind": "permission"}}).effect
    assert isinstance(denied, Status)
    assert (denied.error().code, denied.status) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (1, "calls"),
        ({"effect": {"kind": "reset"}}, "calls"),
        ({"calls": {}, "jobs": {}, "effect": {"kind": "reset"}}, "calls"),
        ({"calls": {}}, "effect"),
        ({"calls": {}, "effect": {"kind": "explode"}}, "malformed"),
        ({"calls": {}, "effect": {"kind": "stuck"}}, "stuck"),
        ({"calls": {"metod": "POST"}, "effect": {"kind": "reset"}}, "metod"),
        ({"calls": {"nth": 0}, "effect": {"kind": "reset"}}, "nth"),
        ({"calls": {"nth": True}, "effect": {"kind": "reset"}}, "nth"),
        ({"calls": {"path": "("}, "effect": {"kind": "reset"}}, "regular expression"),
        ({"calls": {}, "when": "later", "effect": {"kind": "reset"}}, "later"),
        ({"calls": {}, "wen": "after", "effect": {"kind": "reset"}}, "wen"),
        ({"calls": {}, "effect": {"kind": "status", "status": "BROKEN"}}, "BROKEN"),
        ({"calls": {}, "effect": {"kind": "status", "code": 200}}, "code"),
        ({"calls": {}, "effect": {"kind": "delay"}}, "seconds"),
        ({"jobs": {"phase": "asleep"}, "effect": {"kind": "stuck"}}, "asleep"),
        ({"jobs": {"phase": "tuning"}, "when": "after", "effect": {"kind": "stuck"}}, "when"),
        ({"jobs": {"phase": "tuning"}, "effect": {"kind": "reset"}}, "reset"),
        ({"jobs": {"phase": "tuning"}, "effect": {"kind": "endpoint-failed"}}, "post"),
        ({"jobs": {"phase": "tuning"}, "effect": {"kind": "failed", "code": 0}}, "code"),
        ({"jobs": {"phase": "cancelling"}, "effect": {"kind": "failed"}}, "cancel"),
    ],
)
def test_an_order_that_means_nothing_is_refused(fault: object, said: str) -> None:
    with pytest.raises(ApiError, match=said) as refusal:
        orders.read(fault)
    assert refusal.value.code == 400


def test_when_to_retry_is_said_twice() -> None:
    said = quota(retry_after=1.25)
    assert said.headers() == {"Retry-After": "2"}
    assert said.error().details[0]["retryDelay"] == "1.25s"
    assert quota(retry_after=30).error().details[0]["retryDelay"] == "30s"
    assert quota().headers() == {}
    assert quota().error().details == ()
