"""How many tokens a text has, by estimate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache

CHARACTERS_PER_TOKEN = 4
WORDS_PER_TOKEN = (0.6, 0.8)
SOURCE = 'Google, "Understand and count tokens", ai.google.dev/gemini-api/docs/tokens, read on 2026-11-21'
"""Of both rules of thumb: about 4 characters a token, and 60 to 80 English words for 100 tokens."""

_PIECES = re.compile(r"([A-Za-z]+)|[^\sA-Za-z]|\s{2,}|[\n\r\t]")
_LONG = re.compile(rf"[A-Za-z]{{{int(CHARACTERS_PER_TOKEN / WORDS_PER_TOKEN[0]) + 1},}}")
"""Words that have more tokens by their letters than as words."""


@cache
def _dense() -> re.Pattern[str]:
    # Made when first asked for: it takes longer to compile than a small dataset to read.
    # Kana, CJK ideographs and their extensions, Hangul, full-width forms: about a token each.
    return re.compile(
        "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
    )


def count_tokens(text: str) -> int:
    """Tokens of `text`: one for each CJK, kana or Hangul character, one for each four others, rounded up.

    Four characters a token is what the Gemini API documents for its own models ("Understand and count tokens",
    ai.google.dev). The tokenizer itself is not public in this form: text that is mostly digits, code or rare words
    has more tokens than this says, and `bounds` says how many.
    """
    dense = 0 if text.isascii() else len(_dense().findall(text))
    return dense - (dense - len(text)) // CHARACTERS_PER_TOKEN


def bounds(tokens: int, sample: Iterable[str]) -> tuple[int, int]:
    """Between how many tokens the texts may have that were estimated at `tokens`, from a sample of them.

    Both ends are where documented rules lead (SOURCE), not guarantees. The low end is the lesser of 4 characters a
    token and 80 words for 100 tokens. The high end has 60 words for 100 tokens, or 4 letters a token where words are
    long, and one token for everything else that is no single space: no document says how digits, symbols and other
    alphabets are counted, and a limit on cost should rather stop a job that would have fitted.
    """
    counted = low = high = 0.0
    for text in sample:
        fewest, most = _span(text)
        estimate = count_tokens(text)
        counted, low, high = counted + estimate, low + fewest, high + max(most, estimate)
    if not counted:
        return tokens, tokens
    # Whole numbers of tokens; the small allowance keeps 3.0000001 from being 4.
    return int(tokens * min(low / counted, 1.0)), math.ceil(tokens * high / counted - 1e-6)


def _span(text: str) -> tuple[float, float]:
    """The fewest and the most tokens that the documented rules give a text."""
    pieces, long = _PIECES.findall(text), _LONG.findall(text)
    others = pieces.count("")  # what is no word
    words = len(pieces) - others - len(long)
    most = others + words / WORDS_PER_TOKEN[0] + sum(map(len, long)) / CHARACTERS_PER_TOKEN
    fewest = min(len(text) / CHARACTERS_PER_TOKEN, len(text.split()) / WORDS_PER_TOKEN[1])
    return fewest, most
