"""Differences of plain data, field by field, in a stable order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


@dataclass(frozen=True)
class Change:
    """One field that differs. `path` is dotted; `old` is None for an addition, `new` for a removal."""

    op: Literal["add", "remove", "change"]
    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = _shown(self.old), _shown(self.new)
        match self.op:
            case "add":
                return f"{self.path} = {new}"
            case "remove":
                return f"{self.path} removed (was {old})"
            case "change":
                return f"{self.path} {old} → {new}"


def _shown(value: Any) -> str:
    """The value for people, who tell digests apart by their beginnings."""
    return DIGEST.sub(r"\1…", str(value)) or "''"


def diff(old: Mapping[str, Any], new: Mapping[str, Any], *, under: str = "") -> tuple[Change, ...]:
    """Every field in which two mappings differ, sorted by path. Nested mappings are compared inside."""
    return tuple(_walk(old, new, under))


def _walk(old: Mapping[str, Any], new: Mapping[str, Any], under: str) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        path = f"{under}.{key}" if under else key
        match old.get(key), new.get(key):
            case before, after if before == after:
                continue
            case None, after:
                yield Change("add", path, None, after)
            case before, None:
                yield Change("remove", path, before, None)
            case Mapping() as before, Mapping() as after:
                yield from _walk(before, after, path)
            case before, after:
                yield Change("change", path, before, after)
