from __future__ import annotations

from typing import Any

import pytest
from tests.functional.emulators import Emulator

WRONG: tuple[Any, ...] = (5, "x", [1], [None], {"q": 1}, True, {"a": None}, None)
KEYS = "/v1/projects/p1/locations/us-central1/keyRings/ring/cryptoKeys"
ACCOUNTS = "/v1/projects/p1/serviceAccounts"
ACCOUNT = f"{ACCOUNTS}/tuner-1@p1.iam.gserviceaccount.com"


@pytest.fixture
def furnished(emulator: Emulator) -> Emulator:
    """One of each resource."""
    emulator.call("POST", "/storage/v1/b?project=p1", json={"name": "bucket"})
    emulator.call("POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name=a", data=b"1")
    emulator.call("POST", "/v1/projects/p1/locations/us-central1/keyRings?keyRingId=ring", json={})
    emulator.call("POST", KEYS + "?cryptoKeyId=key", json={"purpose": "ENCRYPT_DECRYPT"})
    made = emulator.call("POST", ACCOUNTS, json={"accountId": "tuner-1"})
    assert made.status_code == 200
    return emulator


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("POST", "/storage/v1/b?project=p1", "name location"),
        (
            "PATCH",
            "/storage/v1/b/bucket",
            "location storageClass labels versioning lifecycle encryption iamConfiguration",
        ),
        ("PATCH", "/storage/v1/b/bucket/o/a", "metadata contentType storageClass customTime crc32c"),
        ("POST", "/storage/v1/b/bucket/o/a/copyTo/b/bucket/o/c", "metadata contentType storageClass md5Hash"),
        ("POST", "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=z", "metadata contentType"),
        ("PUT", "/storage/v1/b/bucket/iam", "bindings etag version"),
        ("POST", KEYS + "/key:setIamPolicy", "policy"),
        ("POST", "/v3/projects/p1:testIamPermissions", "permissions"),
        ("POST", KEYS + "?cryptoKeyId=new", "purpose labels rotationPeriod nextRotationTime versionTemplate"),
        ("PATCH", KEYS + "/key?updateMask=labels,versionTemplate", "labels versionTemplate"),
        ("POST", KEYS + "/key:updatePrimaryVersion", "cryptoKeyVersionId"),
        ("POST", ACCOUNTS, "accountId serviceAccount"),
        ("PATCH", ACCOUNT, "serviceAccount updateMask"),
        ("PUT", ACCOUNT, "displayName description etag"),
        ("POST", "/v1/projects/p1/services:batchEnable", "serviceIds"),
    ],
)
def test_a_value_of_the_wrong_type_never_breaks_the_emulator(
    furnished: Emulator, method: str, path: str, fields: str
) -> None:
    for field in fields.split():
        for value in WRONG:
            answer = furnished.call(method, path, json={field: value})
            assert answer.status_code < 500 or answer.status_code == 501, (field, value, answer.text)
    # Whatever was accepted has left everything readable.
    for intact in (
        "/storage/v1/b/bucket",
        "/storage/v1/b/bucket/iam",
        "/storage/v1/b/bucket/o",
        KEYS,
        ACCOUNTS,
    ):
        assert furnished.call("GET", intact).status_code == 200
