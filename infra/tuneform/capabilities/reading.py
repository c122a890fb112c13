"""Reading capabilities: the built-in file, then the user's own, each cell replaced whole by the later file.

The shape is checked strictly. What is wrong is said with its line; the cell that it is about keeps what it had.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from tuneform.capabilities import columns
from tuneform.capabilities.columns import DAY, TEXT, Shape
from tuneform.capabilities.lines import position
from tuneform.capabilities.values import METHODS, PUBLISHER, Capabilities, Cell, Method, Model, Source
from tuneform.errors import Diagnostic, Position

BUILT_IN = Path(__file__).with_name("capabilities.toml")
_SECTIONS = ("sources", "models", "retired", "vertex", "gemini-api")
_SOURCE = ("title", "url", "date", "read")
_AT = re.compile(r" \(at line ([0-9]+), column ([0-9]+)\)$")
"""Where a file is not TOML, as Python says it."""
_CELL = ("value", "source", "at_least")
Key = tuple[str, ...]
"""The way to a cell: ("models", name, "supervised.adapter_sizes") or ("vertex", "batch_size")."""


@cache
def built_in() -> Capabilities:
    """What comes with tuneform."""
    return _capabilities(_built_in_table())


def read(files: Sequence[Path]) -> Capabilities:
    """The built-in capabilities with the user's files over them, in order; `found` says what is wrong in these."""
    if not files:
        return built_in()
    merged = _Table(dict(_built_in_table().sources), dict(_built_in_table().cells))
    for file in files:
        _add(file, merged)
    return replace(_capabilities(merged), found=tuple(merged.found))


@dataclass
class _Table:
    """What was read so far."""

    sources: dict[str, Source] = field(default_factory=dict)
    cells: dict[Key, Cell[Any]] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)


@cache
def _built_in_table() -> _Table:
    table = _Table()
    _Reading(BUILT_IN, BUILT_IN.read_text(encoding="utf-8"), table, own=False).all()
    assert not table.found, table.found
    return table


def _add(file: Path, table: _Table) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        # A ValueError: bytes that are not UTF-8, or a NUL in the name.
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = "mend the setting `capabilities`, or write the file: docs/capabilities.md"
        table.found.append(Diagnostic("E180", f"{str(file)!r} cannot be read: {reason}", hint=hint))
        return
    _Reading(file, text, table, own=True).all()


