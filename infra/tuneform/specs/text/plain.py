"""The layout that nearly all specs have, read without looking for places: several times faster than by libyaml.

What is read here: block mappings whose values are, each on one line, plain or quoted text without escapes or a
list or mapping in brackets. Every such line means the same in any YAML parser. Everything else (block lists, text
over several lines, tags, anchors, a key given twice, a tab, any error) is `Odd` and left to parse.py, as are all
places: so nothing is ever said about a spec but by the one parser that knows YAML whole.
"""

from __future__ import annotations

import re
from typing import Any, cast

from tuneform.specs.text.nodes import WORDS, Value, meaning

# How often mappings may be indented, and again how often brackets may be nested: together, with the document
# itself, less than what parse.py allows (MAX_DEPTH).
_DEEPEST = 19
# A key is at most 1,024 characters long in YAML (1.2.2, section 7.4.2).
_KEY = r"([A-Za-z_][A-Za-z0-9_./-]{0,99}):"
# Groups: indentation, key, the rest of its line; or a line that is not read here. Comments match nothing of these.
_LINE = re.compile(rf"^( *){_KEY}(?: +([^ \n].*)| *)$|^ *(?:#.*)?$|^(.+)$", re.MULTILINE)
# No character that has a meaning of its own at the start of plain text.
_START = r"(?:[\w./~+<=$(]|-(?=[\w.]))"
_INSIDE = r"[^\s:#]*+(?:[:#]++[^\s:#]++)*+"
_QUOTED = r""""([^"\\\n]*+)"|'([^'\n]*+)'"""
_SCALAR = re.compile(rf"(?:{_QUOTED}|({_START}{_INSIDE}(?: ++[^\s:#]++(?:[:#]++[^\s:#]++)*+)*+))")
_IN_BRACKETS = r"""[^\s:#,?\[\]{}]"""
_FLOW_SCALAR = re.compile(rf"(?:{_QUOTED}|({_START}{_IN_BRACKETS}*+(?: ++{_IN_BRACKETS}++)*+))")
_FLOW_KEY = re.compile(rf"{_KEY} ++")
_END = re.compile(r"(?: ++(?:#.*+)?)?")
# What is longer nobody wrote, and libyaml would read it a second time if it turned out to be wrong.
_LONGEST_VALUE = 10_000
# Other line ends than "\n", what libyaml may take for one, and the mark of a byte order.
_ODD_CHARACTERS = "\r\t\x85\u2028\u2029\ufeff"


class Odd(Exception):
    """The text is not of the layout that is read here."""


_OPEN: Any = object()
"""Stands for the value of a key with nothing behind it: on the lines that follow, or null."""


class Reader:
    """Reads documents; remembers what stood behind a key, for much of it is the same in thousands of documents."""

    def __init__(self) -> None:
        self._known: dict[str, Value] = {"": _OPEN}

    def document(self, text: str) -> dict[str, Value]:
        """The mapping that a document is; empty where it holds comments alone. Raises Odd."""
        root: dict[str, Value] = {}
        around: list[tuple[int, dict[str, Value]]] = []
        mapping, level, open_key = root, 0, ""
        known = self._known
        for indent, key, rest, odd in _LINE.findall(text):
            if not key:
                if odd:
                    raise Odd
                continue
            depth = len(indent)
            if depth > level:
                if not open_key or len(around) == _DEEPEST:
                    raise Odd
                around.append((level, mapping))
                inner: dict[str, Value] = {}
                mapping[open_key] = inner
                mapping, level = inner, depth
            else:
                while depth < level:
                    level, mapping = around.pop()
                if depth != level:
                    raise Odd
            if key in mapping or key in WORDS:
                raise Odd
            value = known.get(rest)
            if value is None:
                value = known[rest] = _value(rest)
            if value is _OPEN:
                mapping[key], open_key = None, key
            else:
                mapping[key], open_key = value, ""
        return root


def _value(rest: str) -> Value:
    """What stands behind a key, up to the end of the line."""
    value: Value
    if rest[0] == "#":
        return cast("Value", _OPEN)
    if len(rest) > _LONGEST_VALUE:
        raise Odd
    if rest[0] in "{[":
        value, end = _flow(rest, 0, _DEEPEST)
    else:
        value, end = _scalar(_SCALAR.match(rest))
    if not _END.fullmatch(rest, end):
        raise Odd
    return value


def _scalar(match: re.Match[str] | None) -> tuple[Value, int]:
    """The value of text in double quotes, in single ones, or in none, and where it ends."""
    if match is None:
        raise Odd
    double, single, plain = match.groups()
    return meaning(plain) if plain is not None else double if single is None else single, match.end()


def _flow(text: str, start: int, room: int) -> tuple[Value, int]:
    """The value in brackets, or the scalar, that begins at `start`, and where it ends."""
    opening = text[start : start + 1]
    if opening not in ("{", "["):
        return _scalar(_FLOW_SCALAR.match(text, start))
    if not room:
        raise Odd
    mapping: dict[str, Value] = {}
    items: list[Value] = []
    closing = "}" if opening == "{" else "]"
    end = _after_spaces(text, start + 1)
    separator = "" if text[end : end + 1] == closing else ","
    while separator == ",":
        if opening == "{":
            key = _FLOW_KEY.match(text, end)
            if key is None or key[1] in mapping or key[1] in WORDS:
                raise Odd
            mapping[key[1]], end = _flow(text, key.end(), room - 1)
        else:
            value, end = _flow(text, end, room - 1)
            items.append(value)
        end = _after_spaces(text, end)
        separator = text[end : end + 1]
        if separator == ",":
            end = _after_spaces(text, end + 1)
        elif separator != closing:
            raise Odd
    return mapping if opening == "{" else tuple(items), end + 1


def _after_spaces(text: str, start: int) -> int:
    while text.startswith(" ", start):
        start += 1
    return start


def is_plain(text: str) -> bool:
    """Whether the text holds no character that only parse.py reads."""
    return not any(character in text for character in _ODD_CHARACTERS)
