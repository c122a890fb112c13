"""The JSON Schema (2020-12) of the spec language, for editors and other programs.

It says what a document looks like by itself: fields, types, choices, forms of names. What needs a second document, a
dataset or a document of Google's is said by `tuneform check` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema
from pydantic_core import PydanticUndefined

from tuneform.specs.kinds import KINDS, Metadata, Project, SpecModel
from tuneform.specs.reference.documentation import as_written, meanings, text
from tuneform.specs.shape import fields, nested
from tuneform.specs.typed import API_VERSION
from tuneform.specs.typed.layers import merging

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of one document of any kind."""
    parts: list[type[SpecModel]] = [Metadata, *KINDS.values()]
    _, made = models_json_schema([(part, "validation") for part in parts], by_alias=True)
    definitions: dict[str, Any] = made["$defs"]
    models = {inner.__name__: inner for part in parts for inner in _models(part)}
    for model in models.values():
        _describe(definitions[model.__name__], model)
    for model in (inner for kind in KINDS.values() for inner in _merged(kind)):
        definitions[f"{model.__name__}Part"] = _part(definitions[model.__name__], model)
    definitions["Project"]["properties"]["defaults"] |= _defaults()
    definitions["Metadata"]["not"] = {"required": ["project", "projects"]}
    return {
        "$schema": DIALECT,
        "title": "A tuneform document",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": API_VERSION, "description": "The version of the language."},
            "kind": {"enum": list(KINDS), "description": "What the document describes."},
            "metadata": {"$ref": "#/$defs/Metadata"},
            "spec": {"type": "object", "description": "What is wanted."},
            "in": {
                "type": "object",
                "description": "What differs in each of metadata.projects, by its name: a part of the spec.",
            },
        },
        "allOf": [_when(kind) for kind in KINDS],
        "$defs": definitions,
    }


def as_text() -> str:
    """The schema as a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _when(kind: str) -> dict[str, Any]:
    """What `spec` and `in` are for one kind. Where something is said `in` a project, `spec` need not be whole."""
    whole, part = {"$ref": f"#/$defs/{kind}"}, {"$ref": f"#/$defs/{kind}Part"}
    of_the_kind = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    if kind == Project.__name__:
        none: dict[str, Any] = {"properties": {"project": False, "projects": False}}
        return {"if": of_the_kind, "then": {"properties": {"metadata": none, "spec": whole, "in": False}}}
    several = {
        "properties": {
            "metadata": {"required": ["projects"]},
            "spec": part,
            "in": {"additionalProperties": part},
        }
    }
    one = {"properties": {"spec": whole}}
    return {"if": of_the_kind, "then": {"if": {"required": ["in"]}, "then": several, "else": one}}


def _defaults() -> dict[str, Any]:
    """A Project's defaults: for each other kind a part of its spec, without what names one live thing."""
    kinds = {name: model for name, model in KINDS.items() if model is not Project}
    return {
        "additionalProperties": False,
        "properties": {
            name: {
                "allOf": [
                    {"$ref": f"#/$defs/{name}Part"},
                    {"properties": dict.fromkeys(sorted(model.identifying), False)},
                ]
            }
            for name, model in kinds.items()
        },
    }


def _part(whole: dict[str, Any], model: type[SpecModel]) -> dict[str, Any]:
    """A part of what a model describes: nothing is required, and null takes away."""
    properties = {}
    for name, said in whole["properties"].items():
        inner = merging(model, name)
        there = f"{inner.__name__}Part" if inner else f"{model.__name__}/properties/{name}"
        value = [{"$ref": f"#/$defs/{there}"}, {"type": "null"}]
        properties[name] = {"description": said["description"], "anyOf": value}
    said_of_all = {key: whole[key] for key in ("type", "description", "additionalProperties")}
    return {**said_of_all, "properties": properties}


def _models(model: type[SpecModel]) -> Iterator[type[SpecModel]]:
    yield model
    for info in model.model_fields.values():
        inner = nested(info.annotation)
        if inner is not None:
            yield from _models(inner)


def _merged(model: type[SpecModel]) -> Iterator[type[SpecModel]]:
    """The models of which a part may be said."""
    if model is not Project:
        yield model
        for name in fields(model):
            if (inner := merging(model, name)) is not None:
                yield from _merged(inner)


def _describe(definition: dict[str, Any], model: type[SpecModel]) -> None:
    """Put in what the fields mean; take out what pydantic adds for programs of its own."""
    definition["description"] = text(model.__doc__)
    definition.pop("title", None)
    said = meanings(model)
    for attribute, info in model.model_fields.items():
        name = info.alias or attribute
        field = definition["properties"][name] = _bounded(definition["properties"][name])
        field.pop("title", None)
        field.pop("default", None)
        if attribute in said:
            field["description"] = said[attribute]
        if not info.is_required() and _says_something(info.default):
            field["default"] = (
                info.default if isinstance(info.default, bool | int | float) else as_written(info.default)
            )


def _bounded(field: Any) -> Any:
    """The same with JSON Schema's names for bounds: pydantic leaves its own where a validator of ours comes first."""
    if isinstance(field, dict):
        return {_BOUNDS.get(name, name): _bounded(value) for name, value in field.items()}
    return [_bounded(value) for value in field] if isinstance(field, list) else field


def _says_something(default: object) -> bool:
    empty: tuple[object, ...] = (None, "", (), {})
    return default is not PydanticUndefined and not isinstance(default, SpecModel) and default not in empty
