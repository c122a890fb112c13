"""The words of expressions: what is looked at, and names replaced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.policy.expressions import KNOWN, Known

from tuneform.policy.tokens import reads, renamed, tokens


@given(KNOWN)
def test_what_an_expression_looks_at_is_found_however_it_is_written(known: Known) -> None:
    found = reads(known.text)
    assert (found.values, found.presence) == (known.values, known.presence)


@given(KNOWN)
def test_words_and_blanks_are_all_that_there_is(known: Known) -> None:
    done = 0
    for token in tokens(known.text):
        between = known.text[done : token.start]
        assert not between.strip() or "//" in between
        done = token.start + len(token.text)


@given(KNOWN)
def test_a_name_for_itself_changes_nothing(known: Known) -> None:
    again = renamed(known.text, {"params": "params"})
    assert reads(again) == reads(known.text)
    assert again.replace(".params", "params") == known.text.replace(".params", "params")


@given(st.text(max_size=60))
def test_any_text_has_words(text: str) -> None:
    # What is no CEL is refused by the compiler; nothing here may fail before it says so.
    reads(text)
    renamed(text, {"params": "{}"})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("object.spec.keep > 1", {"object.spec.keep"}),
        ("object['spec'][\"keep\"] > 1", {"object.spec.keep"}),
        (".object.spec.keep > 1", {"object.spec.keep"}),
        ("object . spec\n.keep > 1", {"object.spec.keep"}),
        ("object.spec.name.startsWith('a')", {"object.spec.name"}),
        ("object.spec.list.all(x, x.spec.y > 1)", {"object.spec.list"}),
        ("object['sp\\u0065c'].keep > 1", {"object"}),
        ("object[r'spec'].keep > 1", {"object"}),
        ("object.spec[params.field] > 1", {"object.spec", "params.field"}),
        ("[object][0].spec > 1", {"object"}),
        ("f(object).data > 1", {"object"}),
        ("'object.spec' == \"data\" // cost", set()),
        ("r'\\' == object.kind || '' == ''", {"object.kind"}),
        ("b'data' == bytes(project.name)", {"project.name"}),
        ("{'a': 1}.data.cost > 1", set()),
        ("object.spec.`x-y` > 1", {"object.spec"}),
        ("size(object) > 1", {"object"}),
    ],
)
def test_paths_are_those_that_are_written_out(text: str, values: set[str]) -> None:
    assert reads(text).values == values


@pytest.mark.parametrize(
    ("text", "presence", "values"),
    [
        ("has(data.validation)", {"data.validation"}, set()),
        (
            "has(data.validation) && data.validation.examples > 1",
            {"data.validation"},
            {"data.validation.examples"},
        ),
        ("has(data.validation.examples)", {"data.validation.examples"}, set()),
        ("has({'a': data}.a)", set(), {"data"}),
        ("has(.data.test)", {"data.test"}, set()),
    ],
)
def test_to_ask_whether_something_is_there_is_not_to_look_at_it(
    text: str, presence: set[str], values: set[str]
) -> None:
    found = reads(text)
    assert set(found.presence - found.values) == presence
    assert set(found.values) == values


@pytest.mark.parametrize(
    ("text", "renamed_text"),
    [
        ("params.a", "P.a"),
        (".params.a", "P.a"),
        ("object.params", "object.params"),
        ("object . params", "object . params"),
        ("f().params", "f().params"),
        ("'params' + params", "'params' + P"),
        ("params // params", "P // params"),
        ("params(1)", "params(1)"),
        ("[params,params]", "[P,P]"),
        ("paramsx.params", "paramsx.params"),
    ],
)
def test_variables_are_replaced_and_nothing_else(text: str, renamed_text: str) -> None:
    assert renamed(text, {"params": "P"}) == renamed_text
