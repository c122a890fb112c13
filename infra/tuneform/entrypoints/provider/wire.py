"""Pulumi's wire values as plain data, and back.

Properties arrive as a protobuf Struct: every number is a float, what a preview cannot know is a magic string, and
a secret is an object with a signature. Source: pulumi/sdk proto and "Property values" in Pulumi's developer docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

Properties = Mapping[str, Any]
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the mark of a secret, not a secret)
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


class Unknown(Enum):
    """The type of `UNKNOWN`: what a preview cannot know yet."""

    VALUE = rpc.UNKNOWN


UNKNOWN: Final = Unknown.VALUE


@dataclass(frozen=True)
class Secret:
    """A value that is shown to nobody."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(…)"


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct's properties. A null is "not given" to Pulumi, and left out."""
    return {
        name: _decode(value)
        for name, value in struct.fields.items()
        if value.WhichOneof("kind") not in (None, "null_value")
    }


def _decode(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            return _signed(decode(value.struct_value))
        case _:
            return None


def _signed(plain: dict[str, Any]) -> Any:
    match plain.get(_SIGNATURE):
        case str(mark) if mark == _SECRET:
            return Secret(plain.get("value"))
        case str(mark) if mark == _OUTPUT:
            value = plain.get("value", UNKNOWN)
            return Secret(value) if plain.get("secret") else value
        case _:
            return plain


def encode(properties: Properties) -> struct_pb2.Struct:
    """Properties as the engine reads them; None is left out."""
    struct = struct_pb2.Struct()
    for name, value in properties.items():
        if value is not None:
            struct.fields[name].CopyFrom(_encode(value))
    return struct


def _encode(value: Any) -> struct_pb2.Value:
    match value:
        case Unknown():
            return struct_pb2.Value(string_value=rpc.UNKNOWN)
        case Secret():
            return _encode({_SIGNATURE: _SECRET, "value": value.value})
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case list() | tuple():
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
        case Mapping():
            return struct_pb2.Value(struct_value=encode(value))
        case _:
            raise TypeError(f"Pulumi has no form for a {type(value).__name__}")


def reveal(value: Any) -> Any:
    """The value without the marks of secrets, at any depth."""
    match value:
        case Secret():
            return reveal(value.value)
        case dict():
            return {name: reveal(item) for name, item in value.items()}
        case list():
            return [reveal(item) for item in value]
        case _:
            return value


def conceal(outputs: Properties, inputs: Properties) -> dict[str, Any]:
    """The outputs; each whose name an input has that holds a secret is a secret too."""
    return {
        name: Secret(value) if contains(inputs.get(name), Secret) else value
        for name, value in outputs.items()
    }


def unknown(value: Any) -> bool:
    """Whether anything in a value is unknown."""
    return contains(value, Unknown)


def contains(value: Any, kind: type) -> bool:
    """Whether there is a value of this kind in it, at any depth."""
    if isinstance(value, kind):
        return True
    match value:
        case Secret():
            return contains(value.value, kind)
        case dict():
            return any(contains(item, kind) for item in value.values())
        case list():
            return any(contains(item, kind) for item in value)
        case _:
            return False
