"""Datasets for preference tuning: two scored answers to each prompt."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tuneform.datasets import requests

from .helpers import prepared, refused

FORM = "preference-jsonl"


def turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


def compared(preferred: str = "good", other: str = "bad", **more: Any) -> dict[str, Any]:
    scored = ((1, preferred), (0, other))
    pair = [{"score": score, "completion": turn("model", text)} for score, text in scored]
    return {"contents": [turn("user", "how?")], "completions": pair, **more}


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_neither_the_order_of_answers_nor_the_spelling_makes_other_content(tmp_path: Path) -> None:
    one = compared()
    other = compared() | {"completions": [*reversed(one["completions"])]}
    other["completions"][0] |= {"score": 0.0}
    first, second = (prepared(tmp_path, jsonl(row), format=FORM).training for row in (one, other))
    assert first.digest == second.digest
    assert first.lines == second.lines
    assert first.tokens == 4  # "how?" is billed twice, "good" and "bad" once
    # At the least a token for four characters, of 15; at the most 100 tokens for 60 words, and two question marks.
    assert first.token_bounds == (3, math.ceil(4 / 0.6 + 2))


def test_a_gate_asks_the_prompt_and_expects_what_is_preferred(tmp_path: Path) -> None:
    made = prepared(tmp_path, jsonl(compared(system_instruction={"parts": {"text": "be kind"}})), format=FORM)
    ((request, expected),) = requests(made.training.lines)
    assert expected == "good"
    assert request["contents"] == [{"parts": [{"text": "how?"}], "role": "user"}]
    assert "completions" not in request


def test_a_preamble_goes_before_the_prompt(tmp_path: Path) -> None:
    made = prepared(tmp_path, jsonl(compared()), format=FORM, preamble="Politely:")
    assert b'"Politely:\\n\\nhow?"' in made.training.lines[0]


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        (compared() | {"completions": None}, "E226", "a preferred answer and another"),
        (
            compared() | {"completions": compared()["completions"][:1]},
            "E226",
            "a preferred answer and another",
        ),
        (compared() | {"completions": compared()["completions"][:1] * 2}, "E226", "the score 1"),
        (compared("same", "same"), "E226", "nothing can be preferred"),
        (compared() | {"contents": [turn("user", "q"), turn("model", "a")]}, "E226", "ends with the user's"),
        (compared() | {"contents": []}, "E220", "missing `contents`"),
        (
            compared()
            | {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": "gs://b/i.png"}}]}]},
            "E227",
            "text alone",
        ),
        (3, "E211", "an example is an object"),
    ],
)
def test_what_is_no_preference_is_said_with_its_line(tmp_path: Path, row: Any, code: str, words: str) -> None:
    (found,) = refused(tmp_path, jsonl(compared(), row), format=FORM)
    assert (found.code, found.position and found.position.line) == (code, 2)
    assert words in found.message


def test_preferences_are_never_guessed(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, jsonl(compared()))
    assert found.code == "E225"
    assert "format: preference-jsonl" in found.hint
