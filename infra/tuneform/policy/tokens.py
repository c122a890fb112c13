"""The words of a CEL expression: what it looks at, with names replaced, and what it could make of its values.

The grammar's own tokens, so that nothing in a string or a comment is taken for a name, and no field for a variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

VARIABLES = ("object", "project", "data", "cost", "params", "item")
"""What an expression may name. `item` is there in rules with `each` alone."""
LOOPS = frozenset({"all", "exists", "exists_one", "filter", "map"})
"""What CEL has of loops."""

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*)
    |(?P<text>[bB]?[rR](?:'''.*?'''|\"\"\".*?\"\"\"|'[^'\n\r]*'|"[^"\n\r]*")
        |[bB]?(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n\r])*'|"(?:\\.|[^"\\\n\r])*"))
    |(?P<name>[A-Za-z_]\w*|`[^`\n]*`)
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_PLAIN_TEXT = re.compile(r"""(?:"([^"\\]*)"|'([^'\\]*)')""")


@dataclass(frozen=True)
class Token:
    """One word of an expression and where it begins; what is blank is none."""

    kind: str
    text: str
    start: int


def tokens(text: str) -> list[Token]:
    """The words of an expression."""
    return [
        Token(match.lastgroup or "", match[0], match.start())
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "blank"
    ]


def _is(words: list[Token], at: int, text: str) -> bool:
    return 0 <= at < len(words) and words[at].kind != "text" and words[at].text == text


def _ends_value(words: list[Token], at: int) -> bool:
    """Whether a value ends with this word, so that a dot behind it selects a field of it."""
    return at >= 0 and (words[at].kind != "sign" or words[at].text in ")]}")


def _variables(words: list[Token]) -> Iterator[int]:
    """Where a name stands that is no field, no method, and no function."""
    for at, word in enumerate(words):
        after_dot = _is(words, at - 1, ".") and _ends_value(words, at - 2)
        if word.kind == "name" and not after_dot and not _is(words, at + 1, "("):
            yield at


def _chain(words: list[Token], at: int) -> tuple[list[str], int]:
    """The steps that are written out behind a name, and where they end: `.spec`, `["spec"]`, no method."""
    steps: list[str] = []
    at += 1
    while True:
        if _is(words, at, ".") and at + 1 < len(words) and words[at + 1].kind == "name":
            if _is(words, at + 2, "(") or words[at + 1].text.startswith("`"):
                return steps, at
            steps.append(words[at + 1].text)
            at += 2
        elif _is(words, at, "[") and _is(words, at + 2, "]"):
            plain = _PLAIN_TEXT.fullmatch(words[at + 1].text)
            if plain is None:
                return steps, at
            steps.append(plain[1] if plain[1] is not None else plain[2])
            at += 3
        else:
            return steps, at


@dataclass(frozen=True)
class Reads:
    """The dotted paths that an expression looks at: at their values, or by has() only whether they are there."""

    values: frozenset[str] = frozenset()
    presence: frozenset[str] = frozenset()

    def __or__(self, other: Reads) -> Reads:
        return Reads(self.values | other.values, self.presence | other.presence)

    @property
    def all(self) -> frozenset[str]:
        """Both."""
        return self.values | self.presence


def reads(text: str) -> Reads:
    """The paths that begin with one of the variables, as far as they are written out: `object.spec.baseModel`."""
    words = tokens(text)
    values: set[str] = set()
    presence: set[str] = set()
    for at in _variables(words):
        if words[at].text in VARIABLES:
            steps, end = _chain(words, at)
            first = at - 1 if _is(words, at - 1, ".") else at  # `.object` is `object`
            asked = _is(words, first - 1, "(") and _is(words, first - 2, "has") and _is(words, end, ")")
            (presence if asked else values).add(".".join((words[at].text, *steps)))
    return Reads(frozenset(values), frozenset(presence))


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The expression with variables replaced, and nothing else."""
    words = tokens(text)
    parts: list[str] = []
    done = 0
    for at in _variables(words):
        word = words[at]
        if word.text in names:
            begins = words[at - 1].start if _is(words, at - 1, ".") else word.start  # `.name` is a name, too
            parts += [text[done:begins], names[word.text]]
            done = word.start + len(word.text)
    return "".join([*parts, text[done:]])


def rewritten(text: str, write: Callable[[tuple[str, ...], bool], str]) -> str:
    """The expression with every path that begins with a variable written by `write`, which is told whether has() alone
    asks for it; then what it writes stands in place of has() as well.
    """
    words = tokens(text)
    parts: list[str] = []
    done = 0
    for at in _variables(words):
        if words[at].text not in VARIABLES:
            continue
        steps, end = _chain(words, at)
        asked = _is(words, at - 1, "(") and _is(words, at - 2, "has") and _is(words, end, ")")
        first, last = (at - 2, end) if asked else (at, end - 1)
        parts += [text[done : words[first].start], write((words[at].text, *steps), asked)]
        done = words[last].start + len(words[last].text)
    return "".join([*parts, text[done:]])
