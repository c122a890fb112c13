"""Preconditions of Cloud Storage calls, and what they are checked against.

Source: "Request preconditions" of the Cloud Storage documentation. A missing object has generation 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneform_emulator.wire import ApiError, Request

NAMES = {
    "ifGenerationMatch": ("generation", True),
    "ifGenerationNotMatch": ("generation", False),
    "ifMetagenerationMatch": ("metageneration", True),
    "ifMetagenerationNotMatch": ("metageneration", False),
}


class NotModified(Exception):
    """A read whose ...NotMatch condition failed: 304 without a body."""


def check(
    request: Request, present: Mapping[str, Any] | None, *, prefix: str = "", reading: bool = False
) -> None:
    """Raises `ApiError` 412 when a condition of the request does not hold for the present object or bucket.

    `prefix` is "Source" for those on a copy's source (ifSourceGenerationMatch…). Reading, a failed NotMatch raises
    `NotModified` instead.
    """
    for name, (field, match) in NAMES.items():
        asked = name.replace("if", f"if{prefix}", 1)
        if not request.one(asked):
            continue
        wanted = request.whole(asked)
        actual = int(present[field]) if present else 0
        if (wanted == actual) == match:
            continue
        if reading and not match:
            raise NotModified
        raise ApiError.conditional(
            f"At least one of the pre-conditions you specified did not hold: {asked}={wanted}, but the {field} is "
            f"{actual}."
        )
