from __future__ import annotations

from datetime import timedelta

import pytest
from google.api_core import exceptions
from google.cloud import kms_v1
from google.iam.v1 import policy_pb2
from tests.functional.emulators import Emulator

from tuneform_emulator.services import agents
from tuneform_emulator.services.iam_policy import ENCRYPTER
from tuneform_emulator.services.kms import cryptokeys

Purpose = kms_v1.CryptoKey.CryptoKeyPurpose
State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState


def place(emulator: Emulator, location: str = "us-central1") -> str:
    return f"projects/{emulator.project}/locations/{location}"


def make_key(emulator: Emulator, location: str = "us-central1") -> kms_v1.CryptoKey:
    client = emulator.kms()
    ring = client.create_key_ring(
        request={"parent": place(emulator, location), "key_ring_id": "tuning", "key_ring": {}}
    )
    key = {
        "purpose": Purpose.ENCRYPT_DECRYPT,
        "rotation_period": timedelta(days=90),
        "next_rotation_time": emulator.world.clock.now() + timedelta(days=90),
        "labels": {"team": "support"},
    }
    return client.create_crypto_key(
        request={"parent": ring.name, "crypto_key_id": "tuning", "crypto_key": key}
    )


def grant(emulator: Emulator, key: str, email: str) -> None:
    client = emulator.kms()
    policy = client.get_iam_policy(request={"resource": key})
    policy.bindings.append(policy_pb2.Binding(role=ENCRYPTER, members=[f"serviceAccount:{email}"]))
    client.set_iam_policy(request={"resource": key, "policy": policy})


def test_a_key_reads_back_with_its_primary_version(emulator: Emulator) -> None:
    name = make_key(emulator).name
    key = emulator.kms().get_crypto_key(name=name)
    assert key.name == f"{place(emulator)}/keyRings/tuning/cryptoKeys/tuning"
    assert key.purpose == Purpose.ENCRYPT_DECRYPT
    assert key.rotation_period == timedelta(days=90)
    assert key.primary.name == f"{name}/cryptoKeyVersions/1"
    assert key.primary.state == State.ENABLED
    assert key.primary.protection_level == kms_v1.ProtectionLevel.SOFTWARE
    assert dict(key.labels) == {"team": "support"}


def test_rings_and_keys_exist_once(emulator: Emulator) -> None:
    make_key(emulator)
    client = emulator.kms()
    with pytest.raises(exceptions.Conflict, match="keyRings/tuning already exists"):
        client.create_key_ring(request={"parent": place(emulator), "key_ring_id": "tuning", "key_ring": {}})
    with pytest.raises(exceptions.Conflict, match="cryptoKeys/tuning already exists"):
        client.create_crypto_key(
            request={
                "parent": f"{place(emulator)}/keyRings/tuning",
                "crypto_key_id": "tuning",
                "crypto_key": {"purpose": Purpose.ENCRYPT_DECRYPT},
            }
        )


def test_rings_and_keys_are_listed_where_they_are(emulator: Emulator) -> None:
    key = make_key(emulator)
    client = emulator.kms()
    client.create_key_ring(
        request={"parent": place(emulator, "europe-west4"), "key_ring_id": "b", "key_ring": {}}
    )
    assert [ring.name for ring in client.list_key_rings(parent=place(emulator))] == [
        f"{place(emulator)}/keyRings/tuning"
    ]
    assert [found.name for found in client.list_crypto_keys(parent=f"{place(emulator)}/keyRings/tuning")] == [
        key.name
    ]
    by_number = client.list_key_rings(parent=f"projects/{emulator.number}/locations/us-central1")
    assert [ring.name for ring in by_number] == [f"{place(emulator)}/keyRings/tuning"]


def test_a_place_that_does_not_exist_is_not_found(emulator: Emulator) -> None:
    with pytest.raises(exceptions.NotFound, match="Location 'mars' not found"):
        emulator.kms().list_key_rings(parent=place(emulator, "mars"))
    with pytest.raises(exceptions.NotFound, match=r"KeyRing .*nothing not found"):
        emulator.kms().list_crypto_keys(parent=f"{place(emulator)}/keyRings/nothing")


def test_a_rotation_that_kms_refuses_is_refused(emulator: Emulator) -> None:
    make_key(emulator)
    key = {"purpose": Purpose.ENCRYPT_DECRYPT, "rotation_period": timedelta(days=90)}
    request = {"parent": f"{place(emulator)}/keyRings/tuning", "crypto_key_id": "b", "crypto_key": key}
    with pytest.raises(exceptions.BadRequest, match="next_rotation_time"):
        emulator.kms().create_crypto_key(request=request)


