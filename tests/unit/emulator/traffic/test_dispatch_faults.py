"""Faults, barriers, the log and the settings as calls meet them, without a server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tuneform_emulator.clock import ManualClock
from tuneform_emulator.store import Store
from tuneform_emulator.traffic import calls as traffic_calls
from tuneform_emulator.traffic import switches
from tuneform_emulator.traffic.dispatch import Answer, Cut, Dispatcher, Garbage
from tuneform_emulator.wire import ApiError, Response
from tuneform_emulator.world import Settings, World

ENDPOINTS = "/v1/projects/team-one/locations/us-central1/endpoints"
AGENT = {"User-Agent": "tuneform/1.0 run/r1"}


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    world = World(Store(None), ManualClock(datetime(2026, 11, 20, tzinfo=UTC)))
    made = Dispatcher(world)
    yield made
    made.close()
    world.store.close()


def create(dispatcher: Dispatcher, name: str = "one", headers: dict[str, str] = AGENT) -> Answer:
    return dispatcher("POST", ENDPOINTS, "", headers, json.dumps({"displayName": name}).encode())


def names(dispatcher: Dispatcher) -> list[str]:
    answer = dispatcher("GET", ENDPOINTS, "", {}, b"")
    assert isinstance(answer, Response)
    return sorted(item["displayName"] for item in answer.body.get("endpoints", ()))


def control(dispatcher: Dispatcher, method: str, path: str, body: object = None, query: str = "") -> Any:
    answer = dispatcher(method, f"/_emulator/{path}", query, {}, json.dumps(body or {}).encode())
    assert isinstance(answer, Response)
    assert answer.status == 200, answer.body
    return answer.body


def order(dispatcher: Dispatcher, effect: dict[str, object], when: str = "before", **calls: object) -> None:
    fault = {"calls": {"method": "POST", **calls}, "when": when, "effect": effect}
    control(dispatcher, "POST", "faults", {"faults": [fault]})


def test_a_status_before_the_handler_changes_nothing(dispatcher: Dispatcher) -> None:
    order(dispatcher, {"kind": "quota", "retry_after": 7}, route=".../endpoints")
    answer = create(dispatcher)
    assert isinstance(answer, Response)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert answer.body["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert answer.body["error"]["details"][0]["retryDelay"] == "7s"
    assert names(dispatcher) == []
    assert isinstance(create(dispatcher, "two"), Response)
    assert names(dispatcher) == ["two"]


def test_a_status_after_the_handler_hides_what_was_done(dispatcher: Dispatcher) -> None:
    order(dispatcher, {"kind": "status"}, "after")
    answer = create(dispatcher)
    assert isinstance(answer, Response)
    assert answer.status == 503
    assert names(dispatcher) == ["one"]


@pytest.mark.parametrize(("when", "made"), [("before", []), ("after", ["one"])])
def test_a_reset_cuts_the_connection(dispatcher: Dispatcher, when: str, made: list[str]) -> None:
    order(dispatcher, {"kind": "reset"}, when)
    assert create(dispatcher) == Cut()
    assert names(dispatcher) == made


def test_a_malformed_answer_is_the_bytes_ordered(dispatcher: Dispatcher) -> None:
    order(dispatcher, {"kind": "malformed", "body": "<html>", "media_type": "text/html"}, "after")
    assert create(dispatcher) == Garbage(b"<html>", "text/html")


def test_storage_is_refused_in_its_own_words(dispatcher: Dispatcher) -> None:
    order(dispatcher, {"kind": "quota"}, route="/storage/v1/b")
    answer = dispatcher("POST", "/storage/v1/b", "project=team-one", {}, b'{"name": "b-one"}')
    assert isinstance(answer, Response)
    assert answer.body["error"]["errors"][0]["reason"] == "rateLimitExceeded"


def test_a_route_that_is_not_there_is_refused_at_once(dispatcher: Dispatcher) -> None:
    for path, body in (
        ("faults", {"faults": [{"calls": {"route": ".../tuningJob"}, "effect": {"kind": "reset"}}]}),
        (
            "faults",
            {"faults": [{"calls": {"method": "PUT", "route": ".../models"}, "effect": {"kind": "reset"}}]},
        ),
        ("barriers", {"calls": {"route": "/nowhere"}}),
    ):
        answer = dispatcher("POST", f"/_emulator/{path}", "", {}, json.dumps(body).encode())
        assert isinstance(answer, Response)
        assert answer.status == 400
        assert "No route matches" in answer.body["error"]["message"]


def test_of_several_orders_all_are_taken_or_none(dispatcher: Dispatcher) -> None:
    good = {"calls": {}, "effect": {"kind": "reset"}}
    body = json.dumps({"faults": [good, {"calls": {}, "effect": {"kind": "?"}}]}).encode()
    answer = dispatcher("POST", "/_emulator/faults", "", {}, body)
    assert isinstance(answer, Response)
    assert answer.status == 400
    assert control(dispatcher, "GET", "faults") == {"faults": []}


def test_the_emulators_own_routes_are_never_broken_held_or_logged(dispatcher: Dispatcher) -> None:
    control(dispatcher, "POST", "barriers", {"calls": {"times": 0}, "when": "after"})
    fault = {"calls": {"times": 0}, "effect": {"kind": "reset"}}
    control(dispatcher, "POST", "faults", {"faults": [fault]})
    assert control(dispatcher, "GET", "health")["status"] == "ok"
    assert control(dispatcher, "GET", "log") == {"calls": []}
    assert create(dispatcher) == Cut()


def test_orders_are_listed_with_how_often_they_were_met_and_can_be_taken_back(dispatcher: Dispatcher) -> None:
    order(dispatcher, {"kind": "reset"})
    order(dispatcher, {"kind": "reset"}, nth=9)
    create(dispatcher)
    shown = control(dispatcher, "GET", "faults")["faults"]
    assert [(item["met"], item["unmet"]) for item in shown] == [(1, False), (0, True)]
    unmet = control(dispatcher, "GET", "faults", query="unmet=1")["faults"]
    assert [item["id"] for item in unmet] == [shown[1]["id"]]
    control(dispatcher, "DELETE", f"faults/{shown[1]['id']}")
    assert control(dispatcher, "GET", "faults", query="unmet=1") == {"faults": []}
    control(dispatcher, "DELETE", "faults")
    assert control(dispatcher, "GET", "faults") == {"faults": []}


def test_the_log_tells_every_call_in_order(dispatcher: Dispatcher) -> None:
    order(dispatcher, {"kind": "reset"})
    create(dispatcher)
    dispatcher("GET", "/nowhere", "", {}, b"")
    create(dispatcher, "two")
    route = "/{version}/projects/{project}/locations/{location}/endpoints"
    found = control(dispatcher, "GET", "log")["calls"]
    assert [(c["number"], c["route"], c["run"], c["status"], c["handled"]) for c in found] == [
        (1, route, "r1", "cut", False),
        (2, "", "", 501, True),
        (3, route, "r1", 200, True),
    ]
    assert [c["number"] for c in control(dispatcher, "GET", "log", query="since=2")["calls"]] == [3]


def test_the_log_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_calls, "KEPT", 3)
    log = traffic_calls.CallLog()
    for number in range(5):
        log.arrive("GET", f"/{number}", "", "")
    assert [item["path"] for item in log.since(0)] == ["/2", "/3", "/4"]


def test_held_calls_go_in_the_order_a_test_wants(dispatcher: Dispatcher) -> None:
    barrier = control(dispatcher, "POST", "barriers", {"calls": {"method": "POST", "times": 0}})["id"]
    done: list[str] = []

    def caller(name: str) -> None:
        create(dispatcher, name, {"x-goog-api-client": f"run/{name}"})
        done.append(name)

    threads = {name: threading.Thread(target=caller, args=(name,)) for name in ("a", "b", "c")}
    for count, thread in enumerate(threads.values(), 1):
        thread.start()
        held = control(dispatcher, "GET", "barriers", query=f"held={count}&seconds=20")["held"]
    assert [item["run"] for item in held] == ["a", "b", "c"]
    for name in ("c", "a"):
        key = next(item["id"] for item in held if item["run"] == name)
        assert control(dispatcher, "POST", f"barriers/{key}:release") == {"released": [key]}
        threads[name].join(20)
    assert done == ["c", "a"]
    assert [item["run"] for item in control(dispatcher, "GET", "barriers")["held"]] == ["b"]
    control(dispatcher, "POST", f"barriers/{barrier}:release", {"outcome": "drop"})
    threads["b"].join(20)
    assert names(dispatcher) == ["a", "c"]


@pytest.mark.parametrize(("when", "made"), [("before", []), ("after", ["one"])])
def test_a_dropped_call_is_cut(dispatcher: Dispatcher, when: str, made: list[str]) -> None:
    barrier = control(dispatcher, "POST", "barriers", {"calls": {"method": "POST"}, "when": when})["id"]
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(create(dispatcher)))
    thread.start()
    control(dispatcher, "GET", "barriers", query="held=1&seconds=20")
    assert names(dispatcher) == made
    control(dispatcher, "POST", f"barriers/{barrier}:release", {"outcome": "drop", "count": 1})
    thread.join(20)
    assert answers == [Cut()]
    assert names(dispatcher) == made


def test_a_barrier_taken_away_lets_what_it_holds_go_on(dispatcher: Dispatcher) -> None:
    barrier = control(dispatcher, "POST", "barriers", {"calls": {"method": "POST"}})["id"]
    thread = threading.Thread(target=create, args=(dispatcher,))
    thread.start()
    control(dispatcher, "GET", "barriers", query="held=1&seconds=20")
    control(dispatcher, "DELETE", f"barriers/{barrier}")
    thread.join(20)
    assert names(dispatcher) == ["one"]
    assert control(dispatcher, "GET", "barriers") == {"barriers": [], "held": []}


def test_a_barrier_taken_away_meanwhile_does_not_hold_what_an_earlier_one_held(
    dispatcher: Dispatcher,
) -> None:
    first, second = (
        control(dispatcher, "POST", "barriers", {"calls": {"method": "POST"}})["id"] for _ in range(2)
    )
    thread = threading.Thread(target=create, args=(dispatcher,))
    thread.start()
    control(dispatcher, "GET", "barriers", query="held=1&seconds=20")
    control(dispatcher, "DELETE", f"barriers/{second}")
    control(dispatcher, "POST", f"barriers/{first}:release")
    thread.join(20)
    assert names(dispatcher) == ["one"]


def test_an_end_of_the_emulator_drops_what_is_held(dispatcher: Dispatcher) -> None:
    control(dispatcher, "POST", "barriers", {"calls": {"method": "POST"}})
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(create(dispatcher)))
    thread.start()
    control(dispatcher, "GET", "barriers", query="held=1&seconds=20")
    dispatcher.close()
    thread.join(20)
    assert answers == [Cut()]


def test_settings_are_changed_by_name_and_kept(dispatcher: Dispatcher) -> None:
    changed = control(dispatcher, "POST", "settings", {"list_lag_seconds": 5, "labels_copied": False})
    assert changed["settings"] == control(dispatcher, "GET", "settings")["settings"]
    world = dispatcher.world
    assert world.settings == Settings(list_lag_seconds=5.0, labels_copied=False)
    assert switches.kept(world.store) == world.settings


@pytest.mark.parametrize(
    "change", [{"lag": 1}, {"list_lag_seconds": "1"}, {"list_lag_seconds": -1}, {"dataset_read": "never"}]
)
def test_a_setting_that_means_nothing_is_refused(dispatcher: Dispatcher, change: dict[str, object]) -> None:
    answer = dispatcher("POST", "/_emulator/settings", "", {}, json.dumps(change).encode())
    assert isinstance(answer, Response)
    assert answer.status == 400
    assert dispatcher.world.settings == Settings()


def test_settings_are_read_from_words() -> None:
    words = ("list_lag_seconds=2", "labels_copied=false", "dataset_read=create")
    assert switches.read_words(words) == {
        "list_lag_seconds": 2.0,
        "labels_copied": False,
        "dataset_read": "create",
    }


@pytest.mark.parametrize(
    "word", ["lag=1", "list_lag_seconds", "list_lag_seconds=x", "list_lag_seconds=nan", "labels_copied=1"]
)
def test_a_word_that_is_no_setting_is_refused(word: str) -> None:
    with pytest.raises(ApiError, match=word.partition("=")[0]):
        switches.read_words((word,))
