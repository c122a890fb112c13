"""The splits of a dataset: their bytes, their digest, and how one set of examples is divided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

import orjson

from tuneform.datasets.canonical import Canonical, billed
from tuneform.datasets.source import Fractions, SplitName
from tuneform.datasets.tokens import bounds

SAMPLE = 64
"""Lines from which the error of the estimate of tokens is told: the first by digest, which is as good as drawn."""
_DIGEST_VERSION = b"tuneform-dataset-1\n"
_MEDIA = (b'"fileData":', b'"inlineData":')


@dataclass(frozen=True)
class Split:
    """Examples for one purpose.

    `lines` are canonical Vertex JSONL lines without line feeds, sorted by their SHA-256, so equal content gives
    equal bytes. `digest` is `sha256:<hex>` over the sorted SHA-256 digests of the lines, with a version before
    them: the order of rows does not matter, how often each occurs does. `tokens` are what one pass bills: the
    sum of `tokens.count_tokens` over all texts of all lines, the prompts of preferences twice. It is an estimate; other
    parts than text are not counted.
    """

    name: SplitName
    lines: tuple[bytes, ...]
    digest: str
    examples: int
    tokens: int

    @cached_property
    def token_bounds(self) -> tuple[int, int | None]:
        """Between how many tokens one pass over it may be (`tokens.bounds`).

        None for the upper end where there are images, audio or documents, whose tokens are not counted here.
        """
        sample = (text for line in self.lines[:SAMPLE] for text in billed(orjson.loads(line)))
        low, high = bounds(self.tokens, sample)
        media = any(mark in line for line in self.lines for mark in _MEDIA)
        return low, None if media else high

    def jsonl(self) -> bytes:
        """The file to upload: every line ended by a line feed."""
        return b"".join(part for line in self.lines for part in (line, b"\n"))


def make_split(name: SplitName, examples: Iterable[Canonical]) -> Split:
    """The split that holds `examples`, given in any order."""
    hashed = sorted((hashlib.sha256(example.line).digest(), example) for example in examples)
    digest = hashlib.sha256(_DIGEST_VERSION)
    for line_digest, _ in hashed:
        digest.update(line_digest)
    lines = tuple(example.line for _, example in hashed)
    tokens = sum(example.tokens + example.again for _, example in hashed)
    return Split(name, lines, f"sha256:{digest.hexdigest()}", len(lines), tokens)


def divide(examples: Sequence[Canonical], fractions: Fractions) -> dict[SplitName, list[Canonical]]:
    """`examples` divided into test, validation and training, whatever their order.

    The SHA-256 of the seed and the line gives the order; the first go to test, the next to validation, the rest
    to training. Sizes are exact: the fraction of the whole rounded half up, and at least 1 when a fraction is
    asked for and there are 2 examples or more.
    """
    if not fractions.test and not fractions.validation:
        # Nothing is drawn, and sorting the lines themselves takes a third of the time.
        return {"test": [], "validation": [], "training": sorted(examples)}
    seed = f"{fractions.seed}\n".encode()
    ordered = sorted(examples, key=lambda example: hashlib.sha256(seed + example.line).digest())
    test = share(len(ordered), fractions.test)
    validation = test + share(len(ordered), fractions.validation)
    return {"test": ordered[:test], "validation": ordered[test:validation], "training": ordered[validation:]}


def share(examples: int, fraction: float) -> int:
    """How many of `examples` a fraction takes."""
    exact = (Decimal(repr(fraction)) * examples).to_integral_value(ROUND_HALF_UP)
    least = 1 if fraction > 0 and examples > 1 else 0
    return max(least, int(exact))


def requests(lines: Iterable[bytes]) -> tuple[tuple[Mapping[str, Any], str], ...]:
    """What to ask and what to expect, for each of a split's canonical lines.

    The question is the body of a generateContent call: the example without its last turn. What is expected is
    the text of that turn; of two answers that people compared, the text of the preferred one.
    """
    return tuple(_request(orjson.loads(line)) for line in lines)


def pairs(split: Split) -> tuple[tuple[str, str], ...]:
    """The examples as (prompt, output) texts, in the order of `lines`.

    The prompt is the text of the system instruction and of all turns but the last, joined with line feeds. That
    is the whole question only where an example has one turn of text; `requests` is exact for all.
    """
    return tuple((_prompt(request), output) for request, output in requests(split.lines))


def _request(example: dict[str, Any]) -> tuple[Mapping[str, Any], str]:
    if "completions" in example:
        preferred, _ = example.pop("completions")
        return example, _text(preferred["completion"])
    *asked, answer = example["contents"]
    return {**example, "contents": asked}, _text(answer)


def _prompt(request: Mapping[str, Any]) -> str:
    turns = [request.get("systemInstruction"), *request["contents"]]
    return "\n".join(text for turn in turns if turn and (text := _text(turn)))


def _text(turn: Mapping[str, Any]) -> str:
    return "".join(part.get("text", "") for part in turn["parts"])
