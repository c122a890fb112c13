"""One document read with its model: pydantic's errors brought back to the places they are about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import KINDS, Ref, SpecModel
from tuneform.specs.kinds.base import shown
from tuneform.specs.shape import Step, did_you_mean, fields, model_at
from tuneform.specs.text.nodes import MappingNode, Node, ScalarNode, Value
from tuneform.specs.text.parse import MAX_FOUND, TOO_MANY
from tuneform.specs.tree import Origin, Written
from tuneform.specs.typed.layers import without_nulls

API_VERSION = "tuneform.dev/v1"
PARTS = ("apiVersion", "kind", "metadata", "spec", "in")
REQUIRED_PARTS = frozenset(PARTS[:-1])
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_BOOLISH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
OURS = re.compile(r"E\d{3}")
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]+)?%")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_NUMBERISH = re.compile(r"[-+]?[0-9][0-9_:.xobXOBa-fA-F]*")
ModelT = TypeVar("ModelT", bound=SpecModel)


def _text(node: Node, *path: str) -> str:
    for step in path:
        if not isinstance(node, MappingNode) or step not in node.entries:
            return ""
        node = node.entries[step][1]
    return node.text if isinstance(node, ScalarNode) else ""


class Reader:
    """Reads one document and gathers what is wrong with it."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.found: list[Diagnostic] = []

    def report(self, code: str, message: str, *path: Step, key: bool = False, hint: str = "") -> None:
        """Gather an error at a path of the outcome, wherever that is written."""
        self.report_at(self.origin.written(*path), code, message, key=key, hint=hint)

    def report_at(
        self, place: Written, code: str, message: str, *, key: bool = False, hint: str = ""
    ) -> None:
        """Gather an error at a place that is known."""
        self.found.append(self.origin.diagnostic_at(place, code, message, key=key, hint=hint))

    def text(self, *path: str) -> str:
        """The text at a path, whatever it means; empty where there is none."""
        return _text(self.origin.root, *path)

    def envelope(self) -> str | None:
        """Checks apiVersion and the names of the parts; returns the kind when it is one we know."""
        entries = self.origin.values
        known_kind = entries.get("kind")
        if (
            entries.get("apiVersion") == API_VERSION
            and isinstance(known_kind, str)
            and known_kind in KINDS
            and all(name in PARTS for name in entries)
        ):
            return known_kind
        version, kind = self.text("apiVersion"), self.text("kind")
        if version != API_VERSION:
            message = (
                f"apiVersion {shown(version)} is not known"
                if "apiVersion" in entries
                else "missing field 'apiVersion'"
            )
            self.report("E120", message, "apiVersion", hint=f"write apiVersion: {API_VERSION}")
        unknown = [name for name in entries if name not in PARTS]
        for name in unknown[:MAX_FOUND]:
            hint = did_you_mean(
                name, PARTS, "a document has apiVersion, kind, metadata, spec and, for several projects, in"
            )
            self.report("E123", f"unknown field {shown(name)}", name, key=True, hint=hint)
        if len(unknown) > MAX_FOUND:
            self.report("E114", TOO_MANY, unknown[MAX_FOUND], key=True)
        if kind in KINDS:
            return kind
        known = ", ".join(KINDS)
        if "kind" in entries:
            self.report(
                "E121",
                f"{shown(kind)} is not a kind",
                "kind",
                hint=did_you_mean(kind, list(KINDS), f"the kinds are {known}"),
            )
        else:
            self.report("E121", "missing field 'kind'", hint=f"the kinds are {known}")
        return None

    def part(self, name: str, model: type[ModelT]) -> ModelT | None:
        """metadata or spec as its model. Unknown fields are reported and left out, so that the rest is checked."""
        if name not in self.origin.values:
            self.report("E124", f"missing field {name!r}")
            return None
        value = self.origin.values[name]
        before = len(self.found)
        made, errors = _validated(model, value)
        self._translate_all(name, model, errors)
        if made is None and all(d.code in {"E123", "E131"} for d in self.found[before:]):
            # Only fields that could be left out: what remains is looked at by the later checks.
            made, _ = _validated(model, _without_unknown(model, value))
        return made

    def look_at_part(self, name: str, model: type[SpecModel]) -> None:
        """Gather what is wrong with a part that need not be whole: other layers may say the rest, or null."""
        value = self.origin.values.get(name)
        if isinstance(value, dict):
            _, errors = _validated(model, without_nulls(model, value))
            self._translate_all(
                name, model, [error for error in errors if not _about_the_whole(model, error)]
            )

    def _translate_all(self, name: str, model: type[SpecModel], errors: Sequence[ErrorDetails]) -> None:
        for error in errors[:MAX_FOUND]:
            self._translate(name, model, error)
        if len(errors) > MAX_FOUND:
            self.report("E114", TOO_MANY, name, key=True)

    def _translate(self, part: str, model: type[SpecModel], error: ErrorDetails) -> None:
        loc = tuple(error["loc"])
        key = bool(loc) and loc[-1] == "[key]"
        path: tuple[Step, ...] = loc[:-1] if key else loc
        kind, context = error["type"], error.get("ctx", {})
        if kind == "missing":
            self._missing(part, model, path)
        elif kind == "extra_forbidden":
            self._unknown(part, model, path)
        elif kind == "literal_error":
            self._not_a_choice(part, model, path, error["input"])
        elif kind in _EXPECTED:
            self._wrong_type(part, model, path, kind, error["input"])
        elif kind == "too_short":
            self.report("E127", f"{_field(path)}: nothing is in it, and one is the least", part, *path)
        elif kind == "E124" and context["at"]:  # a validator's: one of several fields is missing
            self._missing(part, model, (*path[:-1], *context["at"]), hint=context["hint"])
        elif OURS.fullmatch(kind):
            self._of_our_own(kind, part, path, context, key=key)
        else:
            message = re.sub(r"^\w+ should ", "", error["msg"])
            self.report(
                "E127", f"{_field(path)}: {shown(error['input'])} should {message}", part, *path, key=key
            )

    def _of_our_own(
        self, kind: str, part: str, path: tuple[Step, ...], context: Mapping[str, Any], *, key: bool
    ) -> None:
        """An error that a kind raised; one about a mapping as a whole stands in the strongest of its layers."""
        message = f"{_field(path)}: {context['message']}" if path else context["message"]
        place = self.origin.written(part, *path, *context["at"])
        hint = context["hint"]
        if not context["at"] and not key:
            place = self._strongest((part, *path)) or place
        elif not hint and self.origin.project and place.path[:1] != ("in",):
            inner = "".join(f"{{{step}: " for step in (self.origin.project, *path, *context["at"]))
            hint = f"or take it away there: in: {inner}null{'}' * inner.count('{')}"
        self.report_at(place, kind, message, key=key, hint=hint)

    def _strongest(self, path: tuple[Step, ...]) -> Written | None:
        """The mapping in `in` that says a part of the mapping at a path of the outcome."""
        parts = (at for inner, at in self.origin.layers.items() if inner[: len(path)] == path)
        over = next((at for at in parts if at.path[0] == "in"), None)
        return replace(over, path=("in", self.origin.project, *path[1:])) if over else None

    def _missing(self, part: str, model: type[SpecModel], path: Sequence[Step], *, hint: str = "") -> None:
        around = (part, *path[:-1])
        message = f"missing field {path[-1]!r} in {dotted(self.origin.written(*around).path)}"
        null = self.origin.layers.get((part, *path))
        if null is not None:
            self.report_at(null, "E124", message, hint="null takes it away: leave that out, or give a value")
            return
        inner = model_at(model, path[:-1])
        hint = hint or ("write {ref: name}" if inner and issubclass(inner, Ref) else "")
        self.report("E124", message, *around, key=True, hint=hint)

    def _unknown(self, part: str, model: type[SpecModel], path: Sequence[Step]) -> None:
        name, inner = str(path[-1]), model_at(model, path[:-1])
        around = self.origin.written(part, *path).path[:-1]
        if inner and name in inner.not_yet:
            self.report(
                "E131", f"{name!r} is not supported yet", part, *path, key=True, hint=inner.not_yet[name]
            )
            return
        known = list(fields(inner)) if inner else []
        hint = did_you_mean(name, known)
        if around[:1] == ("in",) and len(path) == 1 and name in PARTS:
            hint = f"write its fields directly below {around[1]}"
        if not hint:
            deeper = (
                [f.name for f in fields(inner).values() if f.model and name in fields(f.model)]
                if inner
                else []
            )
            hint = f"it belongs in {deeper[0]!r}" if deeper else f"known here: {', '.join(known)}"
        self.report(
            "E123",
            f"unknown field {shown(name)} in {dotted(around)}",
            part,
            *path,
            key=True,
            hint=hint,
        )

    def _not_a_choice(self, part: str, model: type[SpecModel], path: Sequence[Step], value: object) -> None:
        *around, name = [step for step in path if isinstance(step, str)]  # a choice may be one of a list
        inner = model_at(model, around)
        field = fields(inner).get(name) if inner else None
        later = inner.values_not_yet.get(name, ()) if inner else ()
        choices = field.choices if field else ()
        listed = ", ".join(choices)
        if value in later:
            self.report(
                "E131",
                f"{_field(path)} {value} is not supported yet",
                part,
                *path,
                hint=f"supported: {listed}",
            )
        elif isinstance(value, str):
            hint = did_you_mean(value, choices)
            self.report(
                "E126", f"{_field(path)}: {shown(value)} is not one of {listed}", part, *path, hint=hint
            )
        else:
            self.report(
                "E125", f"{_field(path)}: expected one of {listed}, found {described(value)}", part, *path
            )

    def _wrong_type(
        self, part: str, model: type[SpecModel], path: Sequence[Step], kind: str, value: object
    ) -> None:
        inner = model_at(model, path)
        hint = ""
        if kind == "string_type" and isinstance(value, bool | int | float):
            hint = "put it in quotes to make it text"
        elif kind == "bool_type" and isinstance(value, str) and value.lower() in _BOOLISH:
            hint = f"write {_BOOLISH[value.lower()]}: only true and false are truth values here"
        elif kind in {"int_type", "float_type"} and isinstance(value, str):
            hint = _number_hint(value)
        elif kind == "model_type" and inner and issubclass(inner, Ref) and isinstance(value, str):
            hint = f"write {{ref: {value}}}"
        elif kind == "tuple_type" and isinstance(value, str):
            hint = f"write [{value}]"
        self.report(
            "E125",
            f"{_field(path) or part}: expected {_EXPECTED[kind]}, found {described(value)}",
            part,
            *path,
            hint=hint,
        )


