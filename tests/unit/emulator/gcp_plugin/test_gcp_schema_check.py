from __future__ import annotations

from typing import Any

import pytest

from tuneform_emulator.gcp_plugin.resources import RESOURCES
from tuneform_emulator.gcp_plugin.schema_check import Problem, input_type, problems
from tuneform_emulator.gcp_plugin.values import UNKNOWN, Secret

BUCKET = RESOURCES["gcp:storage/bucket:Bucket"]


def found(inputs: dict[str, Any]) -> list[Problem]:
    return list(problems(inputs, input_type(BUCKET.module, BUCKET.args), BUCKET.supported))


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_every_supported_input_is_one_of_pulumi_gcp_and_every_required_one_is_supported(token: str) -> None:
    resource = RESOURCES[token]
    declared = input_type(resource.module, resource.args)
    assert resource.supported.keys() <= declared.types.keys()
    assert declared.required <= resource.supported.keys()
    assert {*resource.replace_on, *resource.keeps, *resource.virtual} <= resource.supported.keys()


def test_a_full_bucket_is_fine() -> None:
    assert (
        found(
            {
                "location": "us-central1",
                "labels": {"team": "ml"},
                "versioning": {"enabled": True},
                "lifecycleRules": [
                    {"action": {"type": "Delete"}, "condition": {"age": 30, "matchesPrefixes": ["a"]}}
                ],
                "encryption": {"defaultKmsKeyName": UNKNOWN},
                "forceDestroy": Secret(True),
                "__defaults": [],
            }
        )
        == []
    )


def test_a_misspelt_property_is_named_with_the_nearest_one() -> None:
    assert found({"location": "eu", "lable": {}}) == [
        Problem("lable", "'lable' is not a property of pulumi-gcp 10.2.0; did you mean 'labels'?")
    ]


def test_a_misspelt_nested_property_is_named_with_its_path() -> None:
    (problem,) = found(
        {"location": "eu", "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"agee": 1}}]}
    )
    assert problem.property == "lifecycleRules[0].condition.agee"
    assert "did you mean 'age'?" in problem.reason


def test_what_pulumi_gcp_knows_and_the_stand_in_does_not_is_refused_as_such() -> None:
    (top,) = found({"location": "eu", "website": {"mainPageSuffix": "i"}})
    assert top.reason.startswith("'website' is supported by pulumi-gcp but not by the emulator's stand-in")
    (nested,) = found({"location": "eu", "encryption": {"customerManagedEncryptionEnforcementConfig": {}}})
    assert nested.property == "encryption.customerManagedEncryptionEnforcementConfig"


def test_missing_required_properties_are_named_at_every_level() -> None:
    assert {
        problem.property for problem in found({"versioning": {}, "lifecycleRules": [{"action": {}}]})
    } == {
        "location",
        "versioning.enabled",
        "lifecycleRules[0].action.type",
        "lifecycleRules[0].condition",
    }


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"location": 1}, "location", "must be a string, not a whole number"),
        ({"location": "eu", "forceDestroy": "yes"}, "forceDestroy", "must be true or false, not a string"),
        ({"location": "eu", "versioning": True}, "versioning", "must be an object, not true or false"),
        ({"location": "eu", "labels": {"a-b": 1}}, 'labels["a-b"]', "must be a string, not a whole number"),
        ({"location": "eu", "labels": []}, "labels", "must be a map, not an object or a list"),
        (
            {"location": "eu", "lifecycleRules": {}},
            "lifecycleRules",
            "must be a list, not an object or a list",
        ),
    ],
)
def test_a_wrong_type_is_named(inputs: dict[str, Any], path: str, reason: str) -> None:
    assert found(inputs) == [Problem(path, reason)]


def test_a_fraction_is_no_whole_number() -> None:
    rule = {"action": {"type": "Delete"}, "condition": {"age": 1.5}}
    (problem,) = found({"location": "eu", "lifecycleRules": [rule]})
    assert problem == Problem("lifecycleRules[0].condition.age", "must be a whole number, not a number")
