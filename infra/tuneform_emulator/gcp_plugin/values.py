"""Pulumi's wire values as plain Python ones, and back.

A property bag arrives as a protobuf Struct: all numbers are floats, a value that is not known yet in a preview is
a magic string, and a secret is an object with a signature (pulumi developer docs, "Property values").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (a public constant of the protocol)
DEFAULTS_KEY: Final = "__defaults"
"""Names the inputs that Check filled in, as the real provider's bridge does."""


class Unknown(Enum):
    """The type of `UNKNOWN`, a value that a preview cannot know."""

    VALUE = rpc.UNKNOWN


UNKNOWN: Final = Unknown.VALUE


@dataclass(frozen=True)
class Secret:
    """A value that must never be shown."""

    value: Any


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The properties of a Struct; nulls are left out, because for Pulumi they mean "not given"."""
    return {name: decode(value) for name, value in struct.fields.items() if not _null(value)}


def decode(value: struct_pb2.Value) -> Any:
    """One wire value: whole numbers become int, magic strings `UNKNOWN`, signed objects `Secret`."""
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [decode(item) for item in value.list_value.values]
        case "struct_value":
            plain = from_struct(value.struct_value)
            if plain.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
                return Secret(plain.get("value"))
            return plain
        case _:
            return None


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """The properties as the engine reads them."""
    struct = struct_pb2.Struct()
    for name, value in properties.items():
        if value is not None:
            struct.fields[name].CopyFrom(encode(value))
    return struct


def encode(value: Any) -> struct_pb2.Value:
    """One plain value as a wire value; raises TypeError for what Pulumi has no form for."""
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case Unknown():
            return struct_pb2.Value(string_value=rpc.UNKNOWN)
        case Secret():
            return encode({SIGNATURE_KEY: SECRET_SIGNATURE, "value": value.value})
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case list() | tuple():
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[encode(item) for item in value]))
        case Mapping():
            return struct_pb2.Value(struct_value=to_struct(value))
        case _:
            raise TypeError(f"no wire form for {type(value).__name__}")


def reveal(value: Any) -> Any:
    """The value without its secret wrappers, for sending to the API and for comparing."""
    match value:
        case Secret():
            return reveal(value.value)
        case dict():
            return {name: reveal(item) for name, item in value.items()}
        case list():
            return [reveal(item) for item in value]
        case _:
            return value


def conceal(properties: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    """`properties` with every top-level one secret that holds a secret in `source`."""
    return {
        name: Secret(reveal(value)) if has_secret(source.get(name)) else value
        for name, value in properties.items()
    }


def has_secret(value: Any) -> bool:
    """Whether a secret is in the value, at any depth."""
    return _any(value, Secret)


def has_unknown(value: Any) -> bool:
    """Whether an unknown is in the value, at any depth."""
    return _any(value, Unknown)


def _any(value: Any, kind: type) -> bool:
    if isinstance(value, kind):
        return True
    match value:
        case Secret():
            return _any(value.value, kind)
        case dict():
            return any(_any(item, kind) for item in value.values())
        case list():
            return any(_any(item, kind) for item in value)
        case _:
            return False


def _null(value: struct_pb2.Value) -> bool:
    return value.WhichOneof("kind") in (None, "null_value")
