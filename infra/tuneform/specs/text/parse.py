"""YAML text to nodes, through the C parser's events; everything YAML allows and specs do not is found here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from tuneform.errors import Diagnostic
from tuneform.specs.kinds.base import shown
from tuneform.specs.text.nodes import ListNode, MappingNode, Node, ScalarNode
from tuneform.specs.text.source import Source

MAX_DEPTH = 40
MAX_FOUND = 200
TOO_MANY = f"more than {MAX_FOUND} errors; what follows is not shown"
# After this many syntax errors in one file the rest of it is not looked at.
_MAX_RESTARTS = 20
_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NO_ANCHORS = "YAML 1.1 anchors hide what a value is; write the value out"


class _Stop(Exception):
    """Ends the parsing of one document; its diagnostic says why."""

    def __init__(self, diagnostic: Diagnostic, offset: int) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.offset = offset


@dataclass
class Parsed:
    """The documents of a file that could be read, and what is wrong with it as YAML.

    `complete` is False when documents are missing, so that nothing can be said about what they would hold.
    """

    roots: list[Node]
    found: list[Diagnostic]
    complete: bool = True


def parse(source: Source) -> Parsed:
    """Reads a file. A broken document does not hide those after it."""
    parsed = Parsed([], [])
    base = 0
    for _ in range(_MAX_RESTARTS):
        composer = _Composer(source, base, parsed)
        try:
            composer.documents()
        except _Stop as stop:
            parsed.complete = False
            parsed.found.append(stop.diagnostic)
            following = _DOCUMENT_START.search(source.text, max(stop.offset, base + 1))
            if following is None or len(parsed.found) > MAX_FOUND:
                break
            base = following.start()
        else:
            break
    return parsed


class _Composer:
    """Nodes from the events of the text from `base` on."""

    def __init__(self, source: Source, base: int, parsed: Parsed) -> None:
        self.source = source
        self.base = base
        self.parsed = parsed
        self.aliased = False
        self._events = self._read()

    def documents(self) -> None:
        """Adds the root node of every document; empty documents and those with aliases are left out."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.aliased = False
                root = self._node(next(self._events), 1)
                if self.aliased:
                    self.parsed.complete = False
                elif not (isinstance(root, ScalarNode) and root.plain and not root.text):
                    self.parsed.roots.append(root)

    def _read(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self.source.text[self.base :], Loader=yaml.CLoader)
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error) from error

    def _syntax(self, error: yaml.MarkedYAMLError) -> _Stop:
        mark = error.problem_mark or error.context_mark
        offset = min(self.base + mark.index, len(self.source.text)) if mark else self.base
        line = self.source.line(self.source.position(offset).line)
        indentation = line[: len(line) - len(line.lstrip())]
        if "\t" in indentation:
            start = offset - self.source.position(offset).column + 1 + indentation.index("\t")
            found = self.source.diagnostic(
                "E107", "a tab in the indentation", start, hint="YAML is indented with spaces only"
            )
        else:
            context = f"{error.context}, " if error.context else ""
            begun = (
                self.source.position(self.base + error.context_mark.index).line if error.context_mark else 0
            )
            hint = f"what is read there begins in line {begun}" if begun else ""
            found = self.source.diagnostic("E108", f"not YAML: {context}{error.problem}", offset, hint=hint)
        return _Stop(found, offset)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        assert event.start_mark is not None
        assert event.end_mark is not None
        start, end = self.base + event.start_mark.index, self.base + event.end_mark.index
        if isinstance(event, yaml.AliasEvent):
            self.aliased = True
            self._report("E110", f"the alias *{event.anchor} is not allowed", start, end, _NO_ANCHORS)
            return ScalarNode(start, end, "", plain=False)
        assert isinstance(event, yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent)
        if event.anchor is not None:
            self._report("E110", f"the anchor &{event.anchor} is not allowed", start, start + 1, _NO_ANCHORS)
        if event.tag is not None:
            self._report("E111", f"the tag {event.tag!r} is not allowed", start, start + 1, "leave it out")
        if isinstance(event, yaml.ScalarEvent):
            return ScalarNode(start, end, event.value, plain=not event.style)
        if depth > MAX_DEPTH:
            found = self.source.diagnostic("E109", f"nested more than {MAX_DEPTH} levels deep", start)
            raise _Stop(found, start)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(ListNode(start, end, flow=bool(event.flow_style)), depth)
        return self._mapping(MappingNode(start, end, flow=bool(event.flow_style)), depth)

    def _list(self, node: ListNode, depth: int) -> Node:
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            node.items.append(self._node(event, depth + 1))
        return node

    def _mapping(self, node: MappingNode, depth: int) -> Node:
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, ScalarNode) or not isinstance(key.value(), str):
                template = isinstance(key, MappingNode)
                hint = "there are no templates here: write the value" if template else "put it in quotes"
                self._report("E113", "a key must be text", key.start, key.start + 1, hint)
            elif key.text in node.entries:
                first = self.source.position(node.entries[key.text][0].start)
                message = f"{shown(key.text)} is given twice"
                dashes = (
                    "; is a line with --- missing between two documents?" if key.text == "apiVersion" else ""
                )
                hint = f"the first one is in line {first.line}{dashes}"
                self._report("E112", message, key.start, key.end, hint)
            else:
                node.entries[key.text] = (key, value)
        return node

    def _report(self, code: str, message: str, start: int, end: int, hint: str) -> None:
        if len(self.parsed.found) >= MAX_FOUND:
            raise _Stop(self.source.diagnostic("E114", TOO_MANY, start, end), start)
        self.parsed.found.append(self.source.diagnostic(code, message, start, end, hint=hint))
