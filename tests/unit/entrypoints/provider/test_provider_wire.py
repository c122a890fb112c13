from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

from tuneform.entrypoints.provider.wire import (
    UNKNOWN,
    Secret,
    conceal,
    decode,
    encode,
    reveal,
    unknown,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": "hush"}
OUTPUT = {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}


def sent(**properties: Any) -> Struct:
    struct = Struct()
    struct.update(properties)
    return struct


def test_whole_numbers_arrive_as_integers() -> None:
    assert decode(sent(epochs=4.0, rate=0.5)) == {"epochs": 4, "rate": 0.5}
    assert isinstance(decode(sent(epochs=4.0))["epochs"], int)


def test_a_null_is_not_given() -> None:
    assert decode(sent(name="a", model=None)) == {"name": "a"}


def test_what_a_preview_cannot_know_is_unknown_at_any_depth() -> None:
    found = decode(sent(model=rpc.UNKNOWN, gate={"least": [rpc.UNKNOWN]}))
    assert found == {"model": UNKNOWN, "gate": {"least": [UNKNOWN]}}
    assert unknown(found["gate"])
    assert not unknown(decode(sent(model="m")))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (SECRET, Secret("hush")),
        ({**OUTPUT, "value": "shown"}, "shown"),
        ({**OUTPUT, "value": "hush", "secret": True}, Secret("hush")),
        (OUTPUT, UNKNOWN),
    ],
)
def test_signed_values_are_what_they_stand_for(given: dict[str, Any], meant: Any) -> None:
    assert decode(sent(value=given)) == {"value": meant}


def test_values_go_back_as_they_came() -> None:
    given = sent(a=1, b=[True, "x"], c={"d": 0.5}, e=SECRET, f=rpc.UNKNOWN)
    assert encode(decode(given)) == given


def test_a_secret_shows_nowhere_but_on_the_wire() -> None:
    assert "hush" not in repr(Secret("hush"))
    assert reveal({"a": [Secret({"b": Secret("hush")})]}) == {"a": [{"b": "hush"}]}


def test_an_output_is_secret_when_the_input_of_its_name_holds_a_secret() -> None:
    inputs = {"revision": {"deep": [Secret("x")]}, "model": "m"}
    assert conceal({"revision": "r", "model": "m"}, inputs) == {"revision": Secret("r"), "model": "m"}
