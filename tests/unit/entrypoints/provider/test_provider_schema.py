from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from tests.unit.entrypoints.provider.world import TUNING_INPUTS

from tuneform.datasets.source import FORMATS
from tuneform.entrypoints.provider.resources import RESOURCES
from tuneform.entrypoints.provider.shape import Failure, failures, schema
from tuneform.specs import Dataset, TunedModel, TuningJob
from tuneform.specs.shape import fields

JOB = "tuneform:index:TuningJob"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_schema_is_of_this_version_and_describes_every_resource_and_output() -> None:
    assert schema()["version"] == version("tuneform")
    assert set(schema()["resources"]) == set(RESOURCES)
    for token, resource in RESOURCES.items():
        assert set(schema()["resources"][token]["properties"]) == {*resource.outputs, "drift"}


def test_every_type_that_is_referred_to_is_there_and_every_type_is_referred_to() -> None:
    used = set(references(schema())) - {"pulumi.json#/Any"}
    assert used == {f"#/types/{name}" for name in schema()["types"]}


def test_the_choices_are_those_of_the_language() -> None:
    def choices(name: str) -> set[str]:
        return {choice["value"] for choice in schema()["types"][f"tuneform:index:{name}"]["enum"]}

    assert choices("Format") == set(FORMATS) == set(fields(Dataset)["format"].choices)
    assert choices("WhenSuperseded") == set(fields(TuningJob)["whenSuperseded"].choices)
    assert choices("OnModelLost") == set(fields(TuningJob)["onModelLost"].choices)
    assert choices("Serving") == set(fields(TunedModel)["serving"].choices)


def test_inputs_of_the_program_are_in_order() -> None:
    assert list(failures(JOB, TUNING_INPUTS)) == []


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"baseModle": "x"}, "baseModle", "did you mean 'baseModel'?"),
        ({"training": None}, "training", "missing"),
        ({"baseModel": 3}, "baseModel", "must be a string"),
        ({"hyperParameters": {"epochCount": 2.5}}, "hyperParameters.epochCount", "must be an integer"),
        ({"hyperParameters": {"epochCount": True}}, "hyperParameters.epochCount", "must be a number"),
        ({"hyperParameters": 3}, "hyperParameters", "must be an object"),
        ({"labels": {"a": 1}}, "labels.a", "must be a string"),
        ({"wait": "never"}, "wait", "'never' is none of succeeded, accepted"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], path: str, reason: str) -> None:
    (failure,) = failures(JOB, {**TUNING_INPUTS, **change})
    assert isinstance(failure, Failure)
    assert failure.path == path
    assert reason in failure.reason


def test_an_item_of_a_list_is_named_by_its_place() -> None:
    source = {"training": {"examples": [{"input": "a", "output": "b"}, {"input": "c"}]}}
    given = {"project": TUNING_INPUTS["project"], "name": "a", "bucket": "b", "root": "/", "source": source}
    (failure,) = failures("tuneform:index:Dataset", given)
    assert failure == Failure("source.training.examples[1].output", "missing")
