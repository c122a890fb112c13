"""No expression runs away: whatever is asked of whatever document ends soon, in words, with little memory."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.expressions import PLAIN

from tuneform.policy import Judge, PolicySet, Rule, Subject
from tuneform.policy.bounds import Size, at_most, effort, size
from tuneform.policy.expressions import LONGEST, ExpressionError, compiled

LIST, TEXT, MAP = "object.spec.list", "object.spec.text", "object.spec.map"
RUNAWAY = {
    "a text that is doubled": "['a']" + ".map(x, x + x)" * 28 + ".size() > 0",
    "a text that is doubled in brackets": "[[[['a'].map(x, x + x)[0]].map(x, x + x)[0]].map(x, x + x)[0]]"
    + ".map(x, x + x)" * 20
    + ".size() > 0",
    "a text that grows tenfold": "['a']" + ".map(x, x+x+x+x+x+x+x+x+x+x)" * 9 + ".size() > 0",
    "a list that is doubled": f"[{LIST}]" + ".map(x, x + x)" * 15 + ".size() > 0",
    "a text that is replaced": "'a'" + ".replace('a', 'aaaaaaaaaa')" * 12 + " == ''",
    "a text that is joined": "['a', 'a']" + ".map(x, [x, x, x, x].join('aaaaaaaa'))" * 9 + " == []",
    "a text that is formatted": "['a']" + ".map(x, '%s%s%s%s'.format([x, x, x, x]))" * 12 + " == []",
    "two texts in each step": f"{LIST}.map(x, {TEXT} + {TEXT}).size() > 0",
    "two lists in each step": f"{LIST}.map(x, {LIST} + {LIST}).size() > 0",
    "a map in each step": f"{LIST}.map(x, {MAP}).size() > 0",
    "lists compared": f"{LIST}.all(x, {LIST} == {LIST})",
    "maps compared": f"{LIST}.all(x, {MAP} == {MAP})",
    "everything compared": f"{LIST}.all(x, object == object && object == object && object == object)",
    "a list looked through": f"{LIST}.all(x, x in {LIST} || true)",
    "a text cut up": f"{TEXT}.split('').all(x, x != {TEXT} && {TEXT}.contains(x))",
    "loops in loops": f"{LIST}.all(a, {LIST}.all(b, {LIST}.all(c, a + b + c > -1)))",
    "a pattern in each step": f"{LIST}.all(x, {TEXT}.matches('(a|a)*b{{100}}(c|d){{50}}' + string(x)))",
    "a long literal list": f"[{','.join(['0'] * 1500)}].all(x, x == 0)",
}
LARGE = Subject(
    object={
        "kind": "TuningJob",
        "metadata": {"name": "words", "labels": {}},
        "spec": {
            "list": list(range(5_000)),
            "text": "a" * 100_000,
            "map": {str(number): "value" for number in range(5_000)},
        },
    }
)
SMALL = replace(LARGE, object={**LARGE.object, "spec": {"list": [1, 2], "text": "aa", "map": {"a": "b"}}})
TODAY = date(2026, 11, 30)


def judged(expression: str, subject: Subject) -> tuple[float, int]:
    """The seconds that it takes, and by how many bytes the most memory ever held has grown."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    try:
        rules = (Rule("house", "runaway", expression, message_expression="'so it is'"),)
        findings = Judge([PolicySet(rules)], TODAY).judge(subject).findings
        assert len(findings) <= 1
    except ExpressionError:
        pass
    taken = time.process_time() - begun
    return taken, 1_024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


@pytest.mark.parametrize("name", list(RUNAWAY))
@pytest.mark.parametrize("subject", [SMALL, LARGE], ids=["small", "large"])
def test_what_would_run_away_ends_within_two_seconds_and_a_few_megabytes(name: str, subject: Subject) -> None:
    seconds, grown = judged(RUNAWAY[name], subject)
    assert seconds < 2
    assert grown < 300_000_000


@pytest.mark.parametrize(
    "name", ["lists compared", "maps compared", "a text cut up", "two lists in each step"]
)
def test_it_is_the_document_that_is_too_large(name: str) -> None:
    rules = (Rule("house", "runaway", RUNAWAY[name]),)
    judge = Judge([PolicySet(rules)], TODAY)
    assert not any(finding.broken for finding in judge.judge(SMALL).findings)
    (finding,) = judge.judge(LARGE).findings
    assert finding.broken
    assert "the document is too large for what the expression does with it" in finding.message


WORDS = (
    "object.spec.list",
    "object.spec.text",
    "object.spec.map",
    "[0, 1, 2, 3]",
    "'aaaa'",
    ".map(x, x + x)",
    ".map(x, [x, x])",
    ".all(x, x == x)",
    ".exists(x, x in object.spec.list)",
    ".filter(x, x != 'b')",
    ".replace('a', 'aaaaaaaa')",
    ".split('')",
    ".join('aaaa')",
    ".matches('(a*)*$')",
    ".size()",
    " + ",
    " == ",
    " in ",
    " && ",
    "(",
    ")",
    "[",
    "]",
    "x",
)
DRAWN = st.lists(st.sampled_from(WORDS), max_size=40).map("".join) | st.builds(
    lambda start, steps: f"{start}{''.join(steps)}.size() > 0",
    st.sampled_from(WORDS[:5]),
    st.lists(st.sampled_from(WORDS[5:13]), max_size=30),
)


@given(DRAWN)
@settings(deadline=None, max_examples=100)
def test_what_is_put_together_at_random_ends_soon(text: str) -> None:
    seconds, grown = judged(text, LARGE)
    assert seconds < 2, text
    assert grown < 300_000_000, text


@pytest.mark.slow
@given(DRAWN | st.text(max_size=LONGEST))
@settings(deadline=None, max_examples=5_000)
def test_much_of_what_is_put_together_at_random_ends_soon(text: str) -> None:
    seconds, grown = judged(text, LARGE)
    assert seconds < 2, text
    assert grown < 300_000_000, text


def test_the_size_of_values_counts_everything() -> None:
    assert size([{"a": ["bc", 1, None]}, "d" * 9]) == Size(entries=7, characters=12, longest=3, text=9)
    assert size([]) == Size()


@given(PLAIN)
def test_nothing_is_larger_than_what_python_writes_for_it(value: object) -> None:
    most, exact = at_most({"it": value}), size([{"it": value}])
    assert (most.entries, most.characters) >= (exact.entries, exact.characters)
    assert (most.longest, most.text) >= (exact.longest, exact.text)


def test_rules_for_documents_of_a_good_size_are_within_the_bounds() -> None:
    usual = Size(entries=150, characters=6_000, longest=60, text=500)
    looped = (
        "object.spec.roles.all(role, params.roles.exists(one, role.startsWith(one + '/') || role == one))"
    )
    assert effort(looped, {"roles": ["roles/viewer"] * 30}).within(usual)
    assert compiled(looped, wanted="BOOL", params={"roles": ["a"]}).effort.depth == 2
    said = (
        "'a key in ' + object.spec.a + ', not in ' + params.b.join(', ') + ' or ' + params.c.join(', ') + '.'"
    )
    assert effort(said, {"b": ["europe-west4"] * 40, "c": ["acme-keys"] * 40}).within(usual)
