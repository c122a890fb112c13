"""A rule about one kind as Kubernetes asks it: CEL that is true of an object that keeps the rule, and what to say else.

The expression stays the rule's own. Written into it are its parameters, and the defaults of fields that are left out,
which nobody has filled in yet; before it stand the reasons for which an object need not keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticUndefined

from tuneform.entrypoints.doors.admission.reach import (
    INHERITED,
    Defaults,
    field_of,
    lacking,
    out_of_sight,
    rule_reads,
)
from tuneform.entrypoints.doors.documents import plain
from tuneform.policy import Exemption, Rule
from tuneform.policy.expressions import literal
from tuneform.policy.tokens import reads, rewritten
from tuneform.specs.kinds import KINDS, SpecModel
from tuneform.specs.shape import nested

_COMPUTED: Mapping[tuple[str, str], str] = {
    ("Project", "servingLocation"): "object.spec.location",
    ("Project", "stateBucket"): "object.spec.projectId + '-tuneform-state'",
    ("ServiceAccount", "accountId"): "object.metadata.name",
    ("EncryptionKey", "keyName"): "object.metadata.name",
}
"""What a field is where it is left out, if that is in the object too."""


@dataclass(frozen=True)
class Validation:
    """One entry of `validations`. `message` is for where there is no expression for it, or it has no value."""

    expression: str
    message: str
    message_expression: str

    def as_object(self) -> dict[str, str]:
        """The entry as Kubernetes has it."""
        more = {"messageExpression": self.message_expression} if self.message_expression else {}
        return {"expression": self.expression, "message": self.message, **more, "reason": "Invalid"}


def validation(rule: Rule, kind: str, exemptions: Sequence[Exemption], defaults: Defaults) -> Validation:
    """A rule that is within reach, asked of a kind."""
    write = _Writer(rule, kind)
    held = f"({write.text(rule.expression)}) == true"
    broken = ""
    if rule.each:
        narrowed = [e for e in exemptions if e.field and "{item}" in rule.field]
        held = " || ".join([*(_of_item(rule, one) for one in narrowed), held])
        each = f"({write.text(rule.each)})"
        broken = f"{each}.filter(item, !({held}))"
        held = f"{each}.all(item, {held})"
    excused = [*_guards(rule, kind), *_excused(rule, exemptions)]
    first, rest = f"{rule.id}: ", "".join(f"; {' '.join(part.split())}" for part in _advice(rule))
    plain_words = (rule.message or f"the rule {rule.name} is not kept").replace("{item}", "…")
    said = _said(rule, kind, write, defaults)
    if said and rule.each:
        said = f"{broken}.map(item, {said}).join(', ')"
    return Validation(
        expression=" || ".join([*excused, f"({held})" if excused else held]),
        message=f"{first}{' '.join(plain_words.split())}{rest}",
        message_expression=f"{literal(first)} + {said} + {literal(rest)}" if said else "",
    )


def _said(rule: Rule, kind: str, write: _Writer, defaults: Defaults) -> str:
    """CEL for what is wrong, of one item where there are items; empty where the plain words must do."""
    text = rule.message_expression
    if not text and rule.each and rule.message:
        text = " + string(item) + ".join(map(literal, rule.message.split("{item}")))
    if not text or next(out_of_sight(reads(text), kind, defaults), "") or next(lacking(text), ""):
        return ""
    return f"string({write.text(text)})"


def _advice(rule: Rule) -> Iterator[str]:
    if rule.remedy:
        yield rule.remedy
    if rule.why:
        yield f"why: {rule.why}"


def _guards(rule: Rule, kind: str) -> Iterator[str]:
    """What makes a rule be about other objects."""
    yield f"object.kind != {literal(kind)}"
    for match in rule.matches:
        if match.names:
            pattern = "|".join(map(_pattern, match.names))
            yield f"!object.metadata.name.matches({literal(f'^({pattern})$')})"
    for field in inherited(rule, kind):
        yield f"!has(object.spec.{field})"


def inherited(rule: Rule, kind: str) -> list[str]:
    """Fields that a rule reads and the Project decides where they are left out."""
    seen = {tuple(path.split(".")[1:3]) for path in rule_reads(rule).all if path.startswith("object.spec.")}
    return [field for about, field in sorted(INHERITED) if about == kind and ("spec", field) in seen]


def _pattern(name: str) -> str:
    return re.escape(name).replace(r"\*", ".*").replace(r"\?", ".")


def _excused(rule: Rule, exemptions: Sequence[Exemption]) -> Iterator[str]:
    """The objects that need not keep it as a whole."""
    whole = [
        one.name
        for one in exemptions
        if not one.field or ("{item}" not in rule.field and _below(rule.field, one.field))
    ]
    if whole:
        yield f"object.metadata.name in {literal(sorted(set(whole)))}"


def _below(path: str, field: str) -> bool:
    return path == field or path.startswith(f"{field}.")


def _of_item(rule: Rule, one: Exemption) -> str:
    """An exception of one field, where each item has a field of its own."""
    before, _, after = rule.field.partition("{item}")
    path = f"{literal(before)} + string(item) + {literal(after)}"
    covered = f"{path} == {literal(one.field)} || ({path}).startsWith({literal(f'{one.field}.')})"
    return f"(object.metadata.name == {literal(one.name)} && ({covered}))"


class _Writer:
    """Writes the paths of expressions: parameters as their values, fields with their defaults."""

    def __init__(self, rule: Rule, kind: str) -> None:
        self._kind = kind
        self._params = _mixed(dict(rule.params))

    def text(self, expression: str) -> str:
        return rewritten(expression, self._path)

    def _path(self, steps: tuple[str, ...], asked: bool) -> str:
        root, *rest = steps
        if root == "params":
            path = "".join([self._params, *(f".{step}" for step in rest)])
            return f"has({path})" if asked else path
        if root != "object":
            path = ".".join(steps)
            return f"has({path})" if asked else path
        if rest[:1] == ["spec"]:
            return self._spec(rest[1:], asked)
        if rest[:2] == ["metadata", "annotations"]:
            here = _or("object.metadata", "annotations", "{}")
            path = "".join([here, *(f"[{literal(step)}]" for step in rest[2:])])
            if asked:
                return f"({literal(rest[2])} in {here})" if rest[2:] else "true"
            return path
        return f"has({'.'.join(steps)})" if asked else ".".join(steps)

    def _spec(self, steps: Sequence[str], asked: bool) -> str:
        path, model = "object.spec", KINDS.get(self._kind)
        for index, step in enumerate(steps):
            info = field_of(model, step)
            default = self._default(info, step, below=index > 0)
            if asked and index == len(steps) - 1:
                return "true" if default else f"has({path}.{step})"
            path = _or(path, step, default) if default else f"{path}.{step}"
            model = nested(info.annotation) if info is not None else None
        return "true" if asked else path

    def _default(self, info: Any, step: str, *, below: bool) -> str:
        """CEL for what a field is where it is left out; empty where it then is nothing."""
        if not below and (self._kind, step) in _COMPUTED:
            return _COMPUTED[self._kind, step]
        if info is None or (not below and (self._kind, step) in INHERITED):
            return ""
        found = info.default
        if found is None or found is PydanticUndefined:
            return ""
        return "{}" if isinstance(found, SpecModel) else _mixed(plain(found))


def _or(path: str, field: str, default: str) -> str:
    return f"{path}.?{field}.orValue({default})"


def _mixed(value: Any) -> str:
    """A literal in which types are mixed, which Kubernetes wants said."""
    match value:
        case dict():
            return (
                "{"
                + ", ".join(f"{literal(str(name))}: dyn({_mixed(one)})" for name, one in value.items())
                + "}"
            )
        case list() | tuple():
            mixed = len({type(one) for one in value}) > 1
            return "[" + ", ".join(f"dyn({_mixed(one)})" if mixed else _mixed(one) for one in value) + "]"
        case _:
            return literal(value)
