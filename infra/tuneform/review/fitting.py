"""A text of parts that keeps to a limit: the least important ones are left out, and it says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tuneform.review import markup

GITHUB = 65_536
"""The most characters that a comment on GitHub may have."""
GITLAB = 1_000_000
"""The most characters that a note in GitLab may have (GitLab documentation, "Instance limits")."""
_NOTE_ROOM = 600


@dataclass(frozen=True)
class Part:
    """A piece that is sound Markdown by itself.

    `rank` is how much may be missed before it, 0 for what is always there; `what` says of which kind it is ("details"),
    for what is told of those left out.
    """

    text: str
    rank: int = 0
    what: str = ""


def fitted(parts: Sequence[Part], limit: int, elsewhere: str) -> str:
    """The parts in their order, without the least important ones where all would be longer than `limit`.

    Of equals the last ones go first. What was left out is counted at the end, and `elsewhere` says where it is.
    """
    total = sum(markup.size(part.text) for part in parts)
    if total <= limit:
        return "".join(part.text for part in parts)
    left_out: set[int] = set()
    for number in sorted(range(len(parts)), key=lambda n: (parts[n].rank, n), reverse=True):
        if total + _NOTE_ROOM <= limit or not parts[number].rank:
            break
        left_out.add(number)
        total -= markup.size(parts[number].text)
    kept = "".join(part.text for number, part in enumerate(parts) if number not in left_out)
    return kept + _note(Counter(parts[number].what for number in left_out), limit, elsewhere)


def _note(left_out: Counter[str], limit: int, elsewhere: str) -> str:
    counted = ", ".join(f"{what}: {count:,}" for what, count in sorted(left_out.items()) if what)
    return f"\n> **Cut to {limit:,} characters.** Left out: {counted}. {elsewhere}\n"
