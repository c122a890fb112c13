"""Nodes to typed documents: pydantic's errors brought back to the places they are about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import KINDS, KINDS_NOT_YET, Metadata, Ref, SpecModel
from tuneform.specs.kinds.base import shown
from tuneform.specs.shape import Step, did_you_mean, fields, model_at
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.nodes import MappingNode, Node, ScalarNode, Value
from tuneform.specs.text.parse import MAX_FOUND, TOO_MANY
from tuneform.specs.tree import Origin

API_VERSION = "tuneform.dev/v1"
_PARTS = ("apiVersion", "kind", "metadata", "spec")
_ALL_PARTS = frozenset(_PARTS)
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_CONFLICT = "git leaves such lines where two changes met: keep one of them"
_BOOLISH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]+)?%")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_NUMBERISH = re.compile(r"[-+]?[0-9][0-9_:.xobXOBa-fA-F]*")
ModelT = TypeVar("ModelT", bound=SpecModel)


@dataclass(frozen=True)
class Draft:
    """A document as far as it could be read; `metadata` and `spec` are None where they are wrong.

    `name` and `project` are as written in metadata, even when other metadata is wrong; empty when not written.
    """

    kind: str
    name: str
    project: str
    metadata: Metadata | None
    spec: SpecModel | None
    origin: Origin


def draft(file: SpecFile, number: int, value: Value) -> tuple[Draft | None, Sequence[Diagnostic]]:
    """One document from its value, and everything that is wrong with it by itself."""
    if not isinstance(value, dict) or not any(name in value for name in _PARTS):
        message = "a document must be a mapping with apiVersion, kind, metadata and spec"
        start = file.parsed.roots[number].start
        hint = _CONFLICT if file.source.text.startswith("<<<<<<<", start) else ""
        return None, [file.source.diagnostic("E122", message, start, hint=hint)]
    origin = Origin(file, number, value)
    sound = _sound(origin)
    if sound is not None:
        return sound, ()
    reader = _Reader(origin)
    kind = reader.envelope()
    metadata = reader.part("metadata", Metadata)
    if kind is None:
        return None, reader.found
    name, project = (_text(origin.root, "metadata", field) for field in ("name", "project"))
    return Draft(kind, name, project, metadata, reader.part("spec", KINDS[kind]), origin), reader.found


def _sound(origin: Origin) -> Draft | None:
    """The document where nothing is wrong with it, made without a look at its places."""
    kind, metadata = origin.values.get("kind"), origin.values.get("metadata")
    if (
        origin.values.keys() != _ALL_PARTS
        or origin.values["apiVersion"] != API_VERSION
        or not (isinstance(kind, str) and kind in KINDS and isinstance(metadata, dict))
        # Null here is a word that was written, and looked up as the name of a project.
        or metadata.get("project", "") is None
    ):
        return None
    try:
        who = Metadata.model_validate(metadata, by_alias=True, by_name=False)
        spec = KINDS[kind].model_validate(origin.values["spec"], by_alias=True, by_name=False)
    except ValidationError:
        return None
    return Draft(kind, who.name, who.project or "", who, spec, origin)


def _text(node: Node, *path: str) -> str:
    for step in path:
        if not isinstance(node, MappingNode) or step not in node.entries:
            return ""
        node = node.entries[step][1]
    return node.text if isinstance(node, ScalarNode) else ""


class _Reader:
    """Reads one document and gathers what is wrong with it."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.found: list[Diagnostic] = []

    def report(self, code: str, message: str, *path: Step, key: bool = False, hint: str = "") -> None:
        self.found.append(self.origin.diagnostic(code, message, *path, key=key, hint=hint))

    def envelope(self) -> str | None:
        """Checks apiVersion and the names of the parts; returns the kind when it is one we know."""
        entries = self.origin.values
        version, kind = _text(self.origin.root, "apiVersion"), _text(self.origin.root, "kind")
        if version != API_VERSION:
            message = (
                f"apiVersion {shown(version)} is not known"
                if "apiVersion" in entries
                else "missing field 'apiVersion'"
            )
            self.report("E120", message, "apiVersion", hint=f"write apiVersion: {API_VERSION}")
        unknown = [name for name in entries if name not in _PARTS]
        for name in unknown[:MAX_FOUND]:
            hint = did_you_mean(name, _PARTS, "a document has apiVersion, kind, metadata and spec")
            self.report("E123", f"unknown field {shown(name)}", name, key=True, hint=hint)
        if len(unknown) > MAX_FOUND:
            self.report("E114", TOO_MANY, unknown[MAX_FOUND], key=True)
        if kind in KINDS:
            return kind
        known = ", ".join(KINDS)
        if kind in KINDS_NOT_YET:
            self.report("E131", f"kind {kind} is not supported yet", "kind", hint=KINDS_NOT_YET[kind])
        elif "kind" in entries:
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
        made = self._validate(name, model, value)
        if made is None and all(d.code in {"E123", "E131"} for d in self.found[before:]):
            # Only fields that could be left out: what remains is looked at by the later checks.
            quiet = _Reader(self.origin)
            made = quiet._validate(name, model, _without_unknown(model, value))
        return made

    def _validate(self, name: str, model: type[ModelT], value: Value) -> ModelT | None:
        try:
            return model.model_validate(value, by_alias=True, by_name=False)
        except ValidationError as invalid:
            errors = _of_their_own(invalid.errors(include_url=False))
            for error in errors[:MAX_FOUND]:
                self._translate(name, model, error)
            if len(errors) > MAX_FOUND:
                self.report("E114", TOO_MANY, name, key=True)
        return None

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
        elif re.fullmatch(r"E\d{3}", kind):
            self.report(
                kind,
                self._named(path, error["msg"]),
                part,
                *path,
                *context["at"],
                key=key,
                hint=context["hint"],
            )
        else:
            message = re.sub(r"^\w+ should ", "", error["msg"])
            self.report(
                "E127", f"{_field(path)}: {shown(error['input'])} should {message}", part, *path, key=key
            )

    def _named(self, path: Sequence[Step], message: str) -> str:
        return f"{_field(path)}: {message}" if path else message

    def _missing(self, part: str, model: type[SpecModel], path: Sequence[Step]) -> None:
        around = (part, *path[:-1])
        inner = model_at(model, path[:-1])
        hint = "write {ref: name}" if inner and issubclass(inner, Ref) else ""
        self.report("E124", f"missing field {path[-1]!r} in {_dotted(around)}", *around, key=True, hint=hint)

    def _unknown(self, part: str, model: type[SpecModel], path: Sequence[Step]) -> None:
        name, inner = str(path[-1]), model_at(model, path[:-1])
        if inner and name in inner.not_yet:
            self.report(
                "E131", f"{name!r} is not supported yet", part, *path, key=True, hint=inner.not_yet[name]
            )
            return
        known = list(fields(inner)) if inner else []
        hint = did_you_mean(name, known)
        if not hint:
            deeper = (
                [f.name for f in fields(inner).values() if f.model and name in fields(f.model)]
                if inner
                else []
            )
            hint = f"it belongs in {deeper[0]!r}" if deeper else f"known here: {', '.join(known)}"
        self.report(
            "E123",
            f"unknown field {shown(name)} in {_dotted((part, *path[:-1]))}",
            part,
            *path,
            key=True,
            hint=hint,
        )

    def _not_a_choice(self, part: str, model: type[SpecModel], path: Sequence[Step], value: object) -> None:
        inner = model_at(model, path[:-1])
        field = fields(inner).get(str(path[-1])) if inner else None
        later = inner.values_not_yet.get(str(path[-1]), ()) if inner else ()
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
                "E125", f"{_field(path)}: expected one of {listed}, found {_described(value)}", part, *path
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
            f"{_field(path) or part}: expected {_EXPECTED[kind]}, found {_described(value)}",
            part,
            *path,
            hint=hint,
        )


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


def _dotted(path: Sequence[Step]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _described(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, tuple) else "a mapping"
