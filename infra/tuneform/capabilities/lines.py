"""The line of a TOML file on which something is said: readers of TOML give values without their places."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuneform.errors import Position


def position(file: Path, text: str, path: Sequence[str]) -> tuple[Position, str, int]:
    """Where `path` is written, or the nearest thing around it: the place, its line, and how much of it is meant."""
    lines = text.splitlines() or [""]
    header: list[str] = []
    best, depth = 0, 0
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("["):
            header = _path_of(stripped)
            here = header
        elif "=" in stripped and not stripped.startswith("#"):
            here = header + _path_of(stripped.partition("=")[0] + "= 0")
        else:
            continue
        # A header or a key that leads towards the path, or on from it; the first of those that share most of it.
        shared = min(len(here), len(path))
        if shared > depth and list(path[:shared]) == here[:shared]:
            best, depth = number, shared
    line = lines[best]
    column = len(line) - len(line.lstrip()) + 1
    meant = line.strip().partition("=")[0].rstrip() or line.strip()
    return Position(file, best + 1, column), line, max(1, len(meant))


def _path_of(line: str) -> list[str]:
    """The names that a header, or a key with a value, leads through; none where the line is not one by itself."""
    try:
        found: Any = tomllib.loads(line)
    except (ValueError, RecursionError):
        return []
    path = []
    while isinstance(found, dict) and found:
        (name, found), *_ = found.items()
        path.append(name)
    return path
