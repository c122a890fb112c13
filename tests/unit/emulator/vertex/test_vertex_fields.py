"""Reading request bodies."""

from typing import Any

import pytest

from tuneform_emulator.services.vertex import fields
from tuneform_emulator.wire import ApiError


def refused(code: int, read: Any, *arguments: Any) -> str:
    with pytest.raises(ApiError) as refusal:
        read(*arguments)
    assert refusal.value.code == code
    return refusal.value.message


def test_unknown_fields_are_named_not_dropped() -> None:
    with pytest.raises(ApiError) as refusal:
        fields.known({"baseModel": "x", "distillationSpec": {}}, "TuningJob", read=("baseModel",))
    assert refusal.value.code == 501
    assert "distillationSpec" in refusal.value.message
    assert "TuningJob" in refusal.value.message


def test_output_only_fields_are_dropped() -> None:
    assert fields.known({"name": "n", "state": 3}, "TuningJob", read=("name",), ignored=("state",)) == {
        "name": "n"
    }


@pytest.mark.parametrize(("value", "expected"), [(3, 3), ("3", 3), (3.0, 3), ("-4", -4), (None, None)])
def test_integers_come_as_numbers_or_strings(value: object, expected: int | None) -> None:
    assert fields.integer({"n": value}, "n") == expected


@pytest.mark.parametrize("value", ["three", 3.5, True, [], "1.0"])
def test_what_is_no_integer_is_refused(value: object) -> None:
    assert "'n'" in refused(400, fields.integer, {"n": value}, "n")


@pytest.mark.parametrize("value", ["ONE", 1])
def test_enums_come_by_name_or_number(value: object) -> None:
    assert fields.enum({"e": value}, "e", ("NONE", "ONE")) == "ONE"


def test_an_absent_enum_is_its_first() -> None:
    assert fields.enum({}, "e", ("NONE", "ONE")) == "NONE"


@pytest.mark.parametrize("value", ["TWO", 2, -1, True, 1.0, []])
def test_unknown_enum_values_are_refused(value: object) -> None:
    refused(400, fields.enum, {"e": value}, "e", ("NONE", "ONE"))


def test_good_labels_are_kept() -> None:
    given = {"team": "support", "a-b_c9": "", "größe": "übergroß", "x" * 63: "y" * 63}
    assert fields.labels({"labels": given}) == given


@pytest.mark.parametrize(
    "given",
    [
        {"Team": "x"},
        {"team": "X"},
        {"9a": "x"},
        {"": "x"},
        {"a" * 64: "x"},
        {"a": "x" * 64},
        {"a": "b c"},
        {"a.b": ""},
    ],
)
def test_bad_labels_are_refused(given: dict[str, str]) -> None:
    assert "Invalid label" in refused(400, fields.labels, {"labels": given})


def test_more_labels_than_allowed_are_refused() -> None:
    assert "64" in refused(400, fields.labels, {"labels": {f"k{number}": "" for number in range(65)}})


def test_display_names_have_an_end() -> None:
    assert fields.display_name({"displayName": "x" * 128}, "displayName") == "x" * 128
    assert "128" in refused(400, fields.display_name, {"displayName": "x" * 129}, "displayName")


def test_a_mask_names_fields_in_either_case() -> None:
    assert fields.mask("display_name,trafficSplit", ("labels",)) == ("displayName", "trafficSplit")


def test_without_a_mask_the_fields_given_are_meant() -> None:
    assert fields.mask("", {"labels": {}, "displayName": "x"}) == ("labels", "displayName")


@pytest.mark.parametrize("split", [{"1": 101}, {"1": -1}, {"1": None}, {"1": "half"}])
def test_impossible_percentages_are_refused(split: dict[str, object]) -> None:
    refused(400, fields.traffic_split, {"trafficSplit": split})


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (fields.string, 3),
        (fields.boolean, "true"),
        (fields.message, []),
        (fields.number, "1"),
        (fields.number, True),
    ],
)
def test_values_of_the_wrong_type_are_refused(read: Any, value: object) -> None:
    assert "'f'" in refused(400, read, {"f": value}, "f")
