"""What policies say: whom a rule is about, whom an exemption covers, and digests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneform.policy import Exemption, Match, PolicySet, Rule
from tuneform.policy.rules import digest_of

PROJECT = {"name": "demo", "projectId": "acme-ml-dev", "platform": "vertex"}
RULE = Rule("house", "small", "true", matches=(Match(kinds=("TuningJob", "Dataset")),))
OTHER = replace(
    RULE, name="other", params={"most": 3, "of": ["a", "b"]}, matches=(Match(), Match(names=("a*", "b")))
)
EXEMPTION = Exemption("house/small", "TuningJob", "words", "agreed with Ada", date(2027, 1, 31))


@pytest.mark.parametrize(
    ("match", "covered"),
    [
        (Match(), True),
        (Match(kinds=("TuningJob",)), True),
        (Match(kinds=("Dataset",)), False),
        (Match(names=("w*",)), True),
        (Match(names=("w?rds", "x")), True),
        (Match(names=("W*",)), False),
        (Match(names=("w",)), False),
        (Match(projects=("demo",)), True),
        (Match(projects=("acme-*-dev",)), True),
        (Match(projects=("acme-*-prod",)), False),
        (Match(platforms=("vertex",)), True),
        (Match(platforms=("gemini-api",)), False),
        (Match(labels={"team": "*"}), True),
        (Match(labels={"team": "supp*", "env": "dev"}), True),
        (Match(labels={"team": "sales"}), False),
        (Match(labels={"owner": "*"}), False),
        (Match(kinds=("TuningJob",), names=("w*",), labels={"team": "sales"}), False),
    ],
)
def test_every_condition_that_is_written_must_hold(match: Match, covered: bool) -> None:
    labels = {"team": "support", "env": "dev"}
    assert match.covers("TuningJob", "words", PROJECT, labels) is covered


def test_a_project_that_says_no_platform_is_one_of_vertex() -> None:
    assert Match(platforms=("vertex",)).covers("Dataset", "words", {}, {})
    assert not Match(projects=("*",)).covers("Dataset", "words", {}, {})


def test_kinds_are_those_that_all_its_matches_allow() -> None:
    assert replace(RULE, matches=(Match(),)).kinds is None
    assert replace(
        RULE, matches=(Match(kinds=("A", "B")), Match(), Match(kinds=("B", "C")))
    ).kinds == frozenset({"B"})
    assert replace(RULE, matches=(Match(kinds=("A",)), Match(kinds=("B",)))).kinds == frozenset()


@pytest.mark.parametrize(
    ("change", "path", "covered"),
    [
        ({}, "spec.limits", True),
        ({"name": "other"}, "spec.limits", False),
        ({"kind": "Dataset"}, "spec.limits", False),
        ({"rule": "home/small"}, "spec.limits", False),
        ({"project": "demo"}, "spec.limits", True),
        ({"project": "acme-ml-dev"}, "spec.limits", True),
        ({"project": "prod"}, "spec.limits", False),
        ({"field": "spec.limits"}, "spec.limits", True),
        ({"field": "spec.limits"}, "spec.limits.retries", True),
        ({"field": "spec.limits"}, "spec.limitsOfOthers", False),
        ({"field": "spec.limits.retries"}, "spec.limits", False),
        ({"field": "spec.limits"}, "", False),
    ],
)
def test_an_exemption_covers_what_it_names(change: dict[str, str], path: str, covered: bool) -> None:
    exemption = replace(EXEMPTION, **change)  # type: ignore[arg-type]
    assert exemption.covers(RULE, "TuningJob", "words", PROJECT, path) is covered


@given(st.permutations([RULE, OTHER, replace(RULE, matches=(Match(projects=("b",)),))]))
def test_the_digest_does_not_depend_on_order(rules: list[Rule]) -> None:
    shuffled = [
        replace(
            rule,
            matches=tuple(
                replace(match, kinds=match.kinds[::-1], names=match.names[::-1])
                for match in rule.matches[::-1]
            ),
            params=dict(reversed(list(rule.params.items()))),
        )
        for rule in rules
    ]
    exemptions = (EXEMPTION, replace(EXEMPTION, name="other"))
    before = PolicySet((RULE, OTHER, replace(RULE, matches=(Match(projects=("b",)),))), exemptions)
    assert PolicySet(tuple(shuffled), exemptions[::-1], "elsewhere").digest == before.digest


@pytest.mark.parametrize(
    "change",
    [
        {"policy": "home"},
        {"name": "large"},
        {"expression": "false"},
        {"field": "spec"},
        {"message": "no"},
        {"message_expression": "'no'"},
        {"why": "because"},
        {"remedy": "mend it"},
        {"each": "[1]"},
        {"enforcement": "warn"},
        {"params": {"most": 1}},
        {"params": {"most": True}},
        {"params": {"most": "1"}},
        {"matches": ()},
        {"matches": (Match(kinds=("TuningJob",)),)},
        {"matches": (Match(kinds=("TuningJob",)), Match(kinds=("Dataset",)))},
        {"matches": (Match(names=("TuningJob", "Dataset")),)},
        {"mendable": True},
        {"builtin": "max-epochs"},
    ],
    ids=str,
)
def test_the_digest_changes_with_every_part_of_a_rule(change: dict[str, object]) -> None:
    changed = PolicySet((replace(RULE, **change), OTHER), (EXEMPTION,))  # type: ignore[arg-type]
    assert changed.digest != PolicySet((RULE, OTHER), (EXEMPTION,)).digest


@pytest.mark.parametrize(
    "change",
    [
        {"rule": "house/other"},
        {"kind": "Dataset"},
        {"name": "other"},
        {"reason": "agreed with Bob"},
        {"expires": date(2027, 2, 1)},
        {"project": "demo"},
        {"field": "spec"},
    ],
    ids=str,
)
def test_the_digest_changes_with_every_part_of_an_exemption(change: dict[str, object]) -> None:
    changed = PolicySet((RULE,), (replace(EXEMPTION, **change),))  # type: ignore[arg-type]
    assert changed.digest != PolicySet((RULE,), (EXEMPTION,)).digest


def test_the_digest_of_several_sources_says_whose_an_exemption_is() -> None:
    ours, theirs = PolicySet((RULE,)), PolicySet((OTHER,))
    assert digest_of([ours]) == ours.digest
    assert digest_of([ours, theirs]) == digest_of([theirs, ours])
    excepted = (
        [replace(ours, exemptions=(EXEMPTION,)), theirs],
        [ours, replace(theirs, exemptions=(EXEMPTION,))],
    )
    assert digest_of(excepted[0]) != digest_of(excepted[1])
