"""Pulumi resources as rules see them: what their inputs say, as the subject of the document that would say the same.

What inputs cannot say is unknown, never guessed: a rule that looks at it is not judged there. Each module leaves
UNKNOWN where nobody can know and None where nothing is set; `drawn` makes a subject of it.

values.py  UNKNOWN, and subjects out of half-known values     ours.py    tuneform:index:*
google.py  buckets, keys and accounts of pulumi-gcp           places.py  a rule's field as the property of a resource
costs.py   what a new job would bill
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuneform.policy.judge import Subject
from tuneform.policy.shapes.google import ACCOUNTS, GOOGLE, accounts
from tuneform.policy.shapes.ours import OURS
from tuneform.policy.shapes.places import property_of
from tuneform.policy.shapes.values import UNKNOWN, Resource

SHAPES = {**OURS, **GOOGLE}
"""What makes subjects of one resource, by type token."""

__all__ = ["ACCOUNTS", "SHAPES", "UNKNOWN", "Resource", "joined", "plain", "property_of", "subjects"]


def subjects(resource: Resource) -> tuple[Subject, ...]:
    """What one resource says by itself: of ours also what its `project` says of the Project. Others say nothing."""
    shape = SHAPES.get(resource.token)
    return shape(resource) if shape else ()


def joined(resources: Sequence[Resource]) -> tuple[tuple[Resource, Subject], ...]:
    """What only several resources say together: service accounts with the roles that a stack grants them.

    Each comes with the resource that it is to be said of.
    """
    return accounts(resources)


def plain(inputs: Mapping[str, Any], unknown: object) -> dict[str, Any]:
    """Inputs with UNKNOWN where a door has its own mark for that, and whole numbers as such: the wire has floats."""
    return {name: _plain(value, unknown) for name, value in inputs.items()}


def _plain(value: Any, unknown: object) -> Any:
    match value:
        case Mapping():
            return plain(value, unknown)
        case list() | tuple():
            return [_plain(one, unknown) for one in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return UNKNOWN if value is unknown or (isinstance(value, str) and value == unknown) else value
