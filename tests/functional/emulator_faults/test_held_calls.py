"""Calls that are held over real sockets, and what becomes of them when their clients go away."""

from __future__ import annotations

import time
from pathlib import Path

import requests
from tests.faults.control import Control
from tests.functional.emulators import Emulator

from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.daemon import STOP_SECONDS
from tuneform_emulator.store import Store
from tuneform_emulator.world import World

from .conftest import Wire

BUCKETS = "/storage/v1/b?project=tuneform-test"
MANY = 100


def names(emulator: Emulator) -> set[str]:
    found: list[dict[str, str]] = emulator.call("GET", BUCKETS).json().get("items", [])
    return {item["name"] for item in found}


def gone(emulator: Emulator, control: Control, status: int | str) -> None:
    """Waits until the held call has ended with a status."""
    deadline = time.monotonic() + 30
    while control.log()[0].status != status:
        assert time.monotonic() < deadline, control.log()


def test_a_held_create_happens_though_its_client_died(emulator: Emulator, control: Control) -> None:
    barrier = control.hold(method="POST", route="/storage/v1/b")
    wire = Wire(emulator.endpoint)
    wire.send("POST", BUCKETS, {"name": "late-data"}, "tuneform/1 run/killed")
    (held,) = control.held(1)
    assert (held.method, held.path, held.run, held.when) == ("POST", "/storage/v1/b", "killed", "before")
    wire.close()
    assert [item.id for item in control.held()] == [held.id]
    assert names(emulator) == set()
    assert control.release(barrier) == [held.id]
    gone(emulator, control, 200)
    assert names(emulator) == {"late-data"}


def test_a_dropped_create_never_happens(emulator: Emulator, control: Control) -> None:
    barrier = control.hold(method="POST", route="/storage/v1/b")
    wire = Wire(emulator.endpoint)
    wire.send("POST", BUCKETS, {"name": "late-data"})
    control.held(1)
    wire.close()
    control.release(barrier, "drop")
    gone(emulator, control, "cut")
    assert control.log()[0].handled is False
    assert names(emulator) == set()


def test_an_answer_is_held_after_its_create_happened(emulator: Emulator, control: Control) -> None:
    barrier = control.hold("after", method="POST", route="/storage/v1/b")
    wire = Wire(emulator.endpoint)
    wire.send("POST", BUCKETS, {"name": "late-data"})
    control.held(1)
    assert names(emulator) == {"late-data"}
    control.release(barrier)
    gone(emulator, control, 200)
    assert wire.socket.recv(12) == b"HTTP/1.1 200"
    wire.close()


def test_many_calls_are_held_at_once_and_the_levers_still_work(emulator: Emulator, control: Control) -> None:
    barrier = control.hold(method="POST", route="/storage/v1/b", times=0)
    wires = [Wire(emulator.endpoint) for _ in range(MANY)]
    for number, wire in enumerate(wires):
        wire.send("POST", BUCKETS, {"name": f"data-{number:03}"})
    held = control.held(MANY)
    assert len(held) == MANY
    assert names(emulator) == set()
    first = control.release(barrier, count=1)
    assert first == [held[0].id]
    control.release(barrier, "drop", count=9)
    control.remove(barrier)
    deadline = time.monotonic() + 60
    while len(names(emulator)) < MANY - 9:
        assert time.monotonic() < deadline
    for wire in wires:
        wire.close()
    assert sum(call.status == "cut" for call in control.log()) == 9


def test_two_callers_are_let_through_in_either_order(emulator: Emulator, control: Control) -> None:
    control.hold(method="POST", route="/storage/v1/b", times=0)
    for winner, loser in (("one", "two"), ("two", "one")):
        wires = {run: Wire(emulator.endpoint) for run in ("one", "two")}
        for run, wire in wires.items():
            wire.send("POST", BUCKETS, {"name": f"won-by-{winner}"}, f"tuneform/1 run/{run}")
        held = {item.run: item.id for item in control.held(2)}
        for run, status in ((winner, b"200"), (loser, b"409")):
            control.release(held[run])
            assert wires[run].socket.recv(12) == b"HTTP/1.1 " + status
        for wire in wires.values():
            wire.close()


def test_an_emulator_that_ends_does_not_wait_for_held_calls(tmp_path: Path) -> None:
    store = Store(tmp_path / "emulator.db")
    world = World(store, WallClock())
    started = time.monotonic()
    with server.running(world) as endpoint:
        control = Control(endpoint)
        control.hold(method="POST", route="/storage/v1/b")
        wire = Wire(endpoint)
        wire.send("POST", BUCKETS, {"name": "late-data"})
        control.held(1)
    assert time.monotonic() - started < STOP_SECONDS
    wire.close()
    with server.running(world) as endpoint:
        assert requests.get(endpoint + BUCKETS, timeout=30).json().get("items", []) == []
    store.close()
