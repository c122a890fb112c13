"""The stand-in for a base model: a frozen, seeded random projection of words and character n-grams.

Every word, its beginning, every pair of neighbouring words and every run of 3 to 5 characters is hashed to
one of 4,096 coordinates with a random sign: a sparse random projection of the (unbounded) space of n-grams
that needs no matrix. It is the same for every job, knows no language, and only makes texts with common
wording look alike.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 4096
_CHARACTER_RUNS = (3, 4, 5)
# A word and its beginning (so that "refund" and "refunded" are alike) count for more than the many runs of
# characters. Measured by cross-validation on short messages.
_WORD_WEIGHT = 4
_BEGINNING = 4
# Of a longer text the beginning and the end count: instructions stand in front, the question behind.
MAX_CHARACTERS = 4096
_BLOCK = 256
# Above it (about 200 MB of counts) texts are encoded again whenever they are needed, to bound memory.
_CACHED_CHARACTERS = 16_000_000
_BASE = np.uint64(0x100000001B3)

Floats = NDArray[np.float32]
_Hashes = NDArray[np.uint64]
_Indices = NDArray[np.int64]


def encode(texts: Sequence[str]) -> Floats:
    """Signed n-gram counts of each text, shape (len(texts), DIMENSIONS), not normalised."""
    cells = np.zeros(0, dtype=np.int64)
    signs = np.zeros(0)
    if texts:
        rows, hashes, weights = _ngrams([_clean(text) for text in texts])
        cells = rows * DIMENSIONS + (hashes % np.uint64(DIMENSIONS)).astype(np.int64)
        signs = np.where(hashes >> np.uint64(63), -weights, weights)
    counts = np.bincount(cells, weights=signs, minlength=len(texts) * DIMENSIONS)
    return counts.reshape(len(texts), DIMENSIONS).astype(np.float32)


def centre(counts: Floats, mean: Floats) -> Floats:
    """What sets each text apart from the `mean` text, at length 1; a text equal to the mean stays zero.

    Taking the mean away also takes away a preamble that all prompts share.
    """
    offset = counts - mean
    lengths = np.sqrt(np.einsum("ij,ij->i", offset, offset))[:, None]
    return np.asarray(offset / np.maximum(lengths, 1e-6), dtype=np.float32)


class EncodedTexts:
    """Texts and their counts, kept sparse (4 bytes a count), or encoded on demand when there are many."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._cached = sum(min(len(text), MAX_CHARACTERS) for text in texts) <= _CACHED_CHARACTERS
        self._columns: list[NDArray[np.uint16]] = []
        self._counts: list[NDArray[np.int16]] = []
        total = np.zeros(DIMENSIONS)
        for start in range(0, len(texts), _BLOCK):
            block = encode(texts[start : start + _BLOCK])
            total += block.sum(axis=0, dtype=np.float64)
            if self._cached:
                self._keep(block)
        self.mean: Floats = (total / max(len(texts), 1)).astype(np.float32)

    def __len__(self) -> int:
        return len(self._texts)

    def counts(self, indices: Sequence[int]) -> Floats:
        """The counts of the texts at `indices`, shape (len(indices), DIMENSIONS)."""
        if not self._cached:
            return encode([self._texts[index] for index in indices])
        dense = np.zeros((len(indices), DIMENSIONS), dtype=np.float32)
        for row, index in enumerate(indices):
            dense[row, self._columns[index]] = self._counts[index]
        return dense

    def _keep(self, block: Floats) -> None:
        rows, columns = np.nonzero(block)
        values = block[rows, columns].astype(np.int16)
        ends = np.searchsorted(rows, np.arange(1, len(block)))
        self._columns.extend(np.split(columns.astype(np.uint16), ends))
        self._counts.extend(np.split(values, ends))


def _clean(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS // 2]} {text[-MAX_CHARACTERS // 2 :]}"
    return f" {' '.join(text.lower().split())} "


def _ngrams(texts: list[str]) -> tuple[_Indices, _Hashes, _Indices]:
    """Text number, hash and weight of every n-gram of all texts, from rolling hashes over all at once."""
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(texts), dtype=np.int64), [len(text) for text in texts])
    alphanumeric = np.fromiter(map(str.isalnum, joined), dtype=np.bool_, count=len(joined))
    letters = _mix(codes + np.uint64(1))
    words, beginnings, word_owners = _words(letters, owners, alphanumeric, codes == np.uint64(ord(" ")))
    singles = [
        *_runs(words, word_owners, (1,), 104_729),
        *_runs(beginnings, word_owners, (1,), 1_299_709),
    ]
    pairs = _runs(words, word_owners, (2,), 104_729)
    runs = [*singles, *pairs, *_runs(letters, owners, _CHARACTER_RUNS, 7919)]
    weighted = [_WORD_WEIGHT] * len(singles) + [1] * (len(runs) - len(singles))
    return (
        np.concatenate([owner for owner, _ in runs]),
        np.concatenate([hashes for _, hashes in runs]),
        np.repeat(weighted, [len(owner) for owner, _ in runs]),
    )


def _words(
    letters: _Hashes, owners: _Indices, alphanumeric: NDArray[np.bool_], space: NDArray[np.bool_]
) -> tuple[_Hashes, _Hashes, _Indices]:
    """Hashes of each word, a run of letters and digits or another sign ("-3" is not "3"), and its start."""
    inside = alphanumeric & np.concatenate(([False], alphanumeric[:-1]))
    starts = np.flatnonzero(~space & ~inside)
    if not len(starts):
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    positions = np.arange(len(letters))
    first = np.zeros(len(letters), dtype=np.int64)
    first[starts] = starts
    offsets = positions - np.maximum.accumulate(first)
    powers = np.cumprod(np.full(int(offsets.max()) + 1, _BASE))
    weighted = np.where(space, np.uint64(0), letters * powers[offsets])
    beginnings = np.where(offsets < _BEGINNING, weighted, np.uint64(0))
    return np.add.reduceat(weighted, starts), np.add.reduceat(beginnings, starts), owners[starts]


def _runs(
    items: _Hashes, owners: _Indices, lengths: tuple[int, ...], salt: int
) -> list[tuple[_Indices, _Hashes]]:
    """Hashes of all runs of the given lengths that lie within one text."""
    found: list[tuple[_Indices, _Hashes]] = []
    rolling = items
    for length in range(1, lengths[-1] + 1):
        if length > 1:
            rolling = rolling[:-1] * _BASE + items[length - 1 :]
        if length in lengths:
            within = owners[: len(rolling)] == owners[length - 1 :]
            found.append((owners[: len(rolling)][within], _mix(rolling[within] ^ np.uint64(length * salt))))
    return found


def _mix(values: _Hashes) -> _Hashes:
    """The finaliser of SplitMix64: every input bit reaches every output bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
