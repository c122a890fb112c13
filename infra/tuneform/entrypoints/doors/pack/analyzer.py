"""A policy pack for Pulumi, written by `tuneform policy pack`: the rules in policies.json, asked as documents are.

The engine starts it; by hand it serves the engine's Analyzer protocol on a port that it prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from tuneform.policy.packed import Answer, Question, TamperedError, questions, restored
from tuneform.policy.shapes import UNKNOWN, Resource

LEVELS = {
    "deny": EnforcementLevel.MANDATORY,
    "warn": EnforcementLevel.ADVISORY,
    "audit": EnforcementLevel.DISABLED,
}


def main() -> None:
    """Serve the rules until the engine ends us."""
    written = json.loads(Path(__file__).with_name("policies.json").read_text(encoding="utf-8"))
    try:
        sets = restored(written)
    except TamperedError as error:
        sys.exit(f"error: {error}\n   = remedy: write the pack anew with `tuneform policy pack`")
    asked = questions(sets, datetime.now(UTC).date())
    PolicyPack(
        name=written["name"],
        policies=[_policy(question) for question in asked],
        description=f"{len(asked)} policies of tuneform, {written['digest']}",
    )


def _policy(question: Question) -> Any:
    made = StackValidationPolicy if question.stack else ResourceValidationPolicy
    return made(
        name=question.name,
        description=question.description,
        enforcement_level=LEVELS[question.enforcement],
        validate=_stack(question) if question.stack else _resource(question),
        remediation_steps=question.remedy or None,
    )


def _resource(question: Question) -> Callable[..., None]:
    def validate(args: ResourceValidationArgs, report: Callable[..., None]) -> None:
        _tell(question.of_resource(_read(args)), args, report)

    return validate


def _stack(question: Question) -> Callable[..., None]:
    def validate(args: StackValidationArgs, report: Callable[..., None]) -> None:
        _tell(question.of_stack([_read(one) for one in args.resources]), args, report)

    return validate


def _tell(answer: Answer, args: Any, report: Callable[..., None]) -> None:
    for text, urn in answer.violations:
        report(text, urn)
    if answer.notes:
        args.not_applicable("\n".join(answer.notes))


def _read(one: Any) -> Resource:
    return Resource(one.resource_type, one.name, _mapping(one.props), one.urn)


def _mapping(props: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(props, name) for name in props}


def _value(holder: Any, key: Any) -> Any:
    """A value without the proxies around it; they raise where a preview does not know it."""
    try:
        found = holder[key]
    except UnknownValueError:
        return UNKNOWN
    match found:
        case str():
            return found
        case Mapping():
            return _mapping(found)
        case Sequence():
            return [_value(found, index) for index in _indices(found)]
        case float() if found.is_integer():
            return int(found)
        case _:
            return found


def _indices(found: Sequence[Any]) -> Iterable[int]:
    return range(len(found))


if __name__ == "__main__":
    main()
