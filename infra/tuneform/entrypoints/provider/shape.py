"""Inputs against schema.json, which is also what GetSchema answers: one description, checked and published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from tuneform.entrypoints.provider.wire import Secret, Unknown


@dataclass(frozen=True)
class Failure:
    """One input that is wrong: the property's path, and why."""

    path: str
    reason: str


@cache
def schema_text() -> str:
    """The provider's Pulumi schema (https://www.pulumi.com/docs/iac/extending-pulumi/schema/) as JSON."""
    return files("tuneform.entrypoints.provider").joinpath("schema.json").read_text(encoding="utf-8")


@cache
def schema() -> Mapping[str, Any]:
    """The schema, parsed."""
    parsed: Mapping[str, Any] = json.loads(schema_text())
    return parsed


def failures(token: str, inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """What is wrong with a resource's inputs: unknown names, missing ones, wrong types, values outside an enum."""
    resource = schema()["resources"][token]
    yield from _object("", resource["inputProperties"], resource["requiredInputs"], inputs)


def _object(
    path: str, properties: Mapping[str, Any], required: list[str], value: Mapping[str, Any]
) -> Iterator[Failure]:
    for name in value:
        if name not in properties:
            close = get_close_matches(name, properties, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; it knows {', '.join(sorted(properties))}"
            yield Failure(_join(path, name), f"unknown property{hint}")
    for name in required:
        if value.get(name) is None:
            yield Failure(_join(path, name), "missing")
    for name, item in value.items():
        if name in properties:
            yield from _value(_join(path, name), properties[name], item)


def _value(path: str, wanted: Mapping[str, Any], value: Any) -> Iterator[Failure]:
    match value:
        case None | Unknown():
            return
        case Secret():
            yield from _value(path, wanted, value.value)
            return
    if reference := wanted.get("$ref"):
        if reference == "pulumi.json#/Any":
            return
        found = schema()["types"][reference.removeprefix("#/types/")]
        if "enum" in found:
            allowed = [item["value"] for item in found["enum"]]
            if value not in allowed:
                yield Failure(path, f"{value!r} is none of {', '.join(map(str, allowed))}")
            return
        if not isinstance(value, dict):
            yield Failure(path, "must be an object")
            return
        yield from _object(path, found["properties"], found.get("required", []), value)
        return
    yield from _plain(path, wanted, value)


def _plain(path: str, wanted: Mapping[str, Any], value: Any) -> Iterator[Failure]:
    match wanted["type"], value:
        case "string", str():
            return
        case "boolean", bool():
            return
        case (("integer" | "number"), bool()):
            yield Failure(path, "must be a number")
        case "integer", int():
            return
        case "number", int() | float():
            return
        case "array", list():
            for index, item in enumerate(value):
                yield from _value(f"{path}[{index}]", wanted["items"], item)
        case "object", dict():
            for name, item in value.items():
                yield from _value(_join(path, name), wanted["additionalProperties"], item)
        case kind, _:
            yield Failure(path, f"must be {'an' if kind[0] in 'aio' else 'a'} {kind}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
