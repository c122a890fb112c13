"""How much an expression could do with its values, so that none runs away.

CEL always ends, and its runtime stops at 10,000 iterations. Within those a text may still double in every step, or a
long list be compared in each: the effort is bounded before an expression is asked, from what it says and from how large
the values are. What is bounded is the worst case, far above what rules about documents of a usual size need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tuneform.policy.tokens import LOOPS, Token, tokens

MOST_ITERATIONS = 10_000
"""After so many in one evaluation the runtime stops."""
MOST_STEPS = 100_000_000
"""Words asked times entries looked at; the slowest found, comparing maps in a loop, takes 14 ns for each."""
MOST_CHARACTERS = 200_000_000
"""Bytes of what is made on the way, roughly."""
_OF_A_TEXT = 40
"""What a text of one character takes, of which split makes as many as there are characters."""
_WRITTEN_OUT = {"replace": (1, 2, 3), "join": (0, 1), "split": (1, 2)}
"""Methods whose arguments must be literals, and how many they take: nothing multiplies two values."""


class Unbounded(ValueError):
    """An expression in which one value could multiply another. `start` is where in the text."""

    def __init__(self, message: str, start: int) -> None:
        super().__init__(message)
        self.start = start


@dataclass(frozen=True)
class Size:
    """How large values are: entries and characters in all, the longest list or map, the longest text."""

    entries: int = 0
    characters: int = 0
    longest: int = 0
    text: int = 0

    def __or__(self, other: Size) -> Size:
        return Size(
            self.entries + other.entries,
            self.characters + other.characters,
            max(self.longest, other.longest),
            max(self.text, other.text),
        )


def size(values: Iterable[Any]) -> Size:
    """The size of plain values."""
    entries = characters = longest = text = 0
    waiting = [*values]
    while waiting:
        value = waiting.pop()
        entries += 1
        if isinstance(value, str):
            characters += len(value)
            text = max(text, len(value))
        elif isinstance(value, Mapping):
            longest = max(longest, len(value))
            waiting += value
            waiting += value.values()
        elif isinstance(value, list | tuple):
            longest = max(longest, len(value))
            waiting += value
    return Size(entries, characters, longest, text)


def at_most(values: Mapping[str, Any]) -> Size:
    """A size that is not exceeded, found several times faster: nothing is longer than what Python writes for it."""
    written = len(str(values))
    return Size(written // 2, written, written // 2, written)


@dataclass(frozen=True)
class Effort:
    """What an expression says of it: its words, how deep loops lie in each other, how often it could double a value."""

    words: int
    depth: int
    growth: float
    own: Size
    splits: bool

    @property
    def is_small(self) -> bool:
        """Whether it may be asked of any document without a look at its size."""
        return self.depth == 0 and self.growth <= 8 and self.words <= 128

    def allows(self, values: Mapping[str, Any]) -> bool:
        """Whether it may be asked of these values."""
        return self.is_small or self.within(at_most(values)) or self.within(size([values]))

    def within(self, values: Size) -> bool:
        """Whether it may be asked of values of this size."""
        both = values | self.own
        longest = max(1, both.text if self.splits else 0, both.longest) * (
            self.growth if self.depth > 1 else 1
        )
        rounds = min(MOST_ITERATIONS, min(MOST_ITERATIONS, longest) ** self.depth)
        steps = rounds * self.words * (both.entries + both.text / 16) * max(1, self.growth / 8)
        made = rounds * both.characters * self.growth * (_OF_A_TEXT if self.splits else 1)
        return steps <= MOST_STEPS and made <= MOST_CHARACTERS


def effort(text: str, params: Mapping[str, Any]) -> Effort:
    """What an expression could do with its parameters.

    Raises:
        Unbounded: what it does with its values has no bound that can be told from the text.
    """
    words = tokens(text)
    depth = deepest = loops = plus = 0
    growth = 1.0
    brackets: list[bool] = []
    for at, word in enumerate(words):
        if word.kind == "sign" and word.text in "([{":
            is_loop = at > 1 and words[at - 1].text in LOOPS and words[at - 2].text == "."
            brackets.append(is_loop)
            loops += is_loop
            depth += is_loop
            deepest = max(deepest, depth)
        elif word.kind == "sign" and word.text in ")]}" and brackets:
            depth -= brackets.pop()
        elif word.kind == "sign" and word.text == "+":
            plus += 1
        elif word.kind == "name" and at and words[at - 1].text == ".":
            growth *= _grows(words, at)
    # Each loop may bind what the one before has made, and add it to itself.
    growth *= (1 + plus / loops) ** loops if loops and plus else 1 + plus
    texts = [len(word.text) for word in words if word.kind == "text"]
    commas = sum(word.text == "," for word in words)
    own = Size(commas, sum(texts), commas + 1, max(texts, default=0))
    own = own | size([params])
    return Effort(len(words), deepest, growth, own, any(word.text == "split" for word in words))


def _grows(words: list[Token], at: int) -> float:
    """How many times longer a text can be behind a method than before it."""
    name = words[at].text
    if at + 1 >= len(words) or words[at + 1].text != "(":
        return 1
    if name == "format":
        pattern = words[at - 2]
        if pattern.kind != "text":
            raise Unbounded("format belongs to a text that is written out", words[at].start)
        return 1 + pattern.text.count("%")
    if name not in _WRITTEN_OUT:
        return 1
    arguments = []
    place = at + 2
    while place < len(words) and words[place].text != ")":
        if words[place].kind not in {"text", "number"}:
            raise Unbounded(f"what {name} takes must be written out", words[at].start)
        arguments.append(words[place])
        place += 1 if place + 1 < len(words) and words[place + 1].text == ")" else 2
    longest = max((len(one.text) - 2 for one in arguments[-2:] if one.kind == "text"), default=0)
    return 1 if name == "split" else 1 + longest
