"""What the kinds say about themselves: the texts under their fields, read from the source, and types in words."""

from __future__ import annotations

import ast
import inspect
from datetime import timedelta
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tuneform.specs.kinds import Ref, SpecModel

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", timedelta: "duration"}


def text(docstring: str | None) -> str:
    """A docstring without its indentation."""
    return inspect.cleandoc(docstring or "")


@cache
def meanings(model: type[SpecModel]) -> dict[str, str]:
    """What stands under each attribute of the class, by the attribute's name in Python."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not (issubclass(base, SpecModel) and base is not SpecModel):
            continue
        body = ast.parse(inspect.getsource(base).lstrip()).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    found[name] = inspect.cleandoc(said).replace("\n", " ")
    return found


def type_in_words(annotation: Any) -> str:
    """What may be written for a field of this type, as Markdown."""
    if isinstance(annotation, type) and issubclass(annotation, Ref):
        article = "an" if annotation.target[:1] in "AEIOU" else "a"
        return f"`{{ref: …}}`, {article} {annotation.target}"
    if isinstance(annotation, type) and issubclass(annotation, SpecModel):
        return "mapping"
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in args)
    if origin is tuple:
        return f"list of {type_in_words(args[0])}"
    if origin is dict and get_origin(args[1]) is dict:
        return "mapping of kinds to parts of their specs"
    if origin is dict:
        return "mapping of text to text"
    if args:
        # Annotated has its type first; a union has one arm for each.
        arms = args[:1] if hasattr(annotation, "__metadata__") else args
        return " or ".join(type_in_words(arm) for arm in arms if arm is not NoneType)
    return _WORDS[annotation]


def default_in_words(info: FieldInfo) -> str:
    """A field's default, as Markdown; empty where leaving it out means that nothing is set."""
    if info.is_required():
        return "required"
    value = info.default
    if (
        info.default_factory is not None
        or value in (None, "", (), {}, PydanticUndefined)
        or isinstance(value, SpecModel)
    ):
        return ""
    return f"`{as_written(value)}`"


def as_written(value: object) -> str:
    """A default as it is written in YAML."""
    if isinstance(value, timedelta):
        return f"{value.days}d"
    return str(value).lower() if isinstance(value, bool) else str(value)
