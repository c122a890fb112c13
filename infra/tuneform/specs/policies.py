"""Policy documents as rules: built-in ones filled in, matches together, exceptions with their rule's full name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from tuneform.policy import LIBRARY, Builtin, Exemption, Match, PolicySet, Rule
from tuneform.specs.kinds import Policy
from tuneform.specs.kinds.policy import PolicyException, PolicyMatch, PolicyRule
from tuneform.specs.tree import Document


def policy_set(documents: Iterable[Document[Policy]], source: str = "") -> PolicySet:
    """The rules and exceptions of some documents. One that names its projects counts in them alone."""
    rules: dict[tuple[str, str | None], Rule] = {}
    exemptions: dict[Exemption, None] = {}
    for document in documents:
        for rule in rules_of(document):
            home = document.metadata.project
            rules[rule.id, home] = _only_in(rule, home) if home else rule
        for written in document.spec.exceptions:
            exemptions[exemption_of(document.name, written)] = None
    return PolicySet(tuple(rules.values()), tuple(exemptions), source)


def _only_in(rule: Rule, project: str) -> Rule:
    matches = (*rule.matches, Match(projects=(project,)))
    return Rule(**{**rule.__dict__, "matches": matches})


def rules_of(document: Document[Policy]) -> tuple[Rule, ...]:
    """The rules that a document writes, built-in ones filled in; unknown ones are left out."""
    return tuple(
        rule_of(document.name, document.spec, written)
        for written in document.spec.rules
        if written.builtin is None or written.builtin in LIBRARY
    )


def rule_of(policy: str, around: Policy, written: PolicyRule) -> Rule:
    """One rule, in the policy around it."""
    base = LIBRARY[written.builtin] if written.builtin else None
    matches = [_match(around.match), _match(written.match)]
    if base is not None:
        matches.append(Match(kinds=base.kinds))
    return Rule(
        policy=policy,
        name=written.name,
        expression=written.expression or (base.expression if base else ""),
        field=written.field or (base.field if base else ""),
        message=written.message or (base.message if base else ""),
        message_expression=_message(written, base),
        why=written.why or (base.why if base else ""),
        remedy=written.remedy or (base.remedy if base else ""),
        each=written.each or (base.each if base else ""),
        enforcement=written.enforcement or around.enforcement,
        params={**(base.optional or {} if base else {}), **plain(written.params)},
        matches=tuple(match for match in matches if match != Match()),
        mendable=written.mendable
        if written.mendable is not None
        else (base.mendable if base is not None else False),
        builtin=written.builtin or "",
    )


def _message(written: PolicyRule, base: Builtin | None) -> str:
    if written.message_expression or written.message or base is None:
        return written.message_expression or ""
    return base.message_expression


def _match(written: PolicyMatch) -> Match:
    return Match(written.kinds, written.names, written.projects, written.platforms, written.labels)


def exemption_of(policy: str, written: PolicyException) -> Exemption:
    """An exception, with the full name of its rule."""
    return Exemption(
        rule=written.rule if "/" in written.rule else f"{policy}/{written.rule}",
        kind=written.kind,
        name=written.name,
        reason=written.reason,
        expires=date.fromisoformat(written.expires),
        project=written.project or "",
        field=written.field or "",
    )


def plain(value: Any) -> Any:
    """A value that was read from YAML as JSON has it: lists for tuples."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, tuple | list) else value
