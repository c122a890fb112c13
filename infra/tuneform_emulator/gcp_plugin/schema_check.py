"""Inputs checked against pulumi-gcp's own types, read from its Python classes.

Pulumi checks nothing itself: a misspelt property of a dict-typed input reaches the provider as it is. The real
provider refuses it; so does this one, by the very classes the program is written with.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import threading
import typing
import warnings
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pulumi

# The one reader of `@pulumi.input_type` classes there is; the version of pulumi is pinned in pyproject.toml.
from pulumi import _types

from . import VERSION
from .values import Secret, Unknown

Shape = Mapping[str, "Shape"]
"""Names of the inputs that the stand-in supports, with those of the nested types; `{}` ends the checking there."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with an input: a property path and a sentence."""

    property: str
    reason: str


@dataclass(frozen=True)
class InputType:
    """An Args class of pulumi-gcp: Pulumi name → type, and the names that must be given."""

    types: Mapping[str, Any]
    required: frozenset[str]


_importing = threading.Lock()


@cache
def input_type(module: str, name: str) -> InputType:
    """The Args class `name` of `module`, e.g. `pulumi_gcp.storage`, `BucketArgs`.

    Imported when first asked for: importing all of pulumi-gcp's classes takes seconds.
    """
    # Checks run in many threads, and pulumi-gcp loads its modules lazily without a lock of its own.
    with _importing, warnings.catch_warnings():
        # Loading pulumi_gcp.storage warns of a misspelt function in it that nobody here calls.
        warnings.simplefilter("ignore", DeprecationWarning)
        return _describe(getattr(importlib.import_module(module), name))


@cache
def _describe(cls: type) -> InputType:
    names = _types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls).parameters
    required = {
        name for python, name in names.items() if parameters[python].default is inspect.Parameter.empty
    }
    return InputType(_types.input_type_types(cls), frozenset(required))


def problems(
    inputs: Mapping[str, Any], declared: InputType, supported: Shape, *, path: str = ""
) -> Iterator[Problem]:
    """Everything wrong with `inputs`: unknown, unsupported, missing and wrongly typed properties, at any depth."""
    for name, value in inputs.items():
        if name.startswith("__"):
            continue
        where = f"{path}.{name}" if path else name
        if name not in declared.types:
            yield Problem(where, f"'{name}' is not a property of pulumi-gcp {VERSION}{_hint(name, declared)}")
        elif name not in supported:
            yield Problem(
                where,
                f"'{name}' is supported by pulumi-gcp but not by the emulator's stand-in for it, which knows: "
                + ", ".join(sorted(supported)),
            )
        else:
            yield from _value_problems(value, declared.types[name], supported[name], where)
    for name in sorted(declared.required - inputs.keys()):
        yield Problem(f"{path}.{name}" if path else name, f"'{name}' is required and was not given")


def _hint(name: str, declared: InputType) -> str:
    near = difflib.get_close_matches(name, declared.types, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _value_problems(value: Any, declared: Any, supported: Shape, path: str) -> Iterator[Problem]:
    if isinstance(value, Secret):
        value = value.value
    if isinstance(value, Unknown):
        return
    declared = _unwrap(declared)
    origin = typing.get_origin(declared)
    if origin is not None and issubclass(origin, Mapping):
        yield from _mapping_problems(value, declared, path)
    elif origin is not None and issubclass(origin, Sequence):
        yield from _list_problems(value, declared, supported, path)
    elif _types.is_input_type(declared):
        if isinstance(value, dict):
            yield from problems(value, _describe(declared), supported, path=path)
        else:
            yield _mistyped(path, "an object", value)
    elif not _is_scalar(value, declared):
        yield _mistyped(path, SCALARS[declared], value)


def _mapping_problems(value: Any, declared: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _mistyped(path, "a map", value)
        return
    item_type = typing.get_args(declared)[1]
    for name, item in value.items():
        yield from _value_problems(item, item_type, {}, f'{path}["{name}"]')


def _list_problems(value: Any, declared: Any, supported: Shape, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _mistyped(path, "a list", value)
        return
    item_type = typing.get_args(declared)[0]
    for index, item in enumerate(value):
        yield from _value_problems(item, item_type, supported, f"{path}[{index}]")


SCALARS: Mapping[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def _is_scalar(value: Any, declared: Any) -> bool:
    if declared is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if declared is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, declared)


def _mistyped(path: str, wanted: str, value: Any) -> Problem:
    return Problem(path, f"must be {wanted}, not {SCALARS.get(type(value), 'an object or a list')}")


def _unwrap(declared: Any) -> Any:
    """`T` of `Input[T]`, which is a union of T, awaitables and outputs of it."""
    if typing.get_origin(declared) is not typing.Union:
        return declared
    (inner,) = (option for option in typing.get_args(declared) if not _is_wrapper(option))
    return inner


def _is_wrapper(option: Any) -> bool:
    origin = typing.get_origin(option) or option
    return origin in (Awaitable, pulumi.Output, type(None))
