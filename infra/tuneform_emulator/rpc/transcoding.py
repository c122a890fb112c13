"""From a request message to the HTTP call that the API documents for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from google.protobuf import json_format
from google.protobuf.message import Message

from tuneform_emulator import wire

from .methods import Bound

_TEMPLATE = re.compile(r"(?P<before>[^{]*)\{(?P<field>[\w.]+)=(?P<pattern>[^}]+)\}(?P<after>.*)")


@dataclass(frozen=True)
class HttpCall:
    """What a dispatcher is called with, but for the headers; the path is percent-encoded."""

    method: str
    path: str
    query: str
    body: bytes


def http_call(bound: Bound, request: Message) -> HttpCall:
    """The HTTP call of a request.

    Raises:
        ApiError: 400 for a resource name of another shape, 501 for fields that the message class does not have.
    """
    refuse_unknown(request)
    fields = json_format.MessageToDict(request)
    method = bound.method
    path = bound.prefix + _path(bound, fields)
    body = b""
    if method.body == "*":
        body, fields = orjson.dumps(fields), {}
    elif method.body:
        body = orjson.dumps(fields.pop(wire.camel_key(method.body), {}))
    return HttpCall(method.verb, path, urlencode(list(_flat(fields))), body)


def refuse_unknown(request: Message) -> None:
    """Raises `ApiError` 501 when a newer client has sent fields that the installed package does not know."""
    known = type(request)()
    known.CopyFrom(request)
    known.DiscardUnknownFields()  # type: ignore[no-untyped-call,unused-ignore]
    if known.ByteSize() != request.ByteSize():
        raise wire.ApiError.unimplemented(
            f"tuneform-emulator does not know some fields of this {request.DESCRIPTOR.name}: its "
            "google-cloud-aiplatform is older than the caller's"
        )


def _path(bound: Bound, fields: dict[str, Any]) -> str:
    """The path of the first template that the request's name fits; takes the name out of `fields`."""
    for template in bound.method.templates:
        before, field, pattern, after = _parsed(template)
        *outer, last = field
        holder: Any = fields
        for name in outer:
            holder = holder.get(name, {})
        value = holder.get(last, "")
        if pattern.fullmatch(value):
            del holder[last]
            # A colon inside a name must not read as the verb that may follow it.
            return before + quote(value, safe="/@") + after
    named = ".".join(field)
    expected = " or ".join(bound.method.templates)
    raise wire.ApiError.invalid(
        f"Invalid resource name '{value}': {named} must be of the form {expected}.",
        (named, "Invalid resource name."),
    )


@lru_cache(maxsize=512)
def _parsed(template: str) -> tuple[str, tuple[str, ...], re.Pattern[str], str]:
    found = _TEMPLATE.fullmatch(template)
    assert found is not None, template
    pattern = "/".join("[^/]+" if part == "*" else re.escape(part) for part in found["pattern"].split("/"))
    field = tuple(wire.camel_key(part) for part in found["field"].split("."))
    return found["before"], field, re.compile(pattern), found["after"]


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Query parameters: nested fields by their path with dots, lists as repeated names."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
            continue
        for item in value if isinstance(value, list) else [value]:
            yield prefix + name, ("true" if item else "false") if isinstance(item, bool) else str(item)
