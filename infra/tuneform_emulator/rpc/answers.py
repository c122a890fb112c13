"""From a JSON answer to the bytes of the response message.

Parsing a tuning job's JSON takes some 0.3 ms, so a list of ten thousand takes seconds, while most resources are
as they were when they were last listed. A repeated field's items stand in a message one after the other, each with its
tag and length, so that items encoded before can be put together without being parsed. What was encoded is kept
by its content: there is nothing to invalidate when a resource changes.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor

from . import messages

CACHE_BYTES = 64 * 2**20
OVERHEAD = 200
"""What an entry of the cache takes beside its bytes, roughly."""
_LENGTH_DELIMITED = 2


class Encoder:
    """Encodes answers; safe to use from many threads."""

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._limit = cache_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()
        self._size = 0

    def encode(self, full_name: str, answer: Mapping[str, Any]) -> bytes:
        """The answer as a message; fields that the message does not have are left out.

        Raises json_format.ParseError for an answer that is no such message, KeyError for an unknown message.
        """
        lists = lists_of(messages.message_class(full_name).DESCRIPTOR)
        rest: dict[str, Any] = {}
        parts: list[bytes] = []
        for name, value in answer.items():
            field = lists.get(name)
            if field is None or not isinstance(value, list):
                rest[name] = value
                continue
            tag, of = field
            for item in value:
                data = self._item(of, item)
                parts += (tag, varint(len(data)), data)
        return parse(full_name, rest) + b"".join(parts)

    def _item(self, full_name: str, item: Any) -> bytes:
        """One item of a repeated field; resources, which have a name, are kept."""
        if not isinstance(item, dict) or "name" not in item:
            return parse(full_name, item)
        key = (full_name, hashlib.blake2b(orjson.dumps(item), digest_size=16).digest())
        with self._lock:
            if (data := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return data
        data = parse(full_name, item)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = data
                self._size += len(data) + OVERHEAD
            while self._size > self._limit:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest) + OVERHEAD
        return data


def parse(full_name: str, value: Any) -> bytes:
    """ProtoJSON as the bytes of a message; raises json_format.ParseError, KeyError for an unknown message."""
    for name in ("metadata", "response"):
        # The types of an operation's contents have to be known before they can be parsed.
        inner = value.get(name) if isinstance(value, dict) else None
        if isinstance(inner, dict) and "@type" in inner:
            messages.message_class(inner["@type"].rpartition("/")[2])
    message = messages.message_class(full_name)()
    return json_format.ParseDict(value, message, ignore_unknown_fields=True).SerializeToString()


def lists_of(descriptor: Any) -> dict[str, tuple[bytes, str]]:
    """The fields that are lists of the API's own messages: JSON name → the tag of an item, and its message.

    Maps are something else, and the items of well-known types may be no objects in JSON.
    """
    found = {}
    for field in descriptor.fields:
        message: Descriptor | None = field.message_type
        if message is None or not field.is_repeated or message.GetOptions().map_entry:
            continue
        if message.file.package != "google.protobuf":
            found[field.json_name] = varint(field.number << 3 | _LENGTH_DELIMITED), message.full_name
    return found


def varint(number: int) -> bytes:
    """A number in protobuf's variable-length form."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
