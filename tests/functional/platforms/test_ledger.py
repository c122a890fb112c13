"""The ledger in a bucket: compare-and-swap, heads, pointers, the server's time, and answers that are lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.faults.control import Control
from tests.functional.emulators import Emulator
from tests.functional.platforms.kit import PROJECT, RUN, Bench, connected

from tuneform.errors import Ambiguous, LedgerConflict, ReconcileError, Retryable, Terminal
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.storage import ledger as module
from tuneform.platforms.vertex.storage.ledger import HEAD, HEAD_LIMIT, POINTER
from tuneform.reconcile.ledger import (
    Attempt,
    AttemptState,
    GateResult,
    Pointer,
    Record,
    Verdict,
    Versioned,
    dump,
    head,
)
from tuneform.reconcile.ports import Ledger
from tuneform_emulator import server
from tuneform_emulator.clock import ManualClock
from tuneform_emulator.store import Store
from tuneform_emulator.world import Settings, World

UPLOAD = {"method": "POST", "path": "^/upload/"}
REVISION = "r1-0123456789abcdef"
RECORD = Record(
    "demo",
    "intents",
    REVISION,
    {"baseModel": "gemini-2.5-flash"},
    (
        Attempt(1, AttemptState.FAILED, "it failed – so sagt Vertex", job="j1"),
        Attempt(2, AttemptState.SUCCEEDED, "again", holder="h:1:x", fence="gs://f", job="j2", model="m@1"),
    ),
    (GateResult("2", "exactMatch", 0.9, "sha256:1", 10),),
    Verdict("v", passed=True),
    wanted=datetime(2026, 11, 21, tzinfo=UTC),
    best="2",
)
POINTER_TO = Pointer("demo", "intents", "projects/p/locations/l/endpoints/1", REVISION, "m@1", "2")


def changed(versioned: Versioned, cause: str) -> Versioned:
    attempt = Attempt(2, AttemptState.SUCCEEDED, cause)
    return replace(versioned, record=versioned.record.with_attempt(attempt))


def close(first: datetime | None, second: datetime) -> bool:
    return first is not None and abs(first - second) < timedelta(seconds=1)


@pytest.fixture
def ledger(store: Bench) -> Ledger:
    return store.ports.ledger


def test_before_the_first_write_there_is_nothing_and_nothing_is_made(store: Bench, ledger: Ledger) -> None:
    assert ledger.read(PROJECT, "intents", REVISION) is None
    assert (ledger.history(PROJECT, "intents"), ledger.heads(PROJECT), ledger.pointers(PROJECT)) == (
        (),
        (),
        (),
    )
    ledger.unpoint(PROJECT, "intents")
    assert list(store.emulator.storage().list_buckets()) == []


def test_the_first_write_makes_the_bucket_private_and_versioned(store: Bench, ledger: Ledger) -> None:
    written = ledger.write(PROJECT, Versioned(RECORD))
    assert ledger.read(PROJECT, "intents", REVISION) == written
    assert (written.record, written.lean, written.generation > 0) == (RECORD, False, True)
    assert close(written.updated, datetime.now(UTC))
    bucket = store.emulator.storage().get_bucket(PROJECT.state_bucket)
    assert bucket.versioning_enabled
    assert bucket.iam_configuration.public_access_prevention == "enforced"
    assert bucket.labels == {"tuneform-owner": "team"}


def test_only_who_saw_the_last_state_may_change_it(ledger: Ledger) -> None:
    first = ledger.write(PROJECT, Versioned(RECORD))
    with pytest.raises(LedgerConflict):
        ledger.write(PROJECT, Versioned(RECORD))
    second = ledger.write(PROJECT, changed(first, "second"))
    for late in (changed(first, "late"), Versioned(second.record, first.generation)):
        with pytest.raises(LedgerConflict):
            ledger.write(PROJECT, late)
    with pytest.raises(LedgerConflict):
        ledger.forget(PROJECT, first)
    assert ledger.read(PROJECT, "intents", REVISION) == second
    ledger.forget(PROJECT, second)
    ledger.forget(PROJECT, second)
    assert ledger.read(PROJECT, "intents", REVISION) is None


def test_heads_are_one_call_a_page_and_lean(store: Bench, ledger: Ledger) -> None:
    for number in range(5):
        ledger.write(PROJECT, Versioned(replace(RECORD, name=f"n{number}")))
    ledger.write(replace(PROJECT, name="other"), Versioned(replace(RECORD, project="other")))
    before = store.mark()
    found = ledger.heads(PROJECT)
    assert dict(store.calls(before)) == {"GET /o": 1}
    assert [versioned.record.name for versioned in found] == [f"n{number}" for number in range(5)]
    for versioned in found:
        whole = ledger.read(PROJECT, versioned.record.name, REVISION)
        assert whole is not None
        lean = replace(whole.record, recipe={}, gates=(), attempts=(RECORD.attempts[-1],))
        assert versioned == replace(whole, record=lean, lean=True)


def test_a_record_without_a_head_that_can_be_listed_is_read_whole(store: Bench, ledger: Ledger) -> None:
    # 200 characters of each cause are shown, so that a head is long only by other fields.
    long = replace(RECORD, name="long", training="x" * HEAD_LIMIT)
    short = replace(
        RECORD, name="short", training="x" * (HEAD_LIMIT - len(head(replace(RECORD, name="short"))))
    )
    assert len(head(short)) == HEAD_LIMIT
    for record in (long, short):
        ledger.write(PROJECT, Versioned(record))
    bucket = store.emulator.storage().bucket(PROJECT.state_bucket)
    for name, metadata in (("old", {}), ("odd", {HEAD: "{}"})):
        blob = bucket.blob(f"ledger/demo/{name}/{REVISION}.json")
        blob.metadata = metadata
        blob.upload_from_string(dump(replace(RECORD, name=name)))
    found = {versioned.record.name: versioned for versioned in ledger.heads(PROJECT)}
    assert {name: versioned.lean for name, versioned in found.items()} == {
        "long": False,
        "odd": False,
        "old": False,
        "short": True,
    }
    assert found["long"].record == long
    assert found["old"] == ledger.read(PROJECT, "old", REVISION)


def test_the_history_of_a_tuning_is_whole(ledger: Ledger) -> None:
    written = [
        ledger.write(PROJECT, Versioned(replace(RECORD, revision=f"r1-{number:016x}")))
        for number in range(20)
    ]
    ledger.write(PROJECT, Versioned(replace(RECORD, name="intents2")))
    assert list(ledger.history(PROJECT, "intents")) == written


def test_garbage_and_records_of_a_newer_version_are_named_with_a_remedy(store: Bench, ledger: Ledger) -> None:
    ledger.write(PROJECT, Versioned(RECORD))
    blob = store.emulator.storage().bucket(PROJECT.state_bucket).blob(f"ledger/demo/intents/{REVISION}.json")
    for data in (b"\x00", b"[]", b'{"version": 99}'):
        blob.upload_from_string(data)
        for read in (lambda: ledger.read(PROJECT, "intents", REVISION), lambda: ledger.heads(PROJECT)):
            with pytest.raises(ReconcileError, match=REVISION) as caught:
                read()
            assert caught.value.remedy


LOST: dict[str, dict[str, Any]] = {
    "reset": {"kind": "reset"},
    "unavailable": {"kind": "status", "status": "UNAVAILABLE"},
    "internal": {"kind": "status", "status": "INTERNAL"},
    "malformed": {"kind": "malformed"},
    "empty": {"kind": "malformed", "body": "{}"},
    "another": {"kind": "malformed", "body": "[]"},
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("case", LOST)
def test_a_write_whose_answer_is_lost_is_found_out_about(
    store: Bench, ledger: Ledger, case: str, when: str
) -> None:
    first = ledger.write(PROJECT, Versioned(RECORD))
    with store.control.met({"calls": UPLOAD, "when": when, "effect": LOST[case]}):
        second = ledger.write(PROJECT, changed(first, "second"))
    assert ledger.read(PROJECT, "intents", REVISION) == second
    third = ledger.write(PROJECT, changed(second, "third"))
    assert third.generation > second.generation


def test_a_write_that_only_its_own_repetition_finds_committed(store: Bench, ledger: Ledger) -> None:
    first = ledger.write(PROJECT, Versioned(RECORD))
    before = store.mark()
    # The answer of the upload is lost, and the look after it does not see what was stored.
    with store.control.met(
        {"calls": UPLOAD, "when": "after", "effect": {"kind": "reset"}},
        {
            "calls": {"method": "GET", "path": "/o/ledger", "times": 2},
            "effect": {"kind": "status", "status": "NOT_FOUND"},
        },
    ):
        second = ledger.write(PROJECT, changed(first, "second"))
    assert store.calls(before)["POST /o"] == 2
    assert ledger.read(PROJECT, "intents", REVISION) == second


def test_who_lost_the_answer_and_the_race_is_told_of_the_conflict(store: Bench, ledger: Ledger) -> None:
    first = ledger.write(PROJECT, Versioned(RECORD))
    winner = connected(store.emulator.endpoint, "grpc", holder="host:13:winner").ledger
    look = store.control.hold(method="GET", path="^/storage/v1/b/.*/o/ledger", caller=f"run/{RUN}")
    reset = {"calls": {**UPLOAD, "caller": f"run/{RUN}"}, "effect": {"kind": "reset"}}
    with store.control.met(reset), ThreadPoolExecutor(1) as pool:
        losing = pool.submit(ledger.write, PROJECT, changed(first, "loser"))
        store.control.held(1)
        won = winner.write(PROJECT, changed(first, "winner"))
        store.control.remove(look)
        with pytest.raises(LedgerConflict):
            losing.result()
    assert ledger.read(PROJECT, "intents", REVISION) == won


@pytest.mark.parametrize(
    ("effect", "meaning"),
    [
        ({"kind": "permission"}, Terminal),
        ({"kind": "quota", "retry_after": 120}, Retryable),
        ({"kind": "status", "status": "ABORTED"}, Ambiguous),
    ],
    ids=["permission", "quota", "aborted"],
)
def test_a_write_that_is_refused_is_told_for_what_it_is(
    store: Bench, ledger: Ledger, effect: dict[str, Any], meaning: type[Exception]
) -> None:
    with store.control.met({"calls": UPLOAD, "effect": effect}), pytest.raises(meaning):
        ledger.write(PROJECT, Versioned(RECORD))
    assert ledger.read(PROJECT, "intents", REVISION) is None


def test_a_damaged_record_is_read_again(store: Bench, ledger: Ledger) -> None:
    written = ledger.write(PROJECT, Versioned(RECORD))
    media = {"method": "GET", "path": "^/download/"}
    with store.control.met({"calls": media, "effect": {"kind": "malformed"}}):
        assert ledger.read(PROJECT, "intents", REVISION) == written
    with store.control.met({"calls": media, "effect": {"kind": "malformed"}}):
        assert ledger.history(PROJECT, "intents") == (written,)


def test_pointers_are_one_listing_and_move_by_compare_and_swap(store: Bench, ledger: Ledger) -> None:
    ledger.point(PROJECT, POINTER_TO)
    ledger.point(PROJECT, replace(POINTER_TO, name="other"))
    before = store.mark()
    first, other = ledger.pointers(PROJECT)
    assert dict(store.calls(before)) == {"GET /o": 1}
    assert (first, other.name, first.generation > 0) == (POINTER_TO, "other", True)
    with pytest.raises(LedgerConflict):
        ledger.point(PROJECT, POINTER_TO)
    ledger.point(PROJECT, replace(first, checkpoint="3"))
    with pytest.raises(LedgerConflict):
        ledger.point(PROJECT, replace(first, checkpoint="4"))
    blob = store.emulator.storage().bucket(PROJECT.state_bucket).get_blob("pointers/demo/intents.json")
    assert blob is not None
    blob.metadata = {POINTER: None}
    blob.patch()
    assert [pointer.checkpoint for pointer in ledger.pointers(PROJECT)] == ["3", "2"], (
        "read whole without metadata"
    )
    ledger.unpoint(PROJECT, "intents")
    ledger.unpoint(PROJECT, "intents")
    assert [pointer.name for pointer in ledger.pointers(PROJECT)] == ["other"]


def test_the_time_is_the_server_s_and_asking_for_it_leaves_nothing(tmp_path: Path) -> None:
    """The emulator's clock is driven by hand, and years from ours."""
    start = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
    records = Store(tmp_path / "emulator.db")
    with server.running(World(records, ManualClock(start), Settings())) as endpoint:
        ports = connected(endpoint, "rest")
        assert close(ports.ledger.now(), start)
        Control(endpoint).advance(3600)
        assert close(ports.ledger.now(), start + timedelta(hours=1))
        written = ports.ledger.write(PROJECT, Versioned(RECORD))
        assert close(written.updated, start + timedelta(hours=1))
        assert ports.objects.under(f"gs://{PROJECT.state_bucket}/clock") == ()
    records.close()


def test_the_real_service_s_time_is_remembered_and_measured_again(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = module.ServerClock(Clients(PROJECT, emulator.endpoint))
    monkeypatch.setattr(clock, "_remembered", module.REMEMBERED)
    elapsed = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: 1000.0 + elapsed[0])
    first = clock.now()
    assert close(first, datetime.now(UTC))
    elapsed[0] = 60.0
    assert clock.now() == first + timedelta(seconds=60), "not asked again"
    elapsed[0] = module.REMEMBERED + 1
    assert close(clock.now(), datetime.now(UTC)), "asked again"
