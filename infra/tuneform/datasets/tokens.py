"""How many tokens a text has, by estimate."""

from __future__ import annotations

import re
from functools import cache

CHARACTERS_PER_TOKEN = 4


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
    ai.google.dev). The tokenizer itself is not public in this form, so the error of this estimate is unknown:
    text that is mostly digits, code or rare words has more tokens than this says.
    """
    dense = 0 if text.isascii() else len(_dense().findall(text))
    return dense - (dense - len(text)) // CHARACTERS_PER_TOKEN
