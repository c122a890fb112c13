"""Differences are complete, sorted and readable."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tuneform.reconcile.diff import diff

PLAIN = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.one_of(st.integers(0, 3), inner), max_size=3),
)


@given(PLAIN, PLAIN)
def test_there_is_a_difference_exactly_when_they_differ(old: dict[str, Any], new: dict[str, Any]) -> None:
    changes = diff(old, new)

    assert (changes == ()) == (old == new)
    assert [change.path for change in changes] == sorted(change.path for change in changes)


def test_each_kind_of_change_reads_well() -> None:
    changes = diff({"a": 1, "b": {"c": 2}, "d": 3}, {"a": 2, "b": {"c": 2, "e": 5}})

    assert [str(change) for change in changes] == ["a 1 → 2", "b.e = 5", "d removed (was 3)"]


def test_digests_are_told_apart_by_their_beginnings() -> None:
    (change,) = diff({"training": f"sha256:{'a1' * 32}"}, {"training": f"sha256:{'b2' * 32}"})

    assert str(change) == "training sha256:a1a1a1a1a1a1… → sha256:b2b2b2b2b2b2…"
