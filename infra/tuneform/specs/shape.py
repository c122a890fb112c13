"""What a kind looks like from outside: fields by their YAML names, nested models, choices, references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from tuneform.specs.kinds import SpecModel
from tuneform.specs.kinds.base import Referring
from tuneform.specs.text.nodes import Value

Step = str | int
# Nobody mistypes more than this, and difflib's time grows with the square of it.
_LONGEST_WORD = 80


@dataclass(frozen=True)
class Field:
    """One field of a model: `model` when its value, or the items of its list, are mappings of their own."""

    name: str
    attribute: str
    model: type[SpecModel] | None
    choices: tuple[str, ...]
    required: bool


@cache
def fields(model: type[SpecModel]) -> dict[str, Field]:
    """The fields of a model by the names they have in YAML."""
    return {
        (info.alias or attribute): Field(
            name=info.alias or attribute,
            attribute=attribute,
            model=nested(info.annotation),
            choices=tuple(_choices(info.annotation)),
            required=info.is_required(),
        )
        for attribute, info in model.model_fields.items()
    }


def nested(annotation: Any) -> type[SpecModel] | None:
    """The model that a field holds, also in a list or where it may be left out."""
    if isinstance(annotation, type) and issubclass(annotation, SpecModel):
        return annotation
    return next((model for arg in get_args(annotation) if (model := nested(arg))), None)


def _choices(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (value for value in get_args(annotation) if isinstance(value, str))
    else:
        for arg in get_args(annotation):
            yield from _choices(arg)


def model_at(model: type[SpecModel], path: Sequence[Step]) -> type[SpecModel] | None:
    """The model of the value at `path`, seen from `model`; None when there is no model there."""
    found: type[SpecModel] | None = model
    for step in path:
        if isinstance(step, int):
            continue
        known = fields(found).get(step) if found else None
        found = known.model if known else None
    return found


def nearest(word: str, words: Sequence[str]) -> str:
    """The word that was probably meant, or an empty string. Case does not count."""
    if len(word) > _LONGEST_WORD:
        return ""
    folded = {known.lower(): known for known in words}
    close = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def did_you_mean(word: str, words: Sequence[str], otherwise: str = "") -> str:
    """A hint with the word that was probably meant, else `otherwise`."""
    meant = nearest(word, words)
    return f"did you mean {meant!r}?" if meant else otherwise


class Reference(NamedTuple):
    """`{ref: name}` as written, found in the values so that a document that is wrong elsewhere is checked too."""

    path: tuple[Step, ...]
    target: str
    name: str


def references(model: type[SpecModel], value: Value, path: tuple[Step, ...] = ()) -> list[Reference]:
    """Every reference under `value`, which is written for `model`."""
    found: list[Reference] = []
    _gather(found, model, value, path)
    return found


def _gather(found: list[Reference], model: type[SpecModel], value: Value, path: tuple[Step, ...]) -> None:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            _gather(found, model, item, (*path, index))
    elif not isinstance(value, dict):
        return
    elif issubclass(model, Referring):
        name = value.get("ref")
        if isinstance(name, str):
            found.append(Reference((*path, "ref"), model.target, name))
    else:
        for step, inner_model in _leading_to_references(model).items():
            if step in value:
                _gather(found, inner_model, value[step], (*path, step))


@cache
def _leading_to_references(model: type[SpecModel]) -> dict[str, type[SpecModel]]:
    """The fields whose model is a reference, or holds one."""
    return {
        field.name: field.model
        for field in fields(model).values()
        if field.model and (issubclass(field.model, Referring) or _leading_to_references(field.model))
    }
