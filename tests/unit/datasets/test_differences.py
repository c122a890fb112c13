"""Differences of two contents: counts that add up, and samples that are among them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneform.datasets.canonical import pair_line, preference_line
from tuneform.datasets.differences import NotCanonicalError, Sample, compare
from tuneform.datasets.splits import make_split

ROWS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz")), max_size=20)


def lines(rows: list[tuple[str, str]]) -> tuple[bytes, ...]:
    return make_split("training", [pair_line(*row) for row in rows]).lines


@given(ROWS, ROWS)
def test_the_counts_are_those_of_counting_by_hand(
    old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    before, after = lines(old), lines(new)

    found = compare(lambda: before, lambda: after, samples=100)

    same = Counter(old) & Counter(new)
    gone = Counter(question for question, _ in (Counter(old) - same).elements())
    come = Counter(question for question, _ in (Counter(new) - same).elements())
    assert found.unchanged == same.total()
    assert found.changed == (gone & come).total()
    assert found.removed == (gone - come).total()
    assert found.added == (come - gone).total()
    assert found.any == (Counter(old) != Counter(new))
    for sample in found.samples:
        assert not sample.old or sample.old in before
        assert not sample.new or sample.new in after
        assert bool(sample.old and sample.new) == (sample.kind == "changed")


def test_line_feeds_do_not_matter_and_samples_are_few() -> None:
    old = lines([(f"question {n}", "x") for n in range(50)])
    new = lines([(f"question {n}", "y") for n in range(25, 75)])

    found = compare(lambda: (line + b"\n" for line in old), lambda: new, samples=2)

    assert (found.added, found.removed, found.changed, found.unchanged) == (25, 25, 25, 0)
    assert [sample.kind for sample in found.samples] == ["changed"] * 2 + ["removed"] * 2 + ["added"] * 2


def test_of_a_preference_the_prompt_is_the_question() -> None:
    def line(best: str) -> bytes:
        answers = [
            {"score": 1, "completion": {"role": "model", "parts": [{"text": best}]}},
            {"score": 0, "completion": {"role": "model", "parts": [{"text": "no"}]}},
        ]
        asked = [{"role": "user", "parts": [{"text": "q"}]}]
        return preference_line({"contents": asked, "completions": answers}).line

    (sample,) = compare(lambda: [line("a")], lambda: [line("b")]).samples

    assert sample == Sample("changed", line("a"), line("b"))


@pytest.mark.parametrize(
    "other",
    [tuple(reversed(lines([("a", "x"), ("b", "x")]))), (b"{}",), (b"no JSON",), (b'{"contents": 3}',)],
    ids=["another order", "no example", "no JSON", "no turns"],
)
def test_what_tuneform_did_not_write_is_not_compared(other: tuple[bytes, ...]) -> None:
    with pytest.raises(NotCanonicalError):
        compare(lambda: other, lambda: lines([("a", "x"), ("b", "x")]))
