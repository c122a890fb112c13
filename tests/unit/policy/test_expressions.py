"""CEL: compiled with types, parameters as literals, errors at their places."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from tests.unit.policy.expressions import KNOWN, PLAIN, TEXT, Known

from tuneform.policy.expressions import (
    LARGEST,
    LONGEST,
    Compiled,
    EvaluationError,
    ExpressionError,
    activation,
    compiled,
    inlined,
    literal,
)

VARIABLES: Mapping[str, object] = {"object": {}, "project": {}, "data": {}, "cost": {}, "params": {}}


def value(expression: Compiled, **variables: object) -> object:
    """Its value, or the words in which it has none."""
    try:
        both = {**VARIABLES, **variables}
        return expression.value(both, activation(both))
    except EvaluationError as error:
        return str(error)


@given(PLAIN)
def test_a_value_comes_back_from_its_literal(plain: object) -> None:
    # Equality is CEL's own: 1 and 1.0 are the same, and so they are in the parameters of a rule.
    both = compiled("[object.it] == [params.it]", wanted="BOOL", params={"it": plain})
    assert value(both, object={"it": plain}) is True


@given(
    KNOWN,
    st.dictionaries(st.sampled_from(["a", "b", "params"]), st.text("ab", max_size=2) | st.integers(-9, 9)),
)
def test_parameters_as_literals_mean_the_same_as_bound_ones(known: Known, params: dict[str, object]) -> None:
    bound = compiled(known.text, wanted="BOOL")
    try:
        literals = compiled(known.text, wanted="BOOL", params=params)
    except ExpressionError:
        event("literals have types: what could never be true of them is refused before any document is seen")
        return
    things = {"object": {"a": "x", "b": {"a": 1}}, "project": {"a": {"b": 1}}}
    assert value(literals, **things) == value(bound, **things, params=params)


@given(TEXT)
def test_no_text_in_a_parameter_gets_out_of_its_quotes(text: str) -> None:
    assert inlined("size(params)", {"it": text}).count("size(") == 1 + text.count("size(")
    held = compiled("params.it == object.it", wanted="BOOL", params={"it": text})
    assert value(held, object={"it": text}) is True


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 2**63, -(2**63) - 1, 10**400])
def test_numbers_that_cel_has_not_are_refused(number: float) -> None:
    with pytest.raises(ExpressionError):
        literal([{"a": number}])


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("object.kind ==", "it ends too early", 1, 15),
        ("true &&\n  nothing", "undeclared reference to 'nothing'", 2, 3),
        ("1", "its type is int, and bool is needed", 1, 1),
        ("item == 1", "undeclared reference to 'item'", 1, 1),
        ("'a'.replace('', object.kind) == ''", "what replace takes must be written out", 1, 5),
        ("true ||\n object.kind.format([1]) == ''", "format belongs to a text that is written out", 2, 14),
        ("'\ud800' == ''", "it is no text", 0, 0),
        ("", "it ends too early", 1, 1),
    ],
)
def test_errors_have_words_and_a_place(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(text, wanted="BOOL")
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_what_is_wrong_with_parameters_alone_has_no_place_in_the_text() -> None:
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ExpressionError, match="with its parameters: ") as caught:
        compiled("params.deep == 1", wanted="BOOL", params={"deep": deep})
    assert caught.value.line == 0


def test_texts_and_parameters_have_a_longest() -> None:
    compiled("true" + " " * (LONGEST - 4), wanted="BOOL")
    with pytest.raises(ExpressionError, match="at most 4,096 characters, and this has 4,097"):
        compiled("true" + " " * (LONGEST - 3), wanted="BOOL")
    with pytest.raises(ExpressionError, match="parameters have more than 65,536 characters"):
        compiled("params.a == ''", wanted="BOOL", params={"a": "x" * (LARGEST + LONGEST)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("object.spec.x > 1", 'key not found in map : "spec"'),
        ("object.kind > 1", "no matching overload"),
        ("1 / 0 == 1", "divide by zero"),
        ("[1][3] == 1", "index=3 size=1"),
        ("'a'.matches('(')", "invalid regular expression"),
        ("data.a.large == 1", "out of range"),
    ],
)
def test_what_has_no_value_says_why(text: str, said: str) -> None:
    found = value(compiled(text, wanted="BOOL"), object={"kind": "a"}, data={"a": {"large": 10**30}})
    assert said in str(found)
