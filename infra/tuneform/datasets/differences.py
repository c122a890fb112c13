"""What differs between two contents of a dataset: examples added, removed, or answered in another way.

Canonical content is sorted by the digest of its lines, so that two of them are read side by side, once, and what both
have is let go at once. Of a row that only one has, eight bytes are kept: what tells its question from others.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

import orjson

from tuneform.datasets.splits import requests

Lines = Callable[[], Iterable[bytes]]
"""Gives the lines of one content, from the first one again with each call; line feeds do not matter."""
SAMPLES = 3
"""So many examples of each kind of difference are kept."""


class NotCanonicalError(Exception):
    """A content is not as tuneform writes it, so that its rows cannot be told from others."""


@dataclass(frozen=True)
class Sample:
    """One example that differs, as its canonical lines: `old` is empty for an added one, `new` for a removed one."""

    kind: Literal["added", "removed", "changed"]
    old: bytes = b""
    new: bytes = b""


@dataclass(frozen=True)
class Differences:
    """How many examples differ, and a few of them. A changed one has the same question and another answer."""

    added: int
    removed: int
    changed: int
    unchanged: int
    samples: tuple[Sample, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)


def compare(old: Lines, new: Lines, *, samples: int = SAMPLES) -> Differences:
    """Compare two contents, each read twice: once to count, once more for the samples.

    Raises:
        NotCanonicalError: one of them is not canonical.
    """
    gone, come, unchanged = array("Q"), array("Q"), 0
    for before, after in _beside(old(), new()):
        if before is not None and after is not None:
            unchanged += 1
        elif before is not None:
            gone.append(_key(before))
        elif after is not None:
            come.append(_key(after))
    changed, removed, added = _matched(gone, come)
    wanted = _Wanted(*(frozenset(islice(keys, samples)) for keys in (changed, removed, added)))
    return Differences(
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        unchanged=unchanged,
        samples=tuple(_samples(old, new, wanted)),
    )


class _Wanted(NamedTuple):
    """The keys of the rows that samples are made of."""

    changed: frozenset[int]
    removed: frozenset[int]
    added: frozenset[int]


def _samples(old: Lines, new: Lines, wanted: _Wanted) -> Iterator[Sample]:
    """The rows with the wanted keys: the changed ones first."""
    if not any(wanted):
        return
    before: dict[int, bytes] = {}
    after: dict[int, bytes] = {}
    for was, now in _beside(old(), new()):
        if was is not None and now is None and (key := _key(was)) in wanted.changed | wanted.removed:
            before.setdefault(key, was)
        if now is not None and was is None and (key := _key(now)) in wanted.changed | wanted.added:
            after.setdefault(key, now)
    for key in sorted(wanted.changed):
        yield Sample("changed", before[key], after[key])
    for key in sorted(wanted.removed - wanted.changed):
        yield Sample("removed", old=before[key])
    for key in sorted(wanted.added - wanted.changed):
        yield Sample("added", new=after[key])


def _matched(gone: array[int], come: array[int]) -> tuple[list[int], list[int], list[int]]:
    """The keys that both have, those that only the first has, and those that only the second has; each in order."""
    both: list[int] = []
    removed: list[int] = []
    added: list[int] = []
    for key, was, now in _merge(sorted(gone), sorted(come)):
        if was and now:
            both.append(key)
        else:
            (removed if was else added).append(key)
    return both, removed, added


def _merge(first: list[int], second: list[int]) -> Iterator[tuple[int, bool, bool]]:
    """Two sorted lists side by side: each number, and which of the two it is in; one that is twice in both, twice."""
    left = right = 0
    while left < len(first) or right < len(second):
        if right == len(second) or (left < len(first) and first[left] < second[right]):
            yield first[left], True, False
            left += 1
        elif left == len(first) or second[right] < first[left]:
            yield second[right], False, True
            right += 1
        else:
            yield first[left], True, True
            left, right = left + 1, right + 1


def _beside(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Rows side by side: one that both have together, each other one alone."""
    first, second = _digested(old), _digested(new)
    before, after = next(first, None), next(second, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before[0] < after[0]):
            assert before is not None
            yield before[1], None
            before = next(first, None)
        elif before is None or after[0] < before[0]:
            yield None, after[1]
            after = next(second, None)
        else:
            yield before[1], after[1]
            before, after = next(first, None), next(second, None)


def _digested(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each row with its digest, by which they must be in order."""
    last = b""
    for line in lines:
        row = line.rstrip(b"\n")
        digest = hashlib.sha256(row).digest()
        if digest < last:
            raise NotCanonicalError("its rows are not in the order in which tuneform writes them")
        last = digest
        yield digest, row


def _key(row: bytes) -> int:
    """What tells a row's question from others."""
    question = orjson.dumps(_question(row)[0], option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(question, digest_size=8).digest(), "big")


def _question(row: bytes) -> tuple[Any, str]:
    try:
        return requests((row,))[0]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise NotCanonicalError("a row is not an example as tuneform writes them") from error
