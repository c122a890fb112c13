"""Figures of a dataset, with no example in them.

Of classifications the labels themselves are shown, and how often each occurs: they are the names of what is learnt. No
other text of the data gets into a report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from tuneform.datasets import Prepared, Split, pairs
from tuneform.review.suitability import LOOKED_AT, SAME_SHARE, Facts, facts_of
from tuneform.specs import Dataset, Document

MOST_LABELS = 40
LONGEST_LABEL = 60


@dataclass(frozen=True)
class Lengths:
    """How long texts are, in characters."""

    least: int
    median: int
    most: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> Lengths:
        """Of one text or more."""
        sizes = [len(text) for text in texts]
        return cls(min(sizes), round(median(sizes)), max(sizes))


@dataclass(frozen=True)
class SplitStatistics:
    """One split. `tokens` is one pass by estimate, between `low` and `high`, which is None where nobody knows.

    `asked` and `answered` are lengths, of as many examples as `Facts.looked_at` says.
    """

    name: str
    examples: int
    tokens: int
    low: int
    high: int | None
    digest: str
    asked: Lengths
    answered: Lengths


@dataclass(frozen=True)
class LabelCount:
    """How often a label occurs in each split, in their order."""

    label: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class DatasetStatistics:
    """A dataset. `labels` are those of a classification, most frequent first; `more` is how many are left out."""

    name: str
    task: str
    splits: tuple[SplitStatistics, ...]
    facts: Facts
    labels: tuple[LabelCount, ...] = ()
    more: int = 0


def statistics(document: Document[Dataset], prepared: Prepared) -> DatasetStatistics:
    """The figures of a dataset that was read."""
    splits = [split for split in (prepared.training, prepared.validation, prepared.test) if split is not None]
    facts = facts_of(document, prepared)
    shown = {split.name: pairs(replace(split, lines=split.lines[:LOOKED_AT])) for split in splits}
    labels = _labels([[answer for _, answer in shown[split.name]] for split in splits])
    is_classified = document.spec.task == "classification" and facts.answers <= SAME_SHARE * facts.looked_at
    return DatasetStatistics(
        name=document.name,
        task=document.spec.task,
        splits=tuple(_split(split, shown[split.name]) for split in splits),
        facts=facts,
        labels=labels[:MOST_LABELS] if is_classified else (),
        more=max(0, len(labels) - MOST_LABELS) if is_classified else 0,
    )


def _split(split: Split, texts: Sequence[tuple[str, str]]) -> SplitStatistics:
    low, high = split.token_bounds
    return SplitStatistics(
        name=split.name,
        examples=split.examples,
        tokens=split.tokens,
        low=low,
        high=high,
        digest=split.digest,
        asked=Lengths.of([question for question, _ in texts]),
        answered=Lengths.of([answer for _, answer in texts]),
    )


def _labels(answers: Sequence[Sequence[str]]) -> tuple[LabelCount, ...]:
    counted = [Counter(answer.strip() for answer in split) for split in answers]
    names = {name for counts in counted for name in counts}
    found = [(tuple(counts[name] for counts in counted), name) for name in names]
    found.sort(key=lambda one: (*(-count for count in one[0]), one[1]))
    return tuple(LabelCount(_cut(name), counts) for counts, name in found)


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
