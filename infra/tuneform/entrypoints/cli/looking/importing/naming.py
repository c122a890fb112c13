"""Names for what had none of ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

LONGEST = 23
FALLBACK = "imported"


def valid(text: str) -> str:
    """A document's name as near to a display name as names can be: a-z, 0-9 and dashes, a letter first."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    dashed = re.sub(r"[^a-z0-9]+", "-", plain)
    return re.sub(r"^[^a-z]+", "", dashed)[:LONGEST].rstrip("-") or FALLBACK


def unique(name: str, taken: Container[str]) -> str:
    """The name, or the first of name-2, name-3, … that is not taken, cut to fit."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        ending = f"-{number}"
        candidate = f"{name[: LONGEST - len(ending)].rstrip('-')}{ending}"
    return candidate
