"""What differs between two sets of inputs, property by property."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pulumi.runtime.proto import provider_pb2

from .values import has_unknown

IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
MISSING = object()
Kind = provider_pb2.PropertyDiff


@dataclass(frozen=True)
class Change:
    """One difference. `path` is a Pulumi property path, `top` the property it starts at."""

    path: str
    top: str
    kind: str
    """`add`, `delete` or `update`."""


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """The differences, sorted by property; a value that is not known yet always differs."""
    found: list[Change] = []
    for name in sorted(old.keys() | new.keys()):
        found.extend(_walk(old.get(name, MISSING), new.get(name, MISSING), name, name))
    return tuple(found)


def _walk(old: Any, new: Any, path: str, top: str) -> Iterator[Change]:
    if old is MISSING:
        yield Change(path, top, "add")
    elif new is MISSING:
        yield Change(path, top, "delete")
    elif isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _walk(old.get(name, MISSING), new.get(name, MISSING), f"{path}{_step(name)}", top)
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip_longest(old, new, fillvalue=MISSING)):
            yield from _walk(before, after, f"{path}[{index}]", top)
    elif has_unknown(new) or old != new:
        yield Change(path, top, "update")


def _step(name: str) -> str:
    return f".{name}" if IDENTIFIER.fullmatch(name) else f"[{json.dumps(name)}]"


KINDS = {
    ("add", False): Kind.ADD,
    ("add", True): Kind.ADD_REPLACE,
    ("delete", False): Kind.DELETE,
    ("delete", True): Kind.DELETE_REPLACE,
    ("update", False): Kind.UPDATE,
    ("update", True): Kind.UPDATE_REPLACE,
}


def response(
    found: tuple[Change, ...], *, replace_on: frozenset[str], same_name: bool
) -> provider_pb2.DiffResponse:
    """The engine's form of the changes.

    With `same_name` the replacement would take the name of what it replaces, so that must go first.
    """
    replaces = sorted({change.top for change in found if change.top in replace_on})
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({change.top for change in found}),
        replaces=replaces,
        stables=[] if replaces else sorted(replace_on),
        deleteBeforeReplace=bool(replaces) and same_name,
        detailedDiff={
            change.path: provider_pb2.PropertyDiff(
                kind=KINDS[change.kind, change.top in replace_on], inputDiff=True
            )
            for change in found
        },
        hasDetailedDiff=True,
    )
