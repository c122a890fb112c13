"""Dividing examples, and reading splits back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.datasets import pairs, requests
from tuneform.datasets.canonical import pair_line
from tuneform.datasets.source import Fractions
from tuneform.datasets.splits import divide, share

from .helpers import pair_jsonl, prepared, refused

HUNDRED = [(f"question {number}", f"answer {number % 5}") for number in range(100)]


@pytest.mark.parametrize(
    ("examples", "fraction", "expected"),
    [(10, 0.25, 3), (10, 0.15, 2), (10, 0.24, 2), (100, 0.29, 29), (2, 0.01, 1), (1, 0.4, 0), (50, 0.0, 0)],
)
def test_a_share_is_rounded_half_up_and_at_least_one_of_two(
    examples: int, fraction: float, expected: int
) -> None:
    assert share(examples, fraction) == expected


def test_sizes_are_exact(tmp_path: Path) -> None:
    made = prepared(tmp_path, pair_jsonl(HUNDRED), split={"validation": 0.1, "test": 0.25})
    assert made.validation is not None
    assert made.test is not None
    assert (made.training.examples, made.validation.examples, made.test.examples) == (65, 10, 25)
    assert (made.training.name, made.validation.name, made.test.name) == ("training", "validation", "test")


def test_row_order_does_not_decide_who_goes_where(tmp_path: Path) -> None:
    split = {"validation": 0.1, "test": 0.1, "seed": 7}
    forward = prepared(tmp_path, pair_jsonl(HUNDRED), split=split)
    assert prepared(tmp_path, pair_jsonl(HUNDRED[::-1]), split=split) == forward


def test_another_seed_divides_otherwise(tmp_path: Path) -> None:
    one, two = (prepared(tmp_path, pair_jsonl(HUNDRED), split={"test": 0.2, "seed": seed}) for seed in (1, 2))
    assert one.test is not None
    assert two.test is not None
    assert one.test.digest != two.test.digest


def test_the_test_examples_do_not_depend_on_the_share_of_validation(tmp_path: Path) -> None:
    one, two = (
        prepared(tmp_path, pair_jsonl(HUNDRED), split={"test": 0.2, "validation": validation})
        for validation in (0.0, 0.3)
    )
    assert one.test == two.test
    assert one.validation is None


def test_parts_of_their_own_are_not_divided(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_bytes(pair_jsonl([("new", "x")]))
    made = prepared(tmp_path, pair_jsonl(HUNDRED), test="test.jsonl", split={"validation": 0.1})
    assert made.test is not None
    assert made.test.examples == 1
    assert made.training.examples == 90


def test_a_split_that_leaves_nothing_to_train_on_is_an_error(tmp_path: Path) -> None:
    (wrong,) = refused(tmp_path, pair_jsonl(HUNDRED[:2]), split={"validation": 0.1, "test": 0.1})
    assert wrong.code == "E204"
    assert "train" in wrong.message


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from("abcdef"), max_size=30),
    st.floats(0, 0.99),
    st.floats(0, 0.99),
    st.integers(),
)
def test_dividing_loses_and_adds_nothing(
    letters: list[str], validation: float, test: float, seed: int
) -> None:
    lines = [pair_line(letter, letter) for letter in letters]
    fractions = Fractions(validation, test, seed)
    divided = divide(lines, fractions)
    assert sum((Counter(part) for part in divided.values()), Counter()) == Counter(lines)
    assert divide(lines[::-1], fractions) == divided


def test_requests_ask_everything_but_the_last_turn(tmp_path: Path) -> None:
    turns = [("user", "a"), ("model", "b"), ("user", "c"), ("model", "d")]
    example = {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns],
    }
    split = prepared(tmp_path, orjson.dumps(example)).training
    ((request, expected),) = requests(split.lines)
    assert expected == "d"
    assert [turn["parts"][0]["text"] for turn in request["contents"]] == ["a", "b", "c"]
    assert request["systemInstruction"]["parts"] == [{"text": "s"}]
    assert pairs(split) == (("s\na\nb\nc", "d"),)


def test_a_preamble_goes_before_the_first_question_with_a_blank_line(tmp_path: Path) -> None:
    made = prepared(tmp_path, pair_jsonl([("1", "2")]), preamble="Say the next number.\n")
    assert pairs(made.training) == (("Say the next number.\n\n1", "2"),)


def test_a_preamble_stands_before_an_image(tmp_path: Path) -> None:
    image = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}
    example = {
        "contents": [{"role": "user", "parts": [image]}, {"role": "model", "parts": [{"text": "cat"}]}]
    }
    made = prepared(tmp_path, orjson.dumps(example), preamble="Name it.")
    assert orjson.loads(made.training.lines[0])["contents"][0]["parts"] == [{"text": "Name it."}, image]


def test_a_blank_preamble_is_none(tmp_path: Path) -> None:
    assert prepared(tmp_path, pair_jsonl([("1", "2")]), preamble=" \n") == prepared(
        tmp_path, pair_jsonl([("1", "2")])
    )


def test_tokens_are_summed_over_the_lines_of_a_split(tmp_path: Path) -> None:
    made = prepared(tmp_path, pair_jsonl([("abcd", "abcdefgh"), ("東京", "x")]))
    assert made.training.tokens == 1 + 2 + 2 + 1
