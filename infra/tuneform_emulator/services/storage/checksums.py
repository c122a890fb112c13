"""CRC32C and MD5 as Cloud Storage writes them: base64 of the big-endian bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import google_crc32c

from tuneform_emulator.wire import ApiError


def crc32c(data: bytes) -> str:
    """The CRC32C of the data."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def md5(data: bytes) -> str:
    """The MD5 of the data, which Cloud Storage shows for every object that was not composed."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def verify(data: bytes, claimed: Mapping[str, Any]) -> dict[str, str]:
    """Both checksums; raises `ApiError` 400 when one that the client claimed is another."""
    found = {"crc32c": crc32c(data), "md5Hash": md5(data)}
    for name, label in (("crc32c", "CRC32C"), ("md5Hash", "MD5")):
        if claimed.get(name) and claimed[name] != found[name]:
            raise ApiError.invalid(
                f'Provided {label} hash "{claimed[name]}" doesn\'t match calculated {label} hash "{found[name]}".'
            )
    return found


def from_header(value: str) -> dict[str, str]:
    """What an `x-goog-hash: crc32c=…,md5=…` header claims."""
    claimed: dict[str, str] = {}
    for part in value.split(","):
        name, _, digest = part.strip().partition("=")
        if name == "crc32c":
            claimed["crc32c"] = digest
        elif name == "md5":
            claimed["md5Hash"] = digest
    return claimed