def _validated(model: type[ModelT], value: Value) -> tuple[ModelT | None, list[ErrorDetails]]:
    """The model of a value, or what pydantic says is wrong with it."""
    try:
        return model.model_validate(value, by_alias=True, by_name=False), []
    except ValidationError as invalid:
        return None, _of_their_own(invalid.errors(include_url=False))


def _of_their_own(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """The errors that do not follow from others: a default that needs another field, a list whose items are wrong."""
    return [
        error
        for error in errors
        if error["type"] != "default_factory_not_called"
        and not (
            error["type"] == "too_short"
            and any(
                other["loc"][: len(error["loc"])] == error["loc"] for other in errors if other is not error
            )
        )
    ]


def _about_the_whole(model: type[SpecModel], error: ErrorDetails) -> bool:
    """Whether an error is about what a mapping that merges says in all: with other layers it may be otherwise."""
    path = error["loc"]
    if error["type"] in {"missing", "E124"}:
        path = path[:-1]
    elif not OURS.fullmatch(error["type"]):
        return False
    around = [model_at(model, path[:end]) for end in range(len(path) + 1)]
    if any(isinstance(step, int) for step in path) or around[-1] is None:
        return False
    return not any(inner is not None and inner.replaced for inner in around)


def _number_hint(text: str) -> str:
    """How a number is written that was written as text."""
    if _PERCENT.fullmatch(text):
        return f"write {float(text[:-1]) / 100:g}"
    if _THOUSANDS.fullmatch(text):
        return f"write {text.replace(',', '_')}"
    if "#" in text and text.partition("#")[0].isdecimal():
        return "a comment needs a space before its #"
    if _NUMBERISH.fullmatch(text):
        return "write a plain decimal number, without quotes, leading zeros or colons"
    return ""


def _without_unknown(model: type[SpecModel] | None, value: Any) -> Any:
    if model is not None and isinstance(value, dict):
        known = fields(model)
        kept: Mapping[str, Any] = {
            name: _without_unknown(known[name].model, inner) for name, inner in value.items() if name in known
        }
        return kept
    if isinstance(value, tuple):
        return tuple(_without_unknown(model, item) for item in value)
    return value


def _field(path: Sequence[Step]) -> str:
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    return name if name.isprintable() else shown(name)


def dotted(path: Sequence[Step]) -> str:
    """A path as people write it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def described(value: object) -> str:
    """What was found, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, tuple) else "a mapping"
