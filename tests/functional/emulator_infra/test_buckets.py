from __future__ import annotations

import pytest
from google.api_core import exceptions
from google.cloud import storage
from tests.functional.emulators import Emulator


def make(emulator: Emulator, name: str = "team-data", location: str = "us-central1") -> storage.Bucket:
    return emulator.storage().create_bucket(name, location=location)


def test_a_new_bucket_reads_back_as_it_was_asked_for(emulator: Emulator) -> None:
    wanted = emulator.storage().bucket("team-data")
    wanted.storage_class = "STANDARD"
    wanted.versioning_enabled = True
    wanted.labels = {"team": "support"}
    wanted.iam_configuration.uniform_bucket_level_access_enabled = True
    wanted.iam_configuration.public_access_prevention = "enforced"
    wanted.add_lifecycle_delete_rule(age=30, number_of_newer_versions=2)
    wanted.create(location="us-central1")

    found = emulator.storage().get_bucket("team-data")
    assert found.location == "US-CENTRAL1"
    assert found.location_type == "region"
    assert found.versioning_enabled is True
    assert found.labels == {"team": "support"}
    assert found.iam_configuration.uniform_bucket_level_access_enabled is True
    assert found.iam_configuration.uniform_bucket_level_access_locked_time is not None
    assert found.iam_configuration.public_access_prevention == "enforced"
    assert [dict(rule) for rule in found.lifecycle_rules] == [
        {"action": {"type": "Delete"}, "condition": {"age": 30, "numNewerVersions": 2}}
    ]
    assert str(found.project_number) == emulator.number
    assert found.metageneration == 1
    assert found.time_created is not None
    assert found.etag


def test_a_patch_changes_what_it_names_and_counts_the_metageneration(emulator: Emulator) -> None:
    bucket = make(emulator)
    before = bucket.etag
    bucket.labels = {"a": "1", "b": "2"}
    bucket.patch()
    bucket.labels = {"b": "3"}
    bucket.versioning_enabled = True
    bucket.patch()

    found = emulator.storage().get_bucket("team-data")
    assert found.labels == {"b": "3"}
    assert found.versioning_enabled is True
    assert found.storage_class == "STANDARD"
    assert found.metageneration == 3
    assert found.etag != before


def test_an_update_removes_what_it_leaves_out(emulator: Emulator) -> None:
    make(emulator).add_lifecycle_delete_rule(age=1)
    emulator.call("PATCH", "/storage/v1/b/team-data", json={"labels": {"a": "1"}})
    answer = emulator.call("PUT", "/storage/v1/b/team-data", json={"versioning": {"enabled": True}}).json()
    assert "labels" not in answer
    assert answer["versioning"] == {"enabled": True}
    assert answer["location"] == "US-CENTRAL1"


def test_a_stale_metageneration_is_refused(emulator: Emulator) -> None:
    bucket = make(emulator)
    bucket.labels = {"a": "1"}
    bucket.patch()
    bucket.labels = {"a": "2"}
    with pytest.raises(exceptions.PreconditionFailed, match="ifMetagenerationMatch"):
        bucket.patch(if_metageneration_match=1)


def test_uniform_access_can_be_turned_off_again(emulator: Emulator) -> None:
    bucket = make(emulator)
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.patch()
    bucket.iam_configuration.uniform_bucket_level_access_enabled = False
    bucket.patch()
    found = emulator.storage().get_bucket("team-data").iam_configuration
    assert found.uniform_bucket_level_access_enabled is False
    assert found.uniform_bucket_level_access_locked_time is None


def test_names_are_global_and_the_owner_is_told_so(emulator: Emulator) -> None:
    make(emulator)
    with pytest.raises(exceptions.Conflict, match="you already own it"):
        make(emulator)
    with pytest.raises(exceptions.Conflict, match="not available"):
        emulator.storage().create_bucket("team-data", project="another-project")


@pytest.mark.parametrize("name", ["UPPER", "ab", "-dash", "google-data"])
def test_a_bad_name_is_refused(emulator: Emulator, name: str) -> None:
    answer = emulator.call("POST", "/storage/v1/b", params={"project": emulator.project}, json={"name": name})
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": 400,
        "message": f"Invalid bucket name: '{name}'",
        "errors": [{"domain": "global", "reason": "invalid", "message": f"Invalid bucket name: '{name}'"}],
    }


def test_the_location_of_a_bucket_stays(emulator: Emulator) -> None:
    make(emulator)
    answer = emulator.call("PATCH", "/storage/v1/b/team-data", json={"location": "EU"})
    assert answer.status_code == 400
    with pytest.raises(exceptions.BadRequest, match="location constraint"):
        make(emulator, "elsewhere", "mars")


def test_a_field_the_emulator_does_not_know_is_named(emulator: Emulator) -> None:
    make(emulator)
    answer = emulator.call(
        "PATCH", "/storage/v1/b/team-data", json={"retentionPolicy": {"retentionPeriod": "9"}}
    )
    assert answer.status_code == 501
    assert "'retentionPolicy' of Bucket" in answer.json()["error"]["message"]


def test_a_bucket_with_only_noncurrent_objects_is_not_empty(emulator: Emulator) -> None:
    bucket = make(emulator)
    bucket.versioning_enabled = True
    bucket.patch()
    blob = bucket.blob("a.jsonl")
    blob.upload_from_string(b"1")
    generation = blob.generation
    bucket.delete_blob("a.jsonl")

    with pytest.raises(exceptions.Conflict, match="not empty"):
        bucket.delete()
    bucket.blob("a.jsonl", generation=generation).delete()
    bucket.delete()
    assert emulator.storage().lookup_bucket("team-data") is None


def test_buckets_are_listed_by_project_and_prefix_in_pages(emulator: Emulator) -> None:
    for name in ("alpha-1", "alpha-2", "beta-1"):
        make(emulator, name)
    emulator.storage().create_bucket("alpha-3", project="another-project")
    client = emulator.storage()
    assert [found.name for found in client.list_buckets(prefix="alpha")] == ["alpha-1", "alpha-2"]
    assert [found.name for found in client.list_buckets(page_size=1)] == ["alpha-1", "alpha-2", "beta-1"]


def test_the_storage_agent_belongs_to_the_project(emulator: Emulator) -> None:
    email = emulator.storage().get_service_account_email()
    assert email == f"service-{emulator.number}@gs-project-accounts.iam.gserviceaccount.com"


def test_a_policy_is_changed_under_its_etag(emulator: Emulator) -> None:
    bucket = make(emulator)
    policy = bucket.get_iam_policy(requested_policy_version=3)
    defaults = {binding["role"] for binding in policy.bindings}
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"user:ada@example.com"}})
    bucket.set_iam_policy(policy)

    found = bucket.get_iam_policy(requested_policy_version=3)
    assert {binding["role"] for binding in found.bindings} == {*defaults, "roles/storage.objectViewer"}
    assert found.etag != policy.etag
    with pytest.raises(exceptions.PreconditionFailed, match="concurrent policy changes"):
        bucket.set_iam_policy(policy)
    assert bucket.test_iam_permissions(["storage.objects.get"]) == ["storage.objects.get"]


def test_the_public_is_kept_out_where_public_access_is_prevented(emulator: Emulator) -> None:
    bucket = make(emulator)
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.patch()
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"allUsers"}})
    with pytest.raises(exceptions.PreconditionFailed, match="public access prevention"):
        bucket.set_iam_policy(policy)


def test_a_missing_bucket_is_not_found(emulator: Emulator) -> None:
    with pytest.raises(exceptions.NotFound, match="The specified bucket does not exist"):
        emulator.storage().get_bucket("nowhere")
