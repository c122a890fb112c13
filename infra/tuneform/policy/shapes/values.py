"""Values of which some are not known, and the subjects that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tuneform.policy.judge import Subject


class Unknown(Enum):
    """The type of `UNKNOWN`: what a preview, or a resource by itself, cannot say."""

    VALUE = "unknown"


UNKNOWN: Final = Unknown.VALUE


@dataclass(frozen=True)
class Resource:
    """One declared resource: its type token, its name in the program, its inputs with UNKNOWN in them, its URN."""

    token: str
    name: str
    inputs: Mapping[str, Any]
    urn: str = ""


def drawn(
    kind: str,
    metadata: Mapping[str, Any],
    spec: Mapping[str, Any],
    project: Any,
    *,
    name: str,
    data: Any = None,
    cost: Any = None,
) -> Subject:
    """A subject of what is known. `name` is that of the resource, for what has none of its own yet."""
    unknown: set[str] = set()
    said = {"annotations": UNKNOWN, **metadata}  # nothing that is declared carries the document's annotations
    thing = _known({"kind": kind, "metadata": said, "spec": spec}, "object", unknown)
    thing["metadata"].setdefault("name", name)
    return Subject(
        object=thing,
        project=_known(project, "project", unknown) or {},
        data=_known(data, "data", unknown) or {},
        cost=_known(cost, "cost", unknown) or {},
        unknown=frozenset(unknown),
    )


def _known(value: Any, path: str, unknown: set[str]) -> Any:
    """The value without what is not set and what is not known; the paths of the latter go to `unknown`."""
    if value is UNKNOWN:
        unknown.add(path)
        return None
    if isinstance(value, Mapping):
        found = {name: _known(one, f"{path}.{name}", unknown) for name, one in value.items()}
        return {name: one for name, one in found.items() if one is not None}
    if isinstance(value, list | tuple):
        if _holds_unknown(value):  # a list is asked as a whole: which of its items is missing helps nobody
            unknown.add(path)
            return None
        return [_known(one, path, unknown) for one in value]
    return value


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_unknown(one) for one in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_unknown(one) for one in value)
    return value is UNKNOWN


def part(value: Any, name: str, default: Any = None) -> Any:
    """A field of something that may be unknown as a whole, or may not be set."""
    if value is UNKNOWN:
        return UNKNOWN
    found = value.get(name) if isinstance(value, Mapping) else None
    return default if found is None else found


def real(value: Any) -> Any:
    """A number that is a fraction by its nature: Pulumi's wire makes 1 of 1.0, and CEL keeps the two apart."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def key(name: Any) -> Any:
    """A key by its full name, as a document that refers to it has it; by what reference is not known here."""
    if not isinstance(name, str):
        return name
    return {"ref": UNKNOWN, "name": name, **key_parts(name)}


def key_parts(name: str) -> dict[str, Any]:
    """The project and location in the full name of a key or key ring."""
    parts = name.split("/")
    found = dict(zip(parts[::2], parts[1::2], strict=False))
    return {"projectId": found.get("projects", UNKNOWN), "location": found.get("locations", UNKNOWN)}
