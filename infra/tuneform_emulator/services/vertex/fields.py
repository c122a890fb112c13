"""Reading request bodies: either case, enums as names or numbers, int64 as strings or numbers, nothing unknown."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tuneform_emulator import wire

Json = dict[str, Any]

_LABEL_KEY = re.compile(r"[\w-]{1,63}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
MAX_LABELS = 64
MAX_DISPLAY_NAME = 128


def known(
    body: Mapping[str, Any], where: str, *, read: Collection[str], ignored: Collection[str] = ()
) -> Json:
    """The fields of `body` that the emulator acts on.

    `ignored` are output-only fields, which the real service drops from a request. Anything else is refused by
    name with 501, never dropped: a caller must not believe that something happened which did not.
    """
    wire.only(body, {*read, *ignored}, where)
    return {name: value for name, value in body.items() if name in read}


def message(body: Mapping[str, Any], name: str) -> Json:
    """A nested message; an absent or null one is empty."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong_type(name, "a message", value)
    return value


def string(body: Mapping[str, Any], name: str) -> str:
    """A string field; absent or null is empty."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong_type(name, "a string", value)
    return value


def boolean(body: Mapping[str, Any], name: str) -> bool:
    """A boolean field; absent or null is false."""
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _wrong_type(name, "a boolean", value)
    return value


def integer(body: Mapping[str, Any], name: str) -> int | None:
    """An int32 or int64 field, as JSON number or decimal string."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        return int(value)
    raise _wrong_type(name, "an integer", value)


def number(body: Mapping[str, Any], name: str) -> float | None:
    """A float or double field."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise _wrong_type(name, "a number", value)


def enum(body: Mapping[str, Any], name: str, values: Sequence[str]) -> str:
    """An enum field by name or number; `values` in the order of their numbers. Absent is the first."""
    value = body.get(name)
    if value is None:
        return values[0]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(values):
        return values[value]
    if isinstance(value, str) and value in values:
        return value
    raise _wrong_type(name, f"one of {', '.join(values)}", value)


def labels(body: Mapping[str, Any], name: str = "labels") -> dict[str, str]:
    """User labels, checked as the API reference states them.

    Keys and values hold at most 63 lower-case letters, digits, underscores and dashes (the reference says "no longer
    than 64"; Google Cloud's label requirements say 63, which is what is enforced); keys start with a letter;
    international letters are allowed.
    """
    found = message(body, name)
    if len(found) > MAX_LABELS:
        raise wire.ApiError.invalid(
            f"No more than {MAX_LABELS} user labels can be associated with one resource."
        )
    for key, value in found.items():
        if not isinstance(value, str):
            raise _wrong_type(f"{name}.{key}", "a string", value)
        if not (_LABEL_KEY.fullmatch(key) and key == key.lower() and key[0].isalpha()):
            raise _bad_label(name, "key", key)
        if not (_LABEL_VALUE.fullmatch(value) and value == value.lower()):
            raise _bad_label(name, "value", value)
    return dict(found)


def display_name(body: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    """A display name of at most 128 characters."""
    value = string(body, name)
    if required and not value:
        raise wire.ApiError.invalid(f"{name} is required.", (name, "Required field is not set."))
    if len(value) > MAX_DISPLAY_NAME:
        reason = f"{name} must be at most {MAX_DISPLAY_NAME} characters long."
        raise wire.ApiError.invalid(reason, (name, reason))
    return value


def traffic_split(body: Mapping[str, Any], name: str = "trafficSplit") -> dict[str, int]:
    """Percentages by deployed model id."""
    raw = message(body, name)
    split: dict[str, int] = {}
    for key in raw:
        percentage = integer(raw, key)
        if percentage is None or not 0 <= percentage <= 100:
            raise wire.ApiError.invalid(f"{name}: the percentage of {key} must be between 0 and 100.")
        split[key] = percentage
    return split


def mask(text: str, given: Collection[str]) -> tuple[str, ...]:
    """The fields an update mask names, in camelCase; without a mask, the fields that were given."""
    if not text:
        return tuple(given)
    names = (part.strip() for part in text.split(","))
    return tuple(re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name) for name in names if name)


def _bad_label(field: str, part: str, text: str) -> wire.ApiError:
    reason = (
        f"Invalid label {part} '{text}': keys and values can be no longer than 63 characters and can only contain "
        "lowercase letters, numeric characters, underscores and dashes; keys start with a letter."
    )
    return wire.ApiError.invalid(reason, (field, reason))


def _wrong_type(field: str, wanted: str, value: object) -> wire.ApiError:
    reason = f"Invalid value at '{field}': expected {wanted}, got {value!r}."
    return wire.ApiError.invalid(reason, (field, reason))
