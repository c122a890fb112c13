"""Whether something is there can be known where what it holds is not."""

from __future__ import annotations

from datetime import date

import pytest

from tuneform.policy import Judge, PolicySet, Rule, Subject
from tuneform.policy.expressions import compiled

UNKNOWN = frozenset({"data.validation.examples"})


def unjudged(expression: str, unknown: frozenset[str] = UNKNOWN) -> tuple[str, ...]:
    thing = {"kind": "TuningJob", "metadata": {"name": "x"}, "spec": {}}
    subject = Subject(thing, data={"validation": {}}, unknown=unknown)
    verdict = Judge([PolicySet((Rule("house", "r", expression),))], date(2026, 6, 1)).judge(subject)
    return tuple(path for one in verdict.unjudged for path in one.paths)


@pytest.mark.parametrize(
    ("expression", "asks"),
    [
        ("has(data.validation)", {"data.validation"}),
        ("has( data.validation ) && data.validation.examples > 3", {"data.validation"}),
        ("has(data.validation) && size(data.validation) > 3", set()),
        ("'has(' + 'data.validation' != '' && size(data.validation) > 3", set()),
        ("object.spec.has == data.validation", set()),
    ],
)
def test_what_an_expression_only_asks_for(expression: str, asks: set[str]) -> None:
    found = compiled(expression, wanted="BOOL").reads
    assert found.presence - found.values == asks


def test_a_rule_that_asks_whether_a_whole_is_there_is_judged_though_parts_of_it_are_not_known() -> None:
    assert unjudged("has(data.validation)") == ()
    assert unjudged("size(data.validation) > 0") == tuple(UNKNOWN)
    assert unjudged("has(data.validation.examples)") == tuple(UNKNOWN), "the part itself is not known"
    assert unjudged("has(data.validation)", frozenset({"data"})) == ("data",)
