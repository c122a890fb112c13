"""The estimate of tokens."""

from __future__ import annotations

import pytest

from tuneform.datasets import count_tokens


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
