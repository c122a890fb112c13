"""An estimate of tokens: the real tokenizer is the vendor's, this one is near it on plain English."""

import re

# Short runs of letters, single digits and single signs. Scripts without spaces between words get two letters
# a piece; a long word counts as several pieces, as it would with a learned vocabulary.
_PIECE = re.compile(r"[A-Za-z]{1,7}|[^\W\d_A-Za-z]{1,2}|\d|[^\w\s]|_")


def tokenize(text: str) -> tuple[str, ...]:
    """The pieces of a text; white space is no piece of its own."""
    return tuple(_PIECE.findall(text))


def count_tokens(text: str) -> int:
    """The number of pieces, at least 1 for a text that is not empty."""
    return max(sum(1 for _ in _PIECE.finditer(text)), 1 if text else 0)