def test_another_purpose_says_that_it_is_not_emulated(emulator: Emulator) -> None:
    make_key(emulator)
    request = {
        "parent": f"{place(emulator)}/keyRings/tuning",
        "crypto_key_id": "sign",
        "crypto_key": {"purpose": Purpose.ASYMMETRIC_SIGN},
    }
    with pytest.raises(exceptions.MethodNotImplemented, match="purpose"):
        emulator.kms().create_crypto_key(request=request)


def test_an_update_honours_its_mask(emulator: Emulator) -> None:
    key = make_key(emulator)
    key.labels = {"team": "sales"}
    key.rotation_period = timedelta(days=30)
    changed = emulator.kms().update_crypto_key(crypto_key=key, update_mask={"paths": ["labels"]})
    assert dict(changed.labels) == {"team": "sales"}
    assert changed.rotation_period == timedelta(days=90)


def test_a_policy_is_changed_under_its_etag(emulator: Emulator) -> None:
    key = make_key(emulator).name
    client = emulator.kms()
    stale = client.get_iam_policy(request={"resource": key})
    grant(emulator, key, agents.storage(emulator.number))
    assert cryptokeys.usable_by(emulator.world, key, agents.storage(emulator.number))
    assert not cryptokeys.usable_by(emulator.world, key, agents.tuning(emulator.number))
    with pytest.raises(exceptions.Conflict, match="concurrent policy changes"):
        client.set_iam_policy(request={"resource": key, "policy": stale})
    answer = client.test_iam_permissions(
        request={"resource": key, "permissions": ["cloudkms.cryptoKeys.get"]}
    )
    assert list(answer.permissions) == ["cloudkms.cryptoKeys.get"]


def test_a_destroyed_version_can_be_restored_and_is_disabled_then(emulator: Emulator) -> None:
    version = make_key(emulator).primary.name
    client = emulator.kms()
    assert client.destroy_crypto_key_version(name=version).state == State.DESTROY_SCHEDULED
    with pytest.raises(exceptions.BadRequest, match="DESTROY_SCHEDULED"):
        client.destroy_crypto_key_version(name=version)
    assert client.restore_crypto_key_version(name=version).state == State.DISABLED
    assert [
        found.state for found in client.list_crypto_key_versions(parent=version.rpartition("/cryptoKeyV")[0])
    ] == [State.DISABLED]


def test_a_bucket_encrypts_with_its_default_key_once_the_agent_may_use_it(emulator: Emulator) -> None:
    key = make_key(emulator).name
    bucket = emulator.storage().bucket("team-data")
    bucket.default_kms_key_name = key
    with pytest.raises(exceptions.Forbidden, match="Permission denied on Cloud KMS key"):
        bucket.create(location="us-central1")
    grant(emulator, key, agents.storage(emulator.number))
    bucket.create(location="us-central1")

    blob = bucket.blob("a")
    blob.upload_from_string(b"secret")
    assert emulator.storage().get_bucket("team-data").default_kms_key_name == key
    assert bucket.get_blob("a").kms_key_name == f"{key}/cryptoKeyVersions/1"
    assert bucket.copy_blob(blob, bucket, "b").kms_key_name == f"{key}/cryptoKeyVersions/1"


def test_a_revoked_key_makes_objects_unreadable(emulator: Emulator) -> None:
    key = make_key(emulator)
    grant(emulator, key.name, agents.storage(emulator.number))
    bucket = emulator.storage().bucket("team-data")
    bucket.default_kms_key_name = key.name
    bucket.create(location="us-central1")
    bucket.blob("a").upload_from_string(b"secret")
    emulator.kms().destroy_crypto_key_version(name=key.primary.name)
    with pytest.raises(exceptions.Forbidden, match="Permission denied on Cloud KMS key"):
        bucket.blob("a").download_as_bytes()


def test_a_key_of_another_location_is_refused(emulator: Emulator) -> None:
    bucket = emulator.storage().bucket("team-data")
    bucket.default_kms_key_name = make_key(emulator, "europe-west4").name
    with pytest.raises(exceptions.BadRequest, match="location 'europe-west4' does not match"):
        bucket.create(location="us-central1")
