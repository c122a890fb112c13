from __future__ import annotations

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

from tuneform_emulator.gcp_plugin.values import (
    UNKNOWN,
    Secret,
    conceal,
    from_struct,
    has_secret,
    has_unknown,
    reveal,
    to_struct,
)

PROPERTIES = {
    "text": "x",
    "whole": 30,
    "fraction": 0.5,
    "flag": False,
    "list": [1, {"deep": "y"}],
    "later": UNKNOWN,
    "hidden": Secret({"password": ["p"]}),
}


def test_a_property_bag_survives_the_wire() -> None:
    assert from_struct(to_struct(PROPERTIES)) == PROPERTIES


def test_whole_numbers_arrive_as_int_and_not_as_float() -> None:
    arrived = from_struct(to_struct({"age": 30.0}))["age"]
    assert isinstance(arrived, int)
    assert arrived == 30


def test_null_means_not_given_at_every_level() -> None:
    struct = json_format.ParseDict({"gone": None, "labels": {"a": "b", "c": None}}, struct_pb2.Struct())
    assert from_struct(struct) == {"labels": {"a": "b"}}


def test_unknowns_and_secrets_travel_in_pulumis_own_form() -> None:
    struct = to_struct({"later": UNKNOWN, "hidden": Secret("s")})
    assert json_format.MessageToDict(struct) == {
        "later": rpc.UNKNOWN,
        "hidden": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "s"},
    }


def test_secrets_and_unknowns_are_found_at_any_depth() -> None:
    deep = {"a": [{"b": Secret(UNKNOWN)}]}
    assert has_secret(deep)
    assert has_unknown(deep)
    assert not has_secret(reveal(deep))
    assert has_unknown(reveal(deep))


def test_outputs_are_secret_where_the_inputs_were() -> None:
    outputs = conceal({"labels": {"a": "s"}, "name": "n"}, {"labels": {"a": Secret("s")}, "name": "n"})
    assert outputs == {"labels": Secret({"a": "s"}), "name": "n"}


def test_a_value_without_wire_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no wire form for set"):
        to_struct({"x": {1}})
