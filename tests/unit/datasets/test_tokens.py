"""The estimate of tokens."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneform.datasets import count_tokens
from tuneform.datasets.tokens import bounds


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("abcd", 1),
        ("abcde", 2),
        ("Grüße", 2),
        ("東京", 2),
        ("東京abcde", 4),
        ("서울", 2),
        ("カナ", 2),
    ],
)
def test_four_characters_or_one_ideograph_are_a_token(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


PROSE = "The quick brown fox jumps over the lazy dog while nobody is looking at either of them."


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        # 17 words: 17 / 0.8 by words and 86 / 4 by characters, the lesser of them; 17 / 0.6 and the full stop.
        (PROSE, 17 / 0.8, 17 / 0.6 + 1),
        # Every digit may be a token of its own.
        ("4111111111111111", 1 / 0.8, 16),
        # A word that is long is not fewer tokens than its letters make.
        ("internationalisation", 1 / 0.8, 20 / 4),
        # The longest word that counts as one, and the shortest that counts by its letters.
        ("button," * 12, 1 / 0.8, 12 * (1 / 0.6 + 1)),
        ("lantern," * 12, 1 / 0.8, 12 * (7 / 4 + 1)),
        # Ideographs: a token each is the estimate and the upper end, four characters a token the lower.
        ("東京都庁舎本館入口前", 1 / 0.8, 10),
        ("if x:\n    y = 1", 15 / 4, 3 / 0.6 + 4),
    ],
)
def test_the_ends_are_where_the_documented_rules_lead(text: str, low: float, high: float) -> None:
    tokens = count_tokens(text)
    assert bounds(tokens, [text]) == (int(min(low, tokens)), math.ceil(high - 1e-6))


@given(st.lists(st.text(max_size=200), max_size=20))
def test_the_estimate_lies_between_its_ends(texts: list[str]) -> None:
    tokens = sum(map(count_tokens, texts))
    low, high = bounds(tokens, texts)
    assert 0 <= low <= tokens <= high


def test_the_ends_found_in_a_sample_hold_for_as_much_more_as_there_is() -> None:
    once = count_tokens(PROSE)
    low, high = bounds(once, [PROSE])
    all_low, all_high = bounds(once * 1_000, [PROSE] * 3)
    assert all_low // 1_000 == low
    assert high - 1 <= all_high / 1_000 <= high


def test_nothing_to_sample_leaves_the_estimate_alone() -> None:
    assert bounds(0, []) == (0, 0)
