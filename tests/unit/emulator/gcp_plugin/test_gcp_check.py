from __future__ import annotations

from typing import Any

import pytest

from tuneform_emulator.gcp_plugin.checking import Checked, check
from tuneform_emulator.gcp_plugin.resources import RESOURCES, Context
from tuneform_emulator.gcp_plugin.rest import Rest
from tuneform_emulator.gcp_plugin.values import UNKNOWN, Secret

NOWHERE = Context(Rest("http://127.0.0.1:1"), project="p1")
KEY = "projects/p1/locations/eu/keyRings/r/cryptoKeys/k"


def checked(
    token: str, news: dict[str, Any], olds: dict[str, Any] | None = None, seed: bytes = b"s"
) -> Checked:
    return check(RESOURCES[token], news, olds or {}, NOWHERE, name="thing", seed=seed)


def test_a_bucket_gets_the_real_providers_defaults() -> None:
    result = checked("gcp:storage/bucket:Bucket", {"name": "b-1", "location": "eu"})
    assert result.problems == ()
    assert result.inputs == {
        "name": "b-1",
        "location": "eu",
        "project": "p1",
        "storageClass": "STANDARD",
        "forceDestroy": False,
        "deletionPolicy": "DELETE",
        "__defaults": ["deletionPolicy", "forceDestroy", "project", "storageClass"],
    }


def test_what_the_program_gives_wins_over_defaults() -> None:
    given = {"keyRing": "r", "name": "k", "purpose": UNKNOWN, "deletionPolicy": "ABANDON"}
    result = checked("gcp:kms/cryptoKey:CryptoKey", given)
    assert result.inputs["purpose"] is UNKNOWN
    assert result.inputs["deletionPolicy"] == "ABANDON"
    assert result.inputs["__defaults"] == ["skipInitialVersionCreation"]


def test_secrets_stay_wrapped() -> None:
    result = checked("gcp:storage/bucket:Bucket", {"name": Secret("b-1"), "location": "eu"})
    assert result.inputs["name"] == Secret("b-1")


def test_an_automatic_name_is_stable_for_a_seed_and_kept_later() -> None:
    token = "gcp:kms/keyRing:KeyRing"
    first = checked(token, {"location": "eu"})
    assert first.inputs["name"].startswith("thing-")
    assert checked(token, {"location": "eu"}).inputs == first.inputs
    assert checked(token, {"location": "eu"}, first.inputs, seed=b"t").inputs == first.inputs
    assert checked(token, {"location": "eu"}, seed=b"t").inputs["name"] != first.inputs["name"]


def test_a_name_that_the_program_gave_before_is_not_taken_for_an_automatic_one() -> None:
    token = "gcp:kms/keyRing:KeyRing"
    before = checked(token, {"location": "eu", "name": "given"}).inputs
    assert checked(token, {"location": "eu"}, before).inputs["name"].startswith("thing-")


def test_a_grant_does_not_take_its_project_from_the_settings() -> None:
    result = checked("gcp:projects/iAMMember:IAMMember", {"role": "roles/viewer", "member": "user:a@b.c"})
    assert [problem.property for problem in result.problems] == ["project"]


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        ("gcp:storage/bucket:Bucket", {"name": "UPPER", "location": "eu"}, "name"),
        (
            "gcp:storage/bucket:Bucket",
            {"location": "eu", "publicAccessPrevention": "on"},
            "publicAccessPrevention",
        ),
        ("gcp:storage/bucket:Bucket", {"location": "eu", "deletionPolicy": "KEEP"}, "deletionPolicy"),
        ("gcp:kms/keyRing:KeyRing", {"location": "eu", "name": "a.b"}, "name"),
        (
            "gcp:kms/cryptoKey:CryptoKey",
            {"keyRing": "r", "name": "k", "rotationPeriod": "90d"},
            "rotationPeriod",
        ),
        (
            "gcp:kms/cryptoKey:CryptoKey",
            {"keyRing": "r", "name": "k", "rotationPeriod": "60s"},
            "rotationPeriod",
        ),
        ("gcp:serviceaccount/account:Account", {"accountId": "short"}, "accountId"),
        ("gcp:projects/service:Service", {"service": "storage"}, "service"),
        ("gcp:projects/serviceIdentity:ServiceIdentity", {"service": "storage"}, "service"),
        (
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            {"bucket": "b", "role": "viewer", "member": "user:a@b.c"},
            "role",
        ),
        (
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            {"bucket": "b", "role": "roles/viewer", "member": "a@b.c"},
            "member",
        ),
        (
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
            {"cryptoKeyId": "k", "role": "roles/viewer", "member": "allUsers"},
            "cryptoKeyId",
        ),
    ],
)
def test_what_the_api_would_refuse_later_is_refused_now(
    token: str, inputs: dict[str, Any], path: str
) -> None:
    assert [problem.property for problem in checked(token, inputs).problems] == [path]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ({}, "lifecycleRules[0].condition"),
        ({"withState": "DEAD"}, "lifecycleRules[0].condition.withState"),
        ({"age": 0}, "lifecycleRules[0].condition.age"),
    ],
)
def test_lifecycle_conditions_that_mean_nothing_are_refused(condition: dict[str, Any], path: str) -> None:
    rule = {"action": {"type": "Delete"}, "condition": condition}
    result = checked("gcp:storage/bucket:Bucket", {"location": "eu", "lifecycleRules": [rule]})
    assert [problem.property for problem in result.problems] == [path]


@pytest.mark.parametrize("key", [KEY, "p1/eu/r/k", "eu/r/k"])
def test_a_key_may_be_named_in_three_forms(key: str) -> None:
    result = checked(
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        {"cryptoKeyId": key, "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": "user:a@b.c"},
    )
    assert result.problems == ()
