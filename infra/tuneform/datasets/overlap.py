"""Warnings about examples that occur more than once, in one split or in two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tuneform.datasets.canonical import Canonical
from tuneform.datasets.problems import Origin
from tuneform.datasets.source import SplitName
from tuneform.errors import Diagnostic


@dataclass(frozen=True)
class Read:
    """The examples that one part of a dataset holds, and the row number of each."""

    origin: Origin
    examples: list[Canonical]
    numbers: list[int]


def overlaps(
    read: Mapping[SplitName, Read], divided: Mapping[SplitName, list[Canonical]]
) -> tuple[Diagnostic, ...]:
    """Repeated examples of each part as read, then examples shared by two splits."""
    return (*_repeated(read), *_shared(read["training"].origin, divided))


def _repeated(read: Mapping[SplitName, Read]) -> Iterator[Diagnostic]:
    for part in read.values():
        extra = len(part.examples) - len({example.line for example in part.examples})
        if not extra:
            continue
        counts = Counter(example.line for example in part.examples)
        places = (
            number
            for number, example in zip(part.numbers, part.examples, strict=True)
            if counts[example.line] > 1
        )
        first = next(places)
        message = f"{_examples(extra)} repeated, the first one here"
        yield part.origin.diagnostic("E250", message, number=first, severity="warning")


def _shared(origin: Origin, divided: Mapping[SplitName, list[Canonical]]) -> Iterator[Diagnostic]:
    lines = {name: {example.line for example in examples} for name, examples in divided.items()}
    between: tuple[tuple[SplitName, SplitName], ...] = (
        ("training", "test"),
        ("training", "validation"),
        ("validation", "test"),
    )
    for one, other in between:
        if both := lines[one] & lines[other]:
            message = f"{_examples(len(both))} in {one} and in {other}"
            hint = "remove the copies, or what is measured flatters the model"
            yield origin.diagnostic("E251", message, hint=hint, severity="warning")


def _examples(count: int) -> str:
    return f"{count:,} example" if count == 1 else f"{count:,} examples"
