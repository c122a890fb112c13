"""Subjects in, findings out: items, exceptions and their days, rules that cannot be asked, what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.policy.expressions import KNOWN, Known

from tuneform.policy import Exemption, Finding, Judge, Match, PolicySet, Rule, Subject
from tuneform.policy.expressions import ExpressionError

TODAY = date(2026, 11, 30)
SUBJECT = Subject(
    object={
        "kind": "TuningJob",
        "metadata": {"name": "words", "project": "demo", "labels": {"team": "support"}, "annotations": {}},
        "spec": {"hyperParameters": {"epochCount": 8}, "roles": ["a", "b", "a.b"]},
    },
    project={"name": "demo", "projectId": "acme-ml-dev"},
    data={"training": {"examples": 20, "tokens": 500}},
    cost={"tokens": 4_000, "high": 12.5, "currency": "USD"},
)


def rule(expression: str, **more: Any) -> Rule:
    return Rule("house", "small", expression, **{"field": "spec.hyperParameters", **more})


def found(
    one: Rule, subject: Subject = SUBJECT, exemptions: tuple[Exemption, ...] = (), today: date = TODAY
) -> tuple[Finding, ...]:
    return Judge([PolicySet((one,), exemptions)], today).judge(subject).findings


def test_what_keeps_a_rule_has_no_finding() -> None:
    assert found(rule("object.spec.hyperParameters.epochCount <= params.most", params={"most": 8})) == ()


def test_a_breach_says_all_that_there_is_to_say() -> None:
    broken = rule(
        "object.spec.hyperParameters.epochCount <= params.most",
        params={"most": 5},
        message="too many",
        message_expression="string(object.spec.hyperParameters.epochCount) + ' epochs for ' + project.projectId",
        why="money",
        remedy="fewer",
        enforcement="warn",
    )
    assert found(broken) == (
        Finding(
            policy="house",
            rule="small",
            enforcement="warn",
            message="8 epochs for acme-ml-dev",
            why="money",
            remedy="fewer",
            field="spec.hyperParameters",
            kind="TuningJob",
            name="words",
            project="demo",
        ),
    )


@pytest.mark.parametrize(
    ("enforcement", "excepted", "blocks"),
    [("deny", False, True), ("deny", True, False), ("warn", False, False), ("audit", False, False)],
)
def test_only_what_denies_and_is_not_excepted_blocks(enforcement: str, excepted: bool, blocks: bool) -> None:
    exemptions = (exempt(),) if excepted else ()
    judge = Judge([PolicySet((rule("false", enforcement=enforcement),), exemptions)], TODAY)
    assert judge.judge(SUBJECT).blocks is blocks


def test_each_item_is_asked_and_named() -> None:
    each = rule(
        "item in ['a']", each="object.spec.roles", field="spec.roles.{item}", message="{item} is not allowed"
    )
    assert [(one.field, one.message) for one in found(each)] == [
        ("spec.roles.b", "b is not allowed"),
        ("spec.roles.a.b", "a.b is not allowed"),
    ]
    said = replace(each, message_expression="item + '!'")
    assert [one.message for one in found(said)] == ["b!", "a.b!"]


def test_items_may_be_of_any_type_and_come_from_parameters() -> None:
    each = rule(
        "item.least <= 3",
        each="params.of",
        params={"of": [{"least": 2}, {"least": 4}, 7]},
        field="spec.{item}",
    )
    first, second = found(each)
    assert first.field == "spec.{'least': 4}"
    assert second.broken
    assert found(rule("false", each="[]")) == ()


def test_a_list_with_too_many_items_is_a_breach() -> None:
    many = found(rule("true", each="params.of", params={"of": list(range(1_001))}))
    assert [one.message for one in many] == [
        "the rule cannot be judged, which counts as broken: 'each' has 1,001 items, and 1,000 are the most"
    ]


@pytest.mark.parametrize(
    "unasked",
    [
        rule("object.spec.none > 1"),
        rule("object.kind > 1"),
        rule("object.kind"),
        rule("dyn(1)"),
        rule("true", each="object.spec.none"),
        rule("true", each="object.kind"),
        rule("item.none", each="object.spec.roles.filter(role, role == 'b')"),
        rule("1 / 0 == 1"),
    ],
    ids=lambda one: f"{one.each} {one.expression}",
)
def test_a_rule_that_has_no_value_is_broken_and_blocks(unasked: Rule) -> None:
    (finding,) = found(unasked)
    assert finding.message.startswith("the rule cannot be judged, which counts as broken: ")
    assert (finding.broken, finding.blocks) == (True, True)
    # It can be excepted like any other breach.
    (excepted,) = found(unasked, exemptions=(exempt(),))
    assert not excepted.blocks


@pytest.mark.parametrize("says", ["object.spec.none", "string(1 / 0)"])
def test_a_message_that_has_no_value_gives_way_to_plain_words(says: str) -> None:
    (finding,) = found(rule("false", message_expression=says, message="plain"))
    assert (finding.message, finding.broken) == ("plain", False)
    (finding,) = found(rule("false", message_expression=says))
    assert finding.message == "the rule small is not kept"


def test_what_is_said_has_a_longest() -> None:
    large = replace(SUBJECT, object={**SUBJECT.object, "spec": {"roles": ["x" * 5_000]}})
    (finding,) = found(rule("false", message_expression="object.spec.roles[0]"), large)
    assert len(finding.message) == 1_001
    (finding,) = found(rule("false", each="object.spec.roles", field="spec.{item}"), large)
    assert len(finding.field) == len("spec.") + 1_001


def test_a_policy_that_is_no_cel_makes_no_judge() -> None:
    with pytest.raises(ExpressionError):
        Judge([PolicySet((rule("object ="),))], TODAY)


def exempt(**change: Any) -> Exemption:
    return replace(Exemption("house/small", "TuningJob", "words", "agreed with Ada", TODAY), **change)


@pytest.mark.parametrize(("days", "counts"), [(-1, False), (0, True), (1, True)])
def test_an_exception_counts_to_the_end_of_its_last_day(days: int, counts: bool) -> None:
    exemption = exempt(expires=TODAY + timedelta(days=days))
    (finding,) = found(rule("false"), exemptions=(exemption,))
    assert (finding.exception, finding.expired) == ((exemption, None) if counts else (None, exemption))


def test_of_several_exceptions_the_one_that_lasts_longest_counts() -> None:
    last = exempt(expires=TODAY + timedelta(days=9), reason="agreed with Bob")
    (finding,) = found(rule("false"), exemptions=(exempt(expires=date(2026, 1, 1)), last, exempt()))
    assert finding.exception == last


def test_an_exception_may_be_for_one_field_or_one_project() -> None:
    each = rule("false", each="object.spec.roles", field="spec.roles.{item}")
    of_one = exempt(field="spec.roles.b")
    assert [one.exception for one in found(each, exemptions=(of_one,))] == [None, of_one, None]
    elsewhere = exempt(project="prod")
    (finding,) = found(rule("false"), exemptions=(elsewhere,))
    assert (finding.exception, finding.expired) == (None, None)


def test_exceptions_count_for_rules_of_their_own_source_alone() -> None:
    theirs, ours = PolicySet((rule("false"),), source="bundle"), PolicySet((), (exempt(),), "tree")
    (finding,) = Judge([ours, theirs], TODAY).judge(SUBJECT).findings
    assert finding.blocks
    (finding,) = Judge([replace(theirs, exemptions=(exempt(),))], TODAY).judge(SUBJECT).findings
    assert not finding.blocks


def test_a_finished_job_is_judged_by_what_can_still_be_mended() -> None:
    rules = (rule("false"), rule("false", mendable=True))
    judge = Judge([PolicySet(rules)], TODAY)
    assert len(judge.judge(SUBJECT).findings) == 2
    history = replace(SUBJECT, finished=True)
    assert len(judge.judge(history).findings) == 1
    assert judge.about(history) == rules[1:]


def test_rules_are_asked_of_those_whom_they_are_about() -> None:
    rules = (
        rule("false", matches=(Match(kinds=("Dataset",)),)),
        rule("false", matches=(Match(kinds=("TuningJob",)), Match(labels={"team": "sup*"}))),
        rule("false", matches=(Match(kinds=("TuningJob",)), Match(names=("other",)))),
    )
    assert Judge([PolicySet(rules)], TODAY).about(SUBJECT) == (rules[1],)


@pytest.mark.parametrize(
    ("expression", "unknown", "paths"),
    [
        ("cost.tokens > 1", {"cost"}, ("cost",)),
        ("cost.tokens > 1", {"cost.tokens"}, ("cost.tokens",)),
        ("cost.tokens > 1", {"cost.high"}, ()),
        ("size(cost) > 1", {"cost.high"}, ("cost.high",)),
        ("has(cost.tokens)", {"cost.tokens"}, ("cost.tokens",)),
        ("has(data.training)", {"data.training.tokens"}, ()),
        ("has(data.training)", {"data.training"}, ("data.training",)),
        ("has(data.training)", {"data"}, ("data",)),
        (
            "has(data.training) && data.training.tokens > 1",
            {"data.training.tokens"},
            ("data.training.tokens",),
        ),
        ("data.training == {}", {"data.training.tokens"}, ("data.training.tokens",)),
        (".cost.tokens > 1", {"cost"}, ("cost",)),
        ("'cost.tokens' != ''", {"cost"}, ()),
    ],
)
def test_a_rule_that_looks_at_what_is_not_known_is_not_judged(
    expression: str, unknown: set[str], paths: tuple[str, ...]
) -> None:
    verdict = Judge([PolicySet((rule(expression),))], TODAY).judge(
        replace(SUBJECT, unknown=frozenset(unknown))
    )
    assert tuple(path for one in verdict.unjudged for path in one.paths) == paths
    if paths:
        assert verdict.findings == ()


def test_what_is_not_known_is_not_told_either() -> None:
    says = rule("false", message_expression="'it bills ' + string(cost.tokens)", message="it bills too much")
    (finding,) = found(says, replace(SUBJECT, unknown=frozenset({"cost"})))
    assert finding.message == "it bills too much"


@given(
    KNOWN,
    st.sampled_from(["object.a", "object.a.b", "object.params", "project", "project.a", "project.object.b"]),
    st.dictionaries(
        st.sampled_from(["a", "b", "params", "object"]), st.integers(0, 3) | st.text("ab", max_size=2)
    ),
)
def test_a_verdict_never_depends_on_what_is_not_known(
    known: Known, unknown: str, value: dict[str, Any]
) -> None:
    """Whatever value is at a path that is not known, what is judged is judged the same."""
    root, *steps = unknown.split(".")
    judge = Judge([PolicySet((rule(known.text, message_expression=f"string({known.text})"),))], TODAY)
    verdicts = []
    for one in ({}, value):
        inner: Any = one
        for step in reversed(steps):
            inner = {"b": "x", step: inner}
        subject = replace(SUBJECT, unknown=frozenset({unknown}))
        if root == "object":
            subject = replace(subject, object={**subject.object, **inner})
        else:
            subject = replace(subject, project={**subject.project, **inner})
        verdicts.append(judge.judge(subject))
    assume(not verdicts[0].unjudged)
    assert verdicts[0] == verdicts[1]
