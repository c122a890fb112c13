from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from tuneform_emulator.gcp_plugin.rest import PluginError
from tuneform_emulator.gcp_plugin.server import GcpProvider
from tuneform_emulator.gcp_plugin.values import UNKNOWN, Secret, to_struct

Kind = provider_pb2.PropertyDiff
BUCKET = "gcp:storage/bucket:Bucket"
OLD: dict[str, Any] = {
    "name": "b-1",
    "location": "us-central1",
    "labels": {"team": "ml", "a-b": "1"},
    "versioning": {"enabled": True},
    "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 30}}],
    "forceDestroy": False,
}


def diff(token: str, old: dict[str, Any], new: dict[str, Any], **request: Any) -> provider_pb2.DiffResponse:
    return GcpProvider({}).diff(
        provider_pb2.DiffRequest(
            id="x",
            urn=f"urn:pulumi:s::p::{token}::r",
            old_inputs=to_struct(old),
            news=to_struct(new),
            **request,
        )
    )


def kinds(response: provider_pb2.DiffResponse) -> dict[str, int]:
    return {path: entry.kind for path, entry in response.detailedDiff.items()}


def test_equal_inputs_do_not_differ() -> None:
    response = diff(
        BUCKET, OLD, {**OLD, "__defaults": ["project"], "lifecycleRules": [*OLD["lifecycleRules"]]}
    )
    assert response.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert not response.detailedDiff


def test_each_difference_is_named_by_its_path_and_kind() -> None:
    new = {
        **OLD,
        "labels": {"a-b": "2", "extra": "x"},
        "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 31}}],
    }
    response = diff(BUCKET, OLD, new)
    assert response.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert kinds(response) == {
        "labels.team": Kind.DELETE,
        'labels["a-b"]': Kind.UPDATE,
        "labels.extra": Kind.ADD,
        "lifecycleRules[0].condition.age": Kind.UPDATE,
    }
    assert list(response.diffs) == ["labels", "lifecycleRules"]
    assert not response.replaces


def test_a_changed_location_replaces_and_deletes_first_because_the_name_is_taken() -> None:
    response = diff(BUCKET, OLD, {**OLD, "location": "europe-west4"})
    assert list(response.replaces) == ["location"]
    assert kinds(response) == {"location": Kind.UPDATE_REPLACE}
    assert response.deleteBeforeReplace


def test_with_an_automatic_name_the_replacement_comes_first() -> None:
    response = diff(BUCKET, OLD, {**OLD, "location": "europe-west4", "__defaults": ["name"]})
    assert list(response.replaces) == ["location"]
    assert not response.deleteBeforeReplace


@pytest.mark.parametrize(
    ("token", "properties"),
    [
        (BUCKET, ["location", "name", "project"]),
        ("gcp:kms/keyRing:KeyRing", ["location", "name", "project"]),
        ("gcp:kms/cryptoKey:CryptoKey", ["keyRing", "name", "purpose"]),
        ("gcp:serviceaccount/account:Account", ["accountId", "project"]),
        ("gcp:projects/service:Service", ["project", "service"]),
        ("gcp:projects/serviceIdentity:ServiceIdentity", ["project", "service"]),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", ["bucket", "member", "role"]),
        ("gcp:projects/iAMMember:IAMMember", ["member", "project", "role"]),
    ],
)
def test_what_cannot_change_in_place_forces_a_replacement(token: str, properties: list[str]) -> None:
    old = {name: f"{name}:old" for name in properties}
    for name in properties:
        assert list(diff(token, old, {**old, name: f"{name}:new"}).replaces) == [name]


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (BUCKET, {"location": "us-central1"}, {"location": "US-CENTRAL1"}),
        (BUCKET, {"labels": {}}, {}),
        (
            BUCKET,
            {"lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 1, "withState": "ANY"}}]},
            {"lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 1}}]},
        ),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", {"bucket": "b/x"}, {"bucket": "x"}),
        ("gcp:projects/iAMMember:IAMMember", {"project": "projects/p"}, {"project": "p"}),
        ("gcp:projects/iAMMember:IAMMember", {"member": "user:A@b.c"}, {"member": "user:a@b.c"}),
        (
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
            {"cryptoKeyId": "p/eu/r/k"},
            {"cryptoKeyId": "projects/p/locations/eu/keyRings/r/cryptoKeys/k"},
        ),
        ("gcp:serviceaccount/account:Account", {"disabled": False, "description": ""}, {}),
    ],
)
def test_spellings_that_mean_the_same_do_not_differ(
    token: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert diff(token, old, new).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_members_of_federation_keep_their_case() -> None:
    token = "gcp:projects/iAMMember:IAMMember"
    old, new = {"member": "principal://iam/A"}, {"member": "principal://iam/a"}
    assert diff(token, old, new).changes == provider_pb2.DiffResponse.DIFF_SOME


def test_what_the_program_leaves_to_the_service_does_not_differ() -> None:
    new = {name: value for name, value in OLD.items() if name != "versioning"}
    assert diff(BUCKET, OLD, new).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_lifecycle_rules_that_are_taken_out_do_differ() -> None:
    new = {name: value for name, value in OLD.items() if name != "lifecycleRules"}
    assert kinds(diff(BUCKET, OLD, new)) == {"lifecycleRules": Kind.DELETE}


def test_an_unknown_value_differs_and_replaces_where_it_must() -> None:
    assert kinds(diff(BUCKET, OLD, {**OLD, "labels": UNKNOWN})) == {"labels": Kind.UPDATE}
    assert list(diff(BUCKET, OLD, {**OLD, "location": UNKNOWN}).replaces) == ["location"]


def test_a_secret_is_compared_by_its_value() -> None:
    same = diff(BUCKET, OLD, {**OLD, "labels": Secret(OLD["labels"])})
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_ignored_properties_do_not_differ() -> None:
    response = diff(BUCKET, OLD, {**OLD, "labels": {}}, ignoreChanges=["labels"])
    assert response.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_another_resource_type_is_rejected_by_name() -> None:
    with pytest.raises(PluginError, match="does not support the resource type gcp:pubsub/topic:Topic"):
        diff("gcp:pubsub/topic:Topic", {}, {})
