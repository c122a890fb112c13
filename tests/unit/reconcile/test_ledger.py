"""The ledger's record: what is written is read back, and what is not a record is refused with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reconcile.builders import NOON, record

from tuneform.errors import ReconcileError
from tuneform.reconcile.ledger import (
    Attempt,
    AttemptState,
    GateResult,
    Record,
    Verdict,
    dump,
    head,
    parse,
    parse_head,
)

ATTEMPTS = st.lists(
    st.tuples(st.sampled_from(AttemptState), st.text(max_size=20), st.booleans(), st.booleans()), max_size=5
)


@given(ATTEMPTS, st.sampled_from([None, NOON]), st.sampled_from([None, Verdict("ab", False, "too low")]))
def test_a_record_is_read_back_as_it_was_written(
    attempts: list[tuple[AttemptState, str, bool, bool]], when: datetime | None, verdict: Verdict | None
) -> None:
    written = Record(
        "demo",
        "intents",
        "r1-0123456789abcdef",
        {"baseModel": "gemini-2.5-flash"},
        tuple(
            Attempt(n, state, cause, doubted=doubted, superseded=superseded)
            for n, (state, cause, doubted, superseded) in enumerate(attempts, 1)
        ),
        (GateResult("4", "exactMatch", 0.875, "sha256:aa", 200),),
        verdict,
        wanted=when,
        promoted=when,
        served="4",
    )

    assert parse(dump(written), source="here") == written
    lean = parse_head(head(written))
    assert lean is not None
    assert lean == replace(written, attempts=written.attempts[-1:], recipe={}, gates=())


def test_a_head_fits_the_metadata_of_an_object_whatever_a_job_said() -> None:
    long = record(AttemptState.FAILED, cause="x" * 100_000)

    assert len(head(long)) < 2_000


@pytest.mark.parametrize("text", ["", "garbage", "[]", "{}", '{"attempts": 1}', "null"])
def test_a_head_that_is_none_is_told_from_one(text: str) -> None:
    assert parse_head(text) is None


def test_a_record_of_the_first_version_is_still_read() -> None:
    first = json.loads(dump(record(AttemptState.KNOWN))) | {"version": 1}
    for name in ("verdict", "wanted", "served", "best", "training", "cleared", "retain"):
        del first[name]
    for attempt in first["attempts"]:
        attempt["lease"] = "2026-11-20T12:00:00+00:00"
        del attempt["doubted"], attempt["superseded"]

    wanted = replace(record(AttemptState.KNOWN), wanted=None, best="", training="")
    assert parse(json.dumps(first).encode(), source="here") == wanted


@pytest.mark.parametrize("data", [b"", b"garbage", b"[]", b"{}", b'{"version": 1}', b"\xff\xfe"])
def test_garbage_is_refused_and_says_where_it_lies(data: bytes) -> None:
    with pytest.raises(ReconcileError, match="gs://state/ledger") as caught:
        parse(data, source="gs://state/ledger/x.json")
    assert "earlier generation" in caught.value.remedy


def test_a_record_of_a_newer_version_asks_for_an_upgrade() -> None:
    newer = json.loads(dump(record(AttemptState.KNOWN))) | {"version": 3}

    with pytest.raises(ReconcileError, match="newer") as caught:
        parse(json.dumps(newer).encode(), source="here")
    assert "upgrade" in caught.value.remedy


def test_an_attempt_replaces_its_own_number_and_leaves_no_gap() -> None:
    one = record(AttemptState.CLAIMED)
    known = replace(one.attempts[0], state=AttemptState.KNOWN)

    assert one.with_attempt(known).attempts == (known,)
    with pytest.raises(AssertionError):
        one.with_attempt(replace(known, number=3))


def test_a_measurement_is_kept_for_exactly_the_data_it_was_made_on() -> None:
    result = GateResult("4", "exactMatch", 0.9, "sha256:test", 200)
    kept = replace(record(AttemptState.SUCCEEDED), gates=(result,))

    assert kept.measured("4", "exactMatch", "sha256:test", 200) == result
    assert kept.measured("4", "exactMatch", "sha256:newer", 200) is None
    assert kept.measured("3", "exactMatch", "sha256:test", 200) is None
