"""YAML text to a tree of nodes that know their place.

Built from the C parser's events rather than by PyYAML's constructors, so that every key and value keeps its
offsets, duplicate keys are found, nesting is bounded, and types follow the YAML 1.2 core schema (`no` is text).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool | None | tuple["Value", ...] | dict[str, "Value"]

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30}(?:_[0-9]{1,30})*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
WORDS: Mapping[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def meaning(text: str) -> Value:
    """What text without quotes means in the YAML 1.2 core schema, with underscores allowed in integers."""
    if text in WORDS:
        return WORDS[text]
    if _INT.fullmatch(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


@dataclass(slots=True)
class ScalarNode:
    """Text at a place; `plain` when it is not quoted, so that it may mean a number or a bool."""

    start: int
    end: int
    text: str
    plain: bool

    def value(self) -> Value:
        """What the text means; text in quotes is itself."""
        return meaning(self.text) if self.plain else self.text


@dataclass(slots=True)
class ListNode:
    """A list at a place."""

    start: int
    end: int
    flow: bool
    items: list[Node] = field(default_factory=list)

    def value(self) -> Value:
        """The items' values."""
        return tuple(item.value() for item in self.items)


@dataclass(slots=True)
class MappingNode:
    """A mapping at a place: each key's scalar and value by the key's text."""

    start: int
    end: int
    flow: bool
    entries: dict[str, tuple[ScalarNode, Node]] = field(default_factory=dict)

    def value(self) -> Value:
        """The values by key."""
        return {key: node.value() for key, (_, node) in self.entries.items()}


Node = ScalarNode | ListNode | MappingNode
