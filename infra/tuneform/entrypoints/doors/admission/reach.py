"""What admission sees of a document: the object as it was written, nothing that it refers to, and no Project.

So a rule may be out of reach there, of all kinds or of some. It is then left out, and said to be, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args

from pydantic.fields import FieldInfo

from tuneform import specs
from tuneform.policy import Rule
from tuneform.policy.tokens import Reads, reads, tokens
from tuneform.specs.kinds import KINDS, SpecModel
from tuneform.specs.meaning.policies import FOLLOWED
from tuneform.specs.shape import nested

Defaults = Mapping[str, Mapping[str, str]]
"""Fields that a Project fills in, by kind, each with the name of the Project."""

INHERITED = frozenset(
    {("DatasetBucket", "location"), ("DatasetBucket", "bucketName"), ("EncryptionKey", "location")}
)
"""Fields that the Project decides where they are left out: a rule is asked where they are written."""
_SHORTHAND = {("Dataset", name) for name in ("training", "validation", "test")}
_LACKING = frozenset({"reverse"})
"""Functions of CEL's strings extension that came after the version of Kubernetes (2)."""


def rule_reads(rule: Rule) -> Reads:
    """All that decides whether a rule is kept; its message is another matter."""
    found = reads(rule.expression)
    return found | reads(rule.each) if rule.each else found


def defaults_of(tree: specs.Tree) -> Defaults:
    """What the Projects of a tree fill in."""
    found: dict[str, dict[str, str]] = {}
    for project in tree.of(specs.Project):
        for kind, given in project.spec.defaults.items():
            found.setdefault(kind, {}).update(dict.fromkeys(given, project.name))
    return found


def beyond(rule: Rule, kind: str, defaults: Defaults) -> str:
    """Why a rule cannot be asked of a kind at admission; empty where it can."""
    return next(_reasons(rule, kind, defaults), "")


def _reasons(rule: Rule, kind: str, defaults: Defaults) -> Iterator[str]:
    for match in rule.matches:
        if match.projects or match.platforms:
            yield "it is for some projects, and an object does not say which it is of"
        if match.labels:
            yield "it is for some labels, and those of the Project count, too"
        if any("[" in name for name in match.names):
            yield "it is for names by a pattern with brackets"
    yield from out_of_sight(rule_reads(rule), kind, defaults)
    for text in filter(None, (rule.expression, rule.each)):
        yield from lacking(text)


def lacking(text: str) -> Iterator[str]:
    """Functions that Kubernetes has not."""
    words = [word.text for word in tokens(text)]
    for before, name, after in zip(words, words[1:], words[2:], strict=False):
        if (before, after) == (".", "(") and name in _LACKING:
            yield f"it calls {name}(), which Kubernetes has not"


def out_of_sight(looks: Reads, kind: str, defaults: Defaults) -> Iterator[str]:
    """Why paths cannot be read of a kind."""
    for path in sorted(looks.all):
        root, *steps = path.split(".")
        if root in ("project", "data", "cost"):
            yield f"it reads {path}, and there is no such thing at admission"
        elif root == "object" and (reason := _of_object(path, kind, steps, path in looks.values)):
            yield reason
        elif root == "object" and len(steps) > 1 and steps[1] in defaults.get(kind, {}):
            yield f"it reads {path}, which the Project {defaults[kind][steps[1]]} fills in where it is left out"


def _of_object(path: str, kind: str, steps: Sequence[str], value: bool) -> str:
    match steps:
        case [] | ["metadata"] | ["spec"]:
            return f"it reads all of {path}, of which an object has what was written alone" if value else ""
        case ["metadata", "labels", *_]:
            return "it reads labels, and those of the Project count, too"
        case ["metadata", "project", *_]:
            return f"it reads {path}, and an object does not say which project it is of"
        case ["spec", field, *rest]:
            return _of_spec(path, kind, [field, *rest], value)
        case _:
            return ""


def _of_spec(path: str, kind: str, steps: Sequence[str], value: bool) -> str:
    field, *rest = steps
    followed = FOLLOWED.get((kind, field), frozenset())
    through = bool(followed) and ((rest[:1] and rest[0] in followed) or (not rest and value))
    if through or field in FOLLOWED.get((kind, ""), frozenset()):
        return f"it reads {path}, which is not in the object but behind a reference"
    if (kind, field) in _SHORTHAND and rest:
        return f"it reads {path}, which people may write in short"
    infos = list(along(kind, steps))
    if infos and infos[-1] is not None and _is_duration(infos[-1].annotation):
        return f"it reads {path}, a duration as people write it: 90d"
    return ""


def along(kind: str, steps: Sequence[str]) -> Iterator[FieldInfo | None]:
    """The fields that the steps of a path below spec lead through; None for what is none."""
    model: type[SpecModel] | None = KINDS.get(kind)
    for step in steps:
        info = field_of(model, step)
        yield info
        model = nested(info.annotation) if info is not None else None


def field_of(model: type[SpecModel] | None, name: str) -> FieldInfo | None:
    """A field by its name in YAML."""
    known = model.model_fields if model is not None else {}
    return next((info for attribute, info in known.items() if name in (info.alias, attribute)), None)


def _is_duration(annotation: Any) -> bool:
    return annotation is timedelta or any(_is_duration(one) for one in get_args(annotation))
