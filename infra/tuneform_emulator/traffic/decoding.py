"""Typed data from JSON: dataclasses whose fields are plain values, nothing unknown and nothing of another type."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from tuneform_emulator.wire import ApiError

Data = TypeVar("Data")


def decode(kind: type[Data], values: object, where: str) -> Data:
    """A dataclass of strings, numbers, booleans and literals, with its defaults for what `values` leaves out.

    Raises `ApiError` 400 for a field that is unknown, missing or of another type, and for what the class itself
    refuses with a ValueError; `where` names the value in the error.
    """
    if not isinstance(values, Mapping):
        raise wrong(where, "an object", values)
    hints = get_type_hints(kind)
    for name in values:
        if name not in hints:
            raise ApiError.invalid(f"{where} has no '{name}'; it has {', '.join(hints)}.", (where, str(name)))
    found = {name: plain(hints[name], value, f"{where}.{name}") for name, value in values.items()}
    try:
        return kind(**found)
    except (TypeError, ValueError) as error:
        raise ApiError.invalid(f"{where}: {error}.", (where, str(error))) from error


def plain(kind: Any, value: object, where: str) -> object:
    """A value that has the type, a whole number where a fraction is wanted included; raises `ApiError` 400."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise wrong(where, "one of " + ", ".join(map(str, get_args(kind))), value)
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise wrong(where, f"a {kind.__name__}", value)
    return value


def read_word(kind: Any, text: str, where: str) -> object:
    """A value written by hand, as in `--set name=value`; raises `ApiError` 400."""
    if kind is bool and text in ("true", "false"):
        return text == "true"
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise wrong(where, f"a {kind.__name__}", text) from None
    return plain(kind, text, where)


def encode(data: Any) -> dict[str, Any]:
    """A dataclass as JSON."""
    return dataclasses.asdict(data)


def wrong(where: str, wanted: str, value: object) -> ApiError:
    """The refusal of a value of another type."""
    return ApiError.invalid(f"{where} must be {wanted}, not {value!r}.", (where, wanted))
