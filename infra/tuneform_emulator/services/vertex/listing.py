"""Filters, order and pages of list calls.

The filter language is the part of AIP-160 that the clients use: terms joined by AND, each `field = value`,
`field != value`, `field : value` or `labels.key : *`; values quoted or bare; field names in either case.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tuneform_emulator import wire

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
"""The bounds that `ListContextsRequest.page_size` documents; the other list calls state none, so these hold for all."""

Getter = Callable[[Mapping[str, Any]], object]
"""Reads one filterable field of a resource: a string, or a list of strings for the HAS operator."""

_TERM = re.compile(
    r"""\s*(?P<field>[A-Za-z_][\w]*(?:\.(?:"[^"]*"|[\w-]+))*)\s*
        (?P<operator>!=|=|:)\s*
        (?P<value>"(?:[^"\\]|\\.)*"|[^\s"()=!:][^\s"()]*)\s*""",
    re.VERBOSE,
)
_JOINT = re.compile(r"(?P<joint>AND|OR|NOT)\b\s*|$")


@dataclass(frozen=True)
class Term:
    """One comparison of a filter; `field` is in snake_case, a label's key included as `labels.key`."""

    field: str
    operator: str
    value: str


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a filter.

    Raises:
        ApiError: 400 for a filter that cannot be read, 501 for OR and NOT.
    """
    terms: list[Term] = []
    position = 0
    while position < len(text.rstrip()):
        found = _TERM.match(text, position)
        if found is None:
            _refuse_operator(text, position)
            raise wire.ApiError.invalid(f"Invalid filter expression at position {position}: {text}")
        terms.append(Term(_field(found["field"]), found["operator"], _unquote(found["value"])))
        position = found.end()
        joint = _JOINT.match(text, position)
        if joint is None:
            raise wire.ApiError.invalid(f"Invalid filter expression at position {position}: {text}")
        if joint["joint"] in ("OR", "NOT"):
            _refuse_operator(text, position)
        position = joint.end()
    return tuple(terms)


def matches(terms: Iterable[Term], resource: Mapping[str, Any], getters: Mapping[str, Getter]) -> bool:
    """Whether a resource satisfies all terms; `getters` by snake_case field name. Labels are always supported."""
    return all(_holds(term, resource, getters) for term in terms)


def page(
    request: wire.Request,
    key: str,
    documents: Iterable[tuple[int, Mapping[str, Any]]],
    show: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
) -> dict[str, Any]:
    """One page of a list response under `key`.

    `documents` are (sequence number, resource), sorted by falling number, and are taken only as far as the page goes;
    they may begin `after` the request's token. `show` renders those on the page. The
    page token carries the last number shown, so that a resource created or deleted between two pages neither
    repeats nor hides another.
    """
    for name, natural in (("readMask", ""), ("orderBy", "create_time desc")):
        if (text := request.one(name)) and text != natural:
            raise wire.ApiError.unimplemented(f"tuneform-emulator does not emulate {name}={text} yet")
    size = _page_size(request)
    shown_last = after(request)
    rest = (item for item in documents if shown_last is None or item[0] < shown_last)
    found = list(itertools.islice(rest, size + 1))
    answer: dict[str, Any] = {}
    if found:
        answer[key] = [show(resource) for _, resource in found[:size]]
    if len(found) > size:
        answer["nextPageToken"] = base64.urlsafe_b64encode(f"after:{found[size - 1][0]}".encode()).decode()
    return answer


def after(request: wire.Request) -> int | None:
    """The number that the page before ended with, None for the first page; raises `ApiError` 400 for a bad token."""
    return _token(request.one("pageToken"))


def filter_text(request: wire.Request) -> str:
    """The filter of a request.

    google-genai's `models.list` adds its own filter to the caller's as a second parameter; both hold.
    """
    return " AND ".join(text for text in request.query.get("filter", ()) if text.strip())


def _holds(term: Term, resource: Mapping[str, Any], getters: Mapping[str, Getter]) -> bool:
    if term.field == "labels" or term.field.startswith("labels."):
        return _label_holds(term, resource)
    getter = getters.get(term.field)
    if getter is None:
        raise wire.ApiError.unimplemented(
            f"tuneform-emulator does not emulate the filter field {term.field} yet"
        )
    value = getter(resource)
    equal = term.value in value if isinstance(value, list) else str(value) == term.value
    return not equal if term.operator == "!=" else equal


def _label_holds(term: Term, resource: Mapping[str, Any]) -> bool:
    labels: Mapping[str, str] = resource.get("labels", {})
    if term.field == "labels":
        return term.value in labels
    key = term.field.removeprefix("labels.")
    if term.value == "*":
        return key in labels
    equal = labels.get(key) == term.value
    return not equal if term.operator == "!=" else equal


def _field(text: str) -> str:
    head, dot, rest = text.partition(".")
    snake = re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), head)
    return snake + dot + rest.replace('"', "")


def _unquote(text: str) -> str:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _refuse_operator(text: str, position: int) -> None:
    found = re.match(r"\s*(OR|NOT|\(|-)", text[position:])
    if found:
        raise wire.ApiError.unimplemented(
            f"tuneform-emulator does not emulate '{found[1]}' in filters yet: {text}"
        )


def _page_size(request: wire.Request) -> int:
    size = request.whole("pageSize")
    if size < 0:
        raise wire.ApiError.invalid(f"page_size must not be negative, got {size}.", ("page_size", str(size)))
    return min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _token(text: str) -> int | None:
    if not text:
        return None
    try:
        found = re.fullmatch(r"after:(\d+)", base64.urlsafe_b64decode(text.encode()).decode())
    except (binascii.Error, UnicodeDecodeError):
        found = None
    if found is None:
        raise wire.ApiError.invalid("Page token is invalid.", ("page_token", "Page token is invalid."))
    return int(found[1])
