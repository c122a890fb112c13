"""What differs in datasets, for people and programs: counts, and of a few examples the beginning.

An example that may hold a secret is not shown, nor is any of a dataset that is not written in the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from tuneform.datasets import requests
from tuneform.datasets.canonical import texts
from tuneform.datasets.differences import Differences, Sample
from tuneform.reconcile.data_changes import DatasetDifference
from tuneform.review.markup import short

SHOWN = 80
"""Characters of a question or an answer that are shown."""
LOOKED_THROUGH = 20_000
"""Characters of an example that are looked through for secrets; a longer one would take a while, and is not shown."""
Suspected = Callable[[str], str]
"""Names the kind of secret that a text may hold; empty for none."""


def sentence(difference: DatasetDifference) -> str:
    """One line."""
    which = "which serves" if difference.serves else "asked for last"
    since = f"since {difference.revision}, {which}"
    if difference.found is None:
        return (
            f"Dataset {difference.dataset}: {difference.split} differs {since}; what it was cannot be read: "
            f"{difference.unreadable}"
        )
    return f"Dataset {difference.dataset}: {difference.split}: {_counts(difference.found)}, {since}"


def _counts(found: Differences) -> str:
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (found.added, "added"),
            (found.removed, "removed"),
            (found.changed, "answered otherwise"),
        )
        if count
    ]
    same = f"{found.unchanged:,} unchanged"
    # Two contents of the same rows are one content, so that something differs.
    return f"{', '.join(parts)}, {same}"


def as_object(difference: DatasetDifference, project: str) -> dict[str, Any]:
    """The counts for programs: null where the old content cannot be read, and `unreadable` says why."""
    found = difference.found
    return {
        "dataset": difference.dataset,
        "project": project,
        "split": difference.split,
        "jobs": list(difference.jobs),
        "since": difference.revision,
        "serves": difference.serves,
        "examples": difference.new.examples,
        "added": found.added if found else None,
        "removed": found.removed if found else None,
        "changed": found.changed if found else None,
        "unchanged": found.unchanged if found else None,
        "unreadable": difference.unreadable or None,
    }


def samples(difference: DatasetDifference, suspected: Suspected) -> Iterator[tuple[str, str]]:
    """A few examples that differ: what became of each, and its beginning, or why it is not shown."""
    for sample in difference.found.samples if difference.found else ():
        what = {"changed": "answered otherwise"}.get(sample.kind, sample.kind)
        yield what, _hidden(sample, suspected) or _beginning(sample)


def _hidden(sample: Sample, suspected: Suspected) -> str:
    """Why an example is not shown; empty where it may be."""
    found = list(_every_text(sample))
    if sum(map(len, found)) > LOOKED_THROUGH:
        return "not shown: it is too long to be looked through for secrets"
    kind = next(filter(None, map(suspected, found)), "")
    return f"not shown: it may hold a secret ({kind})" if kind else ""


def _every_text(sample: Sample) -> Iterator[str]:
    for line in (sample.old, sample.new):
        if line:
            yield from texts(orjson.loads(line))


def _beginning(sample: Sample) -> str:
    asked, answer = _words(sample.new or sample.old)
    if sample.kind == "changed":
        _, before = _words(sample.old)
        return f"“{asked}”: “{before}” → “{answer}”"
    return f"“{asked}”: “{answer}”"


def _words(line: bytes) -> tuple[str, str]:
    """The last question and the answer, as far as they are shown."""
    request, answer = requests((line,))[0]
    asked = [part["text"] for turn in request["contents"] for part in turn["parts"] if "text" in part]
    return short(asked[-1] if asked else "…", SHOWN), short(answer or "…", SHOWN)