class _Reading:
    """One file, read into a table."""

    def __init__(self, file: Path, text: str, table: _Table, *, own: bool) -> None:
        self._file, self._text, self._table, self._own = file, text, table, own

    def all(self) -> None:
        """Read every section; sources first, whatever their place."""
        try:
            data = tomllib.loads(self._text)
        except (ValueError, RecursionError) as error:
            self._not_toml(str(error))
            return
        for section in data:
            if section not in _SECTIONS:
                self._unknown((section,), "section", _SECTIONS)
        for key, entry in self._tables(data, "sources"):
            self._source(key, entry)
        for section, known in (("vertex", columns.VERTEX), ("gemini-api", columns.GEMINI_API)):
            if section in data:
                self._cells((section,), data[section], known)
        shapes = {column.name: column.shape for column in columns.MODEL}
        gone = {column.name: column.shape for column in columns.RETIREMENT}
        for section, known in (("models", shapes), ("retired", gone)):
            for name, entry in self._tables(data, section):
                self._cells((section, name), entry, known)

    def _not_toml(self, reason: str) -> None:
        said = _AT.search(reason)
        line, column = map(int, said.groups()) if said else (1, 1)
        excerpt = next(islice(self._text.splitlines(), line - 1, None), "")
        message = f"{str(self._file)!r} is not TOML: {_AT.sub('', reason)}"
        at = Position(self._file, line, column)
        self._table.found.append(Diagnostic("E180", message, at, "mend the file", excerpt))

    def _tables(self, data: Mapping[str, Any], section: str) -> Iterator[tuple[str, Any]]:
        entries = data.get(section, {})
        if isinstance(entries, dict):
            yield from entries.items()
        else:
            self._wrong("E182", (section,), f"{section!r} holds tables", f"write [{section}.NAME]")

    def _source(self, key: str, entry: Any) -> None:
        path = ("sources", key)
        if isinstance(entry, dict) and (strange := next((n for n in entry if n not in _SOURCE), None)):
            self._unknown((*path, strange), "field", _SOURCE)
            return
        if wrong := self._wrong_with(key, entry):
            form = f'[sources.{key}] has title = "…", one of date = 2026-01-31 and read = …, and url where there is one'
            self._wrong("E183", path, f"source {key!r} {wrong}", form)
            return
        self._table.sources[key] = Source(
            key=key,
            title=entry["title"],
            day=entry.get("date") or entry["read"],
            url=entry.get("url", ""),
            dated="date" in entry,
            file=str(self._file) if self._own else "",
        )

    def _wrong_with(self, key: str, entry: Any) -> str:
        """What is wrong with a source, in words that follow its name; empty when it is sound."""
        if not isinstance(entry, dict):
            return "is no table"
        if TEXT.read(entry.get("title")) is None:
            return "has no title"
        days = [entry[name] for name in ("date", "read") if name in entry]
        if len(days) != 1 or DAY.read(days[0]) is None:
            return "needs one day: date or read"
        if not str(entry.get("url", "https://")).startswith(("https://", "http://")):
            return "has a url that is no address"
        # Another document under the same key would be cited by cells that mean the first.
        return "is there already: choose another key" if key in self._table.sources else ""

    def _cells(self, key: Key, entry: Any, known: Mapping[str, Shape]) -> None:
        if not isinstance(entry, dict):
            self._wrong("E182", key, f"{key[-1]!r} is no table", "write a cell on each line below it")
            return
        home = tuple(step.removeprefix(PUBLISHER) for step in key)
        if len(home) > 1:
            # A model that a file names is known from then on, even where it says nothing of it.
            self._table.cells.setdefault((*home, ""), Cell())
        for name, value in _flat(entry, known):
            if name not in known:
                self._unknown((*key, name), "cell", tuple(known))
            elif (cell := self._cell((*key, name), value, known[name])) is not None:
                self._warn_if_older((*key, name), self._table.cells.get((*home, name)), cell)
                self._table.cells[*home, name] = cell

    def _cell(self, key: Key, value: Any, shape: Shape) -> Cell[Any] | None:
        """The cell, or None after saying what is wrong with it."""
        if value == "unknown":
            return Cell()
        name, at_least = key[-1], isinstance(value, dict) and value.get("at_least", False)
        form = f'write {name} = {{ value = …, source = "…" }}: {shape.words}; or "unknown"'
        read = shape.read(value["value"]) if isinstance(value, dict) and "value" in value else None
        if isinstance(value, dict) and (strange := next((part for part in value if part not in _CELL), None)):
            self._unknown((*key, strange), "part of a cell", _CELL)
        elif not isinstance(value, dict) or "value" not in value:
            self._wrong("E182", key, f"{name!r} is no cell", form)
        elif read is None:
            self._wrong("E182", key, f"{name!r} is {shape.words}", form)
        elif not isinstance(at_least, bool) or (at_least and not shape.ordered):
            self._wrong("E182", key, f"{name!r} has no at_least", "leave it out")
        elif "source" not in value:
            self._wrong("E183", key, f"{name!r} names no source", form)
        elif (source := self._table.sources.get(str(value["source"]))) is None:
            hint = _nearest(str(value["source"]), tuple(self._table.sources)) or "write it under [sources]"
            self._wrong("E183", key, f"there is no source {value['source']!r}", hint)
        else:
            return Cell(read, source, at_least)
        return None

    def _warn_if_older(self, key: Key, before: Cell[Any] | None, cell: Cell[Any]) -> None:
        if before and before.source and cell.source and cell.source.day < before.source.day:
            message = f"{key[-1]!r} is corrected by an older document than the one that it corrects"
            hint = f"{before.source} is newer; make sure that it is the one that is wrong"
            self._wrong("W104", key, message, hint, severity="warning")

    def _unknown(self, key: Key, what: str, known: Sequence[str]) -> None:
        hint = _nearest(key[-1], known) or f"known: {', '.join(known)}"
        self._wrong("E181", key, f"unknown {what} {key[-1]!r}", hint)

    def _wrong(self, code: str, key: Key, message: str, hint: str, *, severity: str = "error") -> None:
        # The name of a model is one word, that of a cell holds a dot where it is one of a method's.
        path = [*key[:2], *(part for step in key[2:] for part in step.split("."))]
        at, excerpt, length = position(self._file, self._text, path)
        self._table.found.append(Diagnostic(code, message, at, hint, excerpt, length, severity))


def _flat(entry: Mapping[str, Any], known: Mapping[str, Shape]) -> Iterator[tuple[str, Any]]:
    """The cells of a table, those of its methods under dotted names."""
    methods = {name.partition(".")[0] for name in known if "." in name}
    for name, value in entry.items():
        if name in methods and isinstance(value, dict):
            yield from ((f"{name}.{inner}", cell) for inner, cell in value.items())
        else:
            yield name, value


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""


def _capabilities(table: _Table) -> Capabilities:
    gathered: dict[str, dict[str, Cell[Any]]] = {}
    for section in ("retired", "models"):
        for (head, *path), cell in table.cells.items():
            if head == section:
                gathered.setdefault(path[0], {})[path[1]] = cell
    return Capabilities(
        models={name: _model(name, cells) for name, cells in gathered.items()},
        vertex={name: table.cells.get(("vertex", name), Cell()) for name in columns.VERTEX},
        gemini_api={name: table.cells.get(("gemini-api", name), Cell()) for name in columns.GEMINI_API},
    )


def _model(name: str, cells: Mapping[str, Cell[Any]]) -> Model:
    # Names and types of the cells are those of the columns, which is what the cells were read by.
    given: dict[str, Any] = {path: cell for path, cell in cells.items() if path and "." not in path}
    for method in METHODS.values():
        inner = {
            path.removeprefix(f"{method}."): cell
            for path, cell in cells.items()
            if path.startswith(f"{method}.")
        }
        given[method] = Method(**inner)
    return Model(name, **given)


def on(known: Capabilities, today: date) -> Capabilities:
    """The same on a day: from then on models near their retirement, and those past it, are told."""
    return replace(known, today=today)
