"""Pages of a list: `pageSize` and `pageToken` in, `nextPageToken` out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from tuneform_emulator.wire import ApiError, Request


def page(
    request: Request,
    rows: Sequence[tuple[str, dict[str, Any]]],
    field: str,
    *,
    size: str = "pageSize",
    default: int = 100,
    most: int = 1000,
    total: bool = False,
) -> dict[str, Any]:
    """One page of rows that are sorted by name. The token names the last row shown, so that rows which come and
    go between two pages neither repeat nor hide others. Raises `ApiError` 400 for a token that is not ours.
    """
    wanted = request.whole(size)
    if wanted < 0:
        raise ApiError.invalid(f"{size} must not be negative.", (size, str(wanted)))
    limit = min(wanted or default, most)
    after = decode(request.one("pageToken"))
    left = [row for row in rows if row[0] > after] if after else list(rows)
    answer: dict[str, Any] = {field: [doc for _, doc in left[:limit]]} if left else {}
    if len(left) > limit:
        answer["nextPageToken"] = encode(left[limit - 1][0])
    if total:
        answer["totalSize"] = len(rows)
    return answer


def encode(name: str) -> str:
    """A page token that stands for everything up to and with `name`."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def decode(token: str) -> str:
    """The name that a token stands for; raises `ApiError` 400 when it was not made by `encode`."""
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise ApiError.invalid("Invalid page token.", ("pageToken", token)) from None
