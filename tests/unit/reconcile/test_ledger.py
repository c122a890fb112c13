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
from tuneform.reconcile.ledger import Attempt, AttemptState, GateResult, Record, dump, parse

ATTEMPTS = st.lists(
    st.tuples(st.sampled_from(AttemptState), st.text(max_size=20), st.sampled_from([None, NOON])), max_size=5
)


@given(ATTEMPTS, st.sampled_from([None, NOON]))
def test_a_record_is_read_back_as_it_was_written(
    attempts: list[tuple[AttemptState, str, datetime | None]], promoted: datetime | None
) -> None:
    written = Record(
        "demo",
        "intents",
        "r1-0123456789abcdef",
        {"baseModel": "gemini-2.5-flash"},
        tuple(Attempt(n, state, cause, lease=lease) for n, (state, cause, lease) in enumerate(attempts, 1)),
        (GateResult("4", "exactMatch", 0.875, "sha256:aa", 200),),
        promoted,
    )

    assert parse(dump(written), source="here") == written


@pytest.mark.parametrize("data", [b"", b"garbage", b"[]", b"{}", b'{"version": 1}', b"\xff\xfe"])
def test_garbage_is_refused_and_says_where_it_lies(data: bytes) -> None:
    with pytest.raises(ReconcileError, match="gs://state/ledger") as caught:
        parse(data, source="gs://state/ledger/x.json")
    assert "earlier generation" in caught.value.remedy


def test_a_record_of_a_newer_version_asks_for_an_upgrade() -> None:
    newer = json.loads(dump(record(AttemptState.KNOWN))) | {"version": 2}

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
