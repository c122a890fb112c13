"""Rules as a policy pack carries them: one JSON file, and each rule as a question to resources and stacks.

`today` is the day on which the pack runs: an exception ends though nobody writes the pack anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from tuneform.policy.judge import Finding, Judge, Subject, Verdict
from tuneform.policy.rules import Enforcement, Exemption, Match, PolicySet, Rule, digest_of
from tuneform.policy.shapes import Resource, joined, subjects

_JOINED = "ServiceAccount"
"""The kind that several resources make together."""


class TamperedError(ValueError):
    """Rules that are not those whose digest stands beside them."""


def stored(sets: Sequence[PolicySet]) -> dict[str, Any]:
    """The sources of rules as plain values, with the digest over all of them."""
    return {
        "digest": digest_of(sets),
        "sources": [
            {
                "source": one.source,
                "digest": one.digest,
                "rules": [asdict(rule) for rule in one.rules],
                "exceptions": [
                    asdict(exemption) | {"expires": exemption.expires.isoformat()}
                    for exemption in one.exemptions
                ],
            }
            for one in sets
        ],
    }


def restored(values: Mapping[str, Any]) -> tuple[PolicySet, ...]:
    """The reverse of `stored`.

    Raises:
        TamperedError: the rules are not those of the digest.
    """
    sets = tuple(
        PolicySet(
            rules=tuple(map(_rule, one["rules"])),
            exemptions=tuple(
                Exemption(**{**exemption, "expires": date.fromisoformat(exemption["expires"])})
                for exemption in one["exceptions"]
            ),
            source=one["source"],
        )
        for one in values["sources"]
    )
    found = digest_of(sets)
    if found != values["digest"]:
        raise TamperedError(f"these rules are {found}, and the pack was written of {values['digest']}")
    return sets


def _rule(values: Mapping[str, Any]) -> Rule:
    return Rule(**{**values, "matches": tuple(map(_match, values["matches"]))})


def _match(values: Mapping[str, Any]) -> Match:
    found: dict[str, Any] = {n: value if n == "labels" else tuple(value) for n, value in values.items()}
    return Match(**found)


@dataclass(frozen=True)
class Answer:
    """What was found: texts of breaches with the URN that each is of, and why others are none, or are not known."""

    violations: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """A rule as a policy of the pack: of single resources, or of a `stack` as a whole."""

    name: str
    description: str
    enforcement: Enforcement
    remedy: str
    stack: bool
    judge: Judge = field(repr=False)

    def of_resource(self, resource: Resource) -> Answer:
        """What one resource breaks."""
        return self._answer((resource, subject) for subject in subjects(resource))

    def of_stack(self, resources: Sequence[Resource]) -> Answer:
        """What the resources of a stack break together."""
        return self._answer(joined(resources))

    def _answer(self, asked: Iterable[tuple[Resource, Subject]]) -> Answer:
        violations: list[tuple[str, str]] = []
        notes: list[str] = []
        for resource, subject in asked:
            verdict = self.judge.judge(subject)
            violations += [
                (told(finding, self.description), resource.urn)
                for finding in verdict.findings
                if finding.exception is None
            ]
            notes += _notes(verdict)
        return Answer(tuple(violations), tuple(notes))


def told(finding: Finding, beside: str = "") -> str:
    """A breach in one line: the rule, what is wrong, what to do, and what the rule is for unless that is `beside`."""
    return "; ".join(part for part in (f"{finding.id}: {finding.message}", finding.advice(beside)) if part)


def _notes(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings:
        if finding.exception is not None:
            yield f"{finding.id}: excepted until {finding.exception.expires}: {finding.exception.reason}"
    for one in verdict.unjudged:
        yield f"{one.policy}/{one.rule}: not judged, since {' and '.join(one.paths)} is not known here"


def questions(sets: Iterable[PolicySet], today: date) -> tuple[Question, ...]:
    """Every rule as one question, or two where it is about service accounts among others."""
    found: dict[tuple[int, str], list[Rule]] = {}
    around = tuple(sets)
    for index, one in enumerate(around):
        for rule in one.rules:
            found.setdefault((index, rule.id), []).append(rule)
    made: dict[str, Question] = {}
    for (index, _), rules in found.items():
        judge = Judge([PolicySet(tuple(rules), around[index].exemptions)], today)
        for question in _of_rule(rules, judge):
            name, number = question.name, 2
            while name in made:  # two bundles may call a rule by the same name
                name, number = f"{question.name}.{number}", number + 1
            made[name] = Question(**{**vars(question), "name": name})
    return tuple(made.values())


def _of_rule(rules: Sequence[Rule], judge: Judge) -> Iterator[Question]:
    first = rules[0]
    kinds = [rule.kinds for rule in rules]
    name = first.id.replace("/", ".")
    about = first.why or first.message or f"the rule {first.id}"
    alone = all(one == frozenset({_JOINED}) for one in kinds)
    if not alone:
        yield Question(name, about, first.enforcement, first.remedy, stack=False, judge=judge)
    if any(one is None or _JOINED in one for one in kinds):
        yield Question(
            name if alone else f"{name}.accounts",
            about,
            first.enforcement,
            first.remedy,
            stack=True,
            judge=judge,
        )
