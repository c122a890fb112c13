"""The plans of several projects, taken together: sums, and a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tuneform.errors import TuneformError
from tuneform.reconcile.plan import Plan
from tuneform.review import costs
from tuneform.review import plan as review


def summed(summaries: Iterable[Mapping[str, int]], failed: int) -> dict[str, int]:
    """The summaries of projects added up, and how many projects failed."""
    sums: Counter[str] = Counter()
    for summary in summaries:
        sums.update(summary)
    return {**{word: sums[word] for word in (*review.WORDS, "unchanged")}, "failed": failed}


def sentence(plans: Sequence[Plan], failed: int) -> str:
    """What is to be done in all projects together, in words."""
    counts = summed(map(review.summary, plans), failed)
    cost = costs.totals(entry.doing for plan in plans for entry in review.entries(plan))
    doing = review.counted(counts)
    done = f"{doing}; {counts['unchanged']:,} unchanged." if doing else "nothing is to be done."
    return f"All {len(plans) + failed} projects: {done} {cost}".rstrip() + failing(failed)


def failing(failed: int) -> str:
    """How many projects failed, in words; empty where none did."""
    return f" {failed} project{'' if failed == 1 else 's'} failed." if failed else ""


def error_object(error: TuneformError) -> dict[str, Any]:
    """What kept a project from being looked at, or worked on, for programs."""
    return {"code": error.code, "message": error.message, "remedy": error.remedy}
