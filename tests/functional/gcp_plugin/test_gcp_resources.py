"""Every resource type through its whole life, over gRPC against the emulator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tuneform_emulator.gcp_plugin.server import GcpProvider
from tuneform_emulator.gcp_plugin.values import UNKNOWN, Secret, to_struct

from .driver import PROJECT, Made, Plugin, urn

BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_GRANT = "gcp:storage/bucketIAMMember:BucketIAMMember"
RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_GRANT = "gcp:serviceaccount/iAMMember:IAMMember"
PROJECT_GRANT = "gcp:projects/iAMMember:IAMMember"
SERVICE = "gcp:projects/service:Service"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"

FULL_BUCKET: dict[str, Any] = {
    "name": "data-1",
    "location": "us-central1",
    "labels": {"team": "ml"},
    "storageClass": "NEARLINE",
    "uniformBucketLevelAccess": True,
    "publicAccessPrevention": "enforced",
    "versioning": {"enabled": True},
    "lifecycleRules": [
        {
            "action": {"type": "Delete"},
            "condition": {"age": 30, "numNewerVersions": 3, "withState": "ARCHIVED"},
        }
    ],
}
USER = "user:Someone@example.com"


def ring(plugin: Plugin) -> Made:
    return plugin.create(RING, {"name": "ring", "location": "us-central1"})


def key(plugin: Plugin, **more: Any) -> Made:
    return plugin.create(KEY, {"name": "key", "keyRing": ring(plugin).id, **more})


def account(plugin: Plugin, **more: Any) -> Made:
    return plugin.create(ACCOUNT, {"accountId": "tuning-runner", **more})


def unchanged(plugin: Plugin, made: Made, news: dict[str, Any]) -> bool:
    return bool(plugin.diff(made, news).changes == provider_pb2.DiffResponse.DIFF_NONE)


class TestBucket:
    def test_is_created_with_all_it_was_declared_with(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, FULL_BUCKET)
        live = plugin.api("GET", "storage/v1/b/data-1")
        assert made.id == "data-1"
        assert made.properties["url"] == "gs://data-1"
        assert made.properties["selfLink"] == live["selfLink"]
        assert made.properties["location"] == live["location"] == "US-CENTRAL1"
        assert live["labels"] == {"team": "ml", "goog-pulumi-provisioned": "true"}
        assert made.properties["effectiveLabels"] == made.properties["pulumiLabels"] == live["labels"]
        assert made.properties["labels"] == {"team": "ml"}
        assert live["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"] is True
        assert live["iamConfiguration"]["publicAccessPrevention"] == "enforced"
        assert live["versioning"] == {"enabled": True}
        assert live["lifecycle"]["rule"] == [
            {"action": {"type": "Delete"}, "condition": {"age": 30, "numNewerVersions": 3, "isLive": False}}
        ]

    def test_is_encrypted_with_the_declared_key(self, plugin: Plugin) -> None:
        agent = plugin.invoke("gcp:storage/getProjectServiceAccount:getProjectServiceAccount", {})
        cmek = key(plugin)
        role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
        plugin.create(KEY_GRANT, {"cryptoKeyId": cmek.id, "role": role, "member": agent["member"]})
        news = {**FULL_BUCKET, "encryption": {"defaultKmsKeyName": cmek.id}}
        made = plugin.create(BUCKET, news)
        assert plugin.api("GET", "storage/v1/b/data-1")["encryption"] == {"defaultKmsKeyName": cmek.id}
        without = plugin.update(made, FULL_BUCKET)
        assert "encryption" not in without.properties
        assert "encryption" not in plugin.api("GET", "storage/v1/b/data-1")

    def test_changes_in_place_and_drops_what_is_no_longer_declared(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, FULL_BUCKET)
        plugin.api("PATCH", "storage/v1/b/data-1", {"labels": {"others": "stay"}})
        news = {**FULL_BUCKET, "labels": {"cost": "7"}, "versioning": {"enabled": False}}
        del news["lifecycleRules"]
        made = plugin.update(made, news)
        live = plugin.api("GET", "storage/v1/b/data-1")
        assert live["labels"] == {"cost": "7", "others": "stay", "goog-pulumi-provisioned": "true"}
        assert live["versioning"] == {"enabled": False}
        assert not live.get("lifecycle", {}).get("rule")
        assert unchanged(plugin, made, news)

    def test_import_finds_what_the_same_program_declares(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, FULL_BUCKET)
        for identity in ("data-1", f"{PROJECT}/data-1"):
            found = plugin.imported(BUCKET, identity)
            assert found is not None
            assert found.id == "data-1"
            assert found.inputs["project"] == PROJECT
            assert unchanged(plugin, found, FULL_BUCKET)
            assert found.properties.keys() == made.properties.keys()

    def test_refresh_shows_drift_and_nothing_else(self, plugin: Plugin) -> None:
        minimal = {"name": "data-1", "location": "us-central1", "labels": {"team": "ml"}}
        made = plugin.create(BUCKET, minimal)
        again = plugin.refresh(made)
        assert again is not None
        assert again.inputs == made.inputs
        plugin.api("PATCH", "storage/v1/b/data-1", {"labels": {"team": "other", "added": "x"}})
        drifted = plugin.refresh(made)
        assert drifted is not None
        assert drifted.inputs == {**made.inputs, "labels": {"team": "other"}}
        assert list(plugin.diff(drifted, minimal).detailedDiff) == ["labels.team"]

    def test_with_objects_is_kept_unless_forced(self, plugin: Plugin, endpoint: str) -> None:
        news = {**FULL_BUCKET, "versioning": {"enabled": True}}
        made = plugin.create(BUCKET, news)
        for _ in range(2):
            plugin.api("POST", "upload/storage/v1/b/data-1/o?uploadType=media&name=folder/a%20b", {"x": 1})
        with pytest.raises(grpc.RpcError, match="containing objects without `forceDestroy`"):
            plugin.delete(made)
        plugin.delete(plugin.update(made, {**news, "forceDestroy": True}))
        assert plugin.refresh(made) is None

    def test_that_exists_already_is_an_error_that_says_so(self, plugin: Plugin) -> None:
        plugin.create(BUCKET, FULL_BUCKET)
        with pytest.raises(grpc.RpcError, match="already exists"):
            plugin.create(BUCKET, FULL_BUCKET)

    def test_deleting_one_that_is_gone_is_no_error(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, FULL_BUCKET)
        plugin.delete(made)
        plugin.delete(made)
        assert plugin.refresh(made) is None

    def test_a_change_that_only_pulumi_knows_calls_nothing_that_writes(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, FULL_BUCKET)
        before = plugin.api("GET", "storage/v1/b/data-1")["metageneration"]
        made = plugin.update(made, {**FULL_BUCKET, "forceDestroy": True})
        assert made.properties["forceDestroy"] is True
        assert plugin.api("GET", "storage/v1/b/data-1")["metageneration"] == before


class TestDeletionPolicy:
    def test_prevent_refuses(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, {**FULL_BUCKET, "deletionPolicy": "PREVENT"})
        with pytest.raises(grpc.RpcError, match="deletionPolicy is PREVENT"):
            plugin.delete(made)
        assert plugin.refresh(made) is not None

    def test_abandon_leaves_it_alone(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, {**FULL_BUCKET, "deletionPolicy": "ABANDON"})
        plugin.delete(made)
        assert plugin.refresh(made) is not None


class TestKeys:
    def test_a_key_ring_is_named_in_full_and_outlives_its_state(self, plugin: Plugin) -> None:
        made = ring(plugin)
        assert made.id == f"projects/{PROJECT}/locations/us-central1/keyRings/ring"
        plugin.delete(made)
        for identity in (made.id, f"{PROJECT}/us-central1/ring", "us-central1/ring"):
            found = plugin.imported(RING, identity)
            assert found is not None
            assert found.id == made.id
            assert unchanged(plugin, found, {"name": "ring", "location": "us-central1"})
        with pytest.raises(grpc.RpcError, match="already exists"):
            ring(plugin)

    def test_a_key_is_imported_as_the_same_program_declares_it(self, plugin: Plugin) -> None:
        news = {"rotationPeriod": "7776000s", "labels": {"team": "ml"}}
        made = key(plugin, **news)
        assert made.id == f"projects/{PROJECT}/locations/us-central1/keyRings/ring/cryptoKeys/key"
        (primary,) = made.properties["primaries"]
        assert primary == {"name": f"{made.id}/cryptoKeyVersions/1", "state": "ENABLED"}
        for identity in (made.id, f"{PROJECT}/us-central1/ring/key", "us-central1/ring/key"):
            found = plugin.imported(KEY, identity)
            assert found is not None
            assert found.id == made.id
            assert unchanged(plugin, found, {"name": "key", "keyRing": made.inputs["keyRing"], **news})

    def test_rotation_labels_and_template_change_in_place(self, plugin: Plugin) -> None:
        made = key(plugin, rotationPeriod="7776000s", labels={"a": "1"})
        ring_id = made.inputs["keyRing"]
        template = {"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "HSM"}
        news = {"name": "key", "keyRing": ring_id, "rotationPeriod": "8000000s", "versionTemplate": template}
        made = plugin.update(made, news)
        live = plugin.api("GET", f"v1/{made.id}")
        assert live["rotationPeriod"] == "8000000s"
        assert live["labels"] == {"goog-pulumi-provisioned": "true"}
        assert live["versionTemplate"] == template
        made = plugin.update(made, {"name": "key", "keyRing": ring_id})
        live = plugin.api("GET", f"v1/{made.id}")
        assert "rotationPeriod" not in live
        assert "nextRotationTime" not in live

    def test_destroying_a_key_destroys_its_versions_and_stops_its_rotation(self, plugin: Plugin) -> None:
        made = key(plugin, rotationPeriod="7776000s")
        plugin.delete(made)
        live = plugin.api("GET", f"v1/{made.id}")
        assert "rotationPeriod" not in live
        versions = plugin.api("GET", f"v1/{made.id}/cryptoKeyVersions")["cryptoKeyVersions"]
        assert [version["state"] for version in versions] == ["DESTROY_SCHEDULED"]

    def test_a_retained_key_stays_usable(self, plugin: Plugin) -> None:
        made = key(plugin, deletionPolicy="ABANDON")
        plugin.delete(made)
        assert plugin.api("GET", f"v1/{made.id}")["primary"]["state"] == "ENABLED"


class TestAccount:
    def test_is_created_changed_disabled_and_deleted(self, plugin: Plugin) -> None:
        made = account(plugin, displayName="Tuning")
        email = f"tuning-runner@{PROJECT}.iam.gserviceaccount.com"
        assert made.id == made.properties["name"] == f"projects/{PROJECT}/serviceAccounts/{email}"
        assert made.properties["email"] == email
        assert made.properties["member"] == f"serviceAccount:{email}"
        made = plugin.update(
            made, {"accountId": "tuning-runner", "description": "Runs jobs", "disabled": True}
        )
        live = plugin.api("GET", f"v1/{made.id}")
        assert (live.get("displayName", ""), live["description"], live["disabled"]) == ("", "Runs jobs", True)
        made = plugin.update(made, {"accountId": "tuning-runner"})
        assert not plugin.api("GET", f"v1/{made.id}").get("disabled")
        plugin.delete(made)
        assert plugin.refresh(made) is None

    def test_import_finds_what_the_same_program_declares(self, plugin: Plugin) -> None:
        news = {"accountId": "tuning-runner", "displayName": "Tuning"}
        made = account(plugin, displayName="Tuning")
        found = plugin.imported(ACCOUNT, made.id)
        assert found is not None
        assert unchanged(plugin, found, news)

    def test_that_exists_already_is_refused_or_taken_as_told(self, plugin: Plugin) -> None:
        made = account(plugin)
        with pytest.raises(grpc.RpcError, match="already exists"):
            account(plugin)
        taken = account(plugin, createIgnoreAlreadyExists=True)
        assert taken.properties["uniqueId"] == made.properties["uniqueId"]

    def test_a_preview_tells_the_address_and_calls_nothing(self, plugin: Plugin) -> None:
        before = plugin.calls()
        outputs = plugin.preview(ACCOUNT, {"accountId": "tuning-runner"})
        assert outputs["email"] == f"tuning-runner@{PROJECT}.iam.gserviceaccount.com"
        assert outputs["uniqueId"] is UNKNOWN
        assert plugin.preview(ACCOUNT, {"accountId": UNKNOWN})["email"] is UNKNOWN
        assert plugin.calls() == before


class TestServices:
    def test_a_service_is_enabled_and_stays_so_when_it_is_dropped(self, plugin: Plugin) -> None:
        made = plugin.create(SERVICE, {"service": "aiplatform.googleapis.com"})
        assert made.id == f"{PROJECT}/aiplatform.googleapis.com"
        assert plugin.create(SERVICE, {"service": "aiplatform.googleapis.com"}).id == made.id
        found = plugin.imported(SERVICE, made.id)
        assert found is not None
        assert unchanged(plugin, found, {"service": "aiplatform.googleapis.com"})
        plugin.delete(made)
        assert plugin.refresh(made) is not None

    def test_a_service_is_disabled_only_when_told(self, plugin: Plugin) -> None:
        made = plugin.create(SERVICE, {"service": "aiplatform.googleapis.com", "disableOnDestroy": True})
        plugin.delete(made)
        assert plugin.refresh(made) is None

    def test_the_agent_of_vertex_has_its_known_address(self, plugin: Plugin) -> None:
        made = plugin.create(IDENTITY, {"service": "aiplatform.googleapis.com"})
        number = plugin.invoke("gcp:organizations/getProject:getProject", {})["number"]
        email = f"service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"
        assert made.id == f"projects/{PROJECT}/services/aiplatform.googleapis.com"
        assert made.properties["email"] == email
        assert made.properties["member"] == f"serviceAccount:{email}"
        assert plugin.refresh(made) == made
        plugin.delete(made)
        with pytest.raises(grpc.RpcError, match="does not support import"):
            plugin.imported(IDENTITY, made.id)


class TestGrants:
    @pytest.fixture
    def grants(self, plugin: Plugin) -> dict[str, dict[str, Any]]:
        """Each kind of grant on a resource that exists."""
        plugin.create(BUCKET, FULL_BUCKET)
        return {
            BUCKET_GRANT: {"bucket": "data-1", "role": "roles/storage.objectViewer", "member": USER},
            KEY_GRANT: {"cryptoKeyId": key(plugin).id, "role": "roles/cloudkms.viewer", "member": USER},
            ACCOUNT_GRANT: {
                "serviceAccountId": account(plugin).id,
                "role": "roles/iam.serviceAccountTokenCreator",
                "member": USER,
            },
            PROJECT_GRANT: {"project": PROJECT, "role": f"projects/{PROJECT}/roles/own.role", "member": USER},
        }

    def test_are_made_once_found_imported_and_taken_back(
        self, plugin: Plugin, grants: dict[str, dict[str, Any]]
    ) -> None:
        for token, news in grants.items():
            made = plugin.create(token, news)
            assert plugin.create(token, news).id == made.id
            assert made.id.endswith(f"/{news['role']}/user:someone@example.com")
            assert made.properties["etag"]
            resource = made.id.removesuffix(f"/{news['role']}/user:someone@example.com")
            for identity in (made.id, f"{resource} {news['role']} {news['member']}"):
                found = plugin.imported(token, identity)
                assert found is not None
                assert found.id == made.id
                assert unchanged(plugin, found, news)
            again = plugin.refresh(made)
            assert again is not None
            assert again.inputs == made.inputs
            plugin.delete(made)
            assert plugin.refresh(made) is None
            plugin.delete(made)

    def test_ids_are_those_of_the_real_provider(
        self, plugin: Plugin, grants: dict[str, dict[str, Any]]
    ) -> None:
        member = "user:someone@example.com"
        made = {token: plugin.create(token, news).id for token, news in grants.items()}
        email = f"tuning-runner@{PROJECT}.iam.gserviceaccount.com"
        key_id = grants[KEY_GRANT]["cryptoKeyId"]
        assert made == {
            BUCKET_GRANT: f"b/data-1/roles/storage.objectViewer/{member}",
            KEY_GRANT: f"{key_id}/roles/cloudkms.viewer/{member}",
            ACCOUNT_GRANT: f"projects/{PROJECT}/serviceAccounts/{email}/roles/iam.serviceAccountTokenCreator/{member}",
            PROJECT_GRANT: f"{PROJECT}/projects/{PROJECT}/roles/own.role/{member}",
        }

    def test_leave_all_other_grants_alone(self, plugin: Plugin) -> None:
        first = plugin.create(PROJECT_GRANT, {"project": PROJECT, "role": "roles/viewer", "member": USER})
        second = {"project": PROJECT, "role": "roles/viewer", "member": "user:other@example.com"}
        plugin.create(PROJECT_GRANT, second)
        plugin.delete(first)
        policy = plugin.api("POST", f"v1/projects/{PROJECT}:getIamPolicy", {})
        assert policy["bindings"] == [{"role": "roles/viewer", "members": ["user:other@example.com"]}]

    def test_many_at_once_are_all_there_in_the_end(self, plugin: Plugin) -> None:
        members = [f"user:person-{number}@example.com" for number in range(24)]

        def grant(member: str) -> Made:
            return plugin.create(
                PROJECT_GRANT, {"project": PROJECT, "role": "roles/viewer", "member": member}
            )

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(grant, members))
        (binding,) = plugin.api("POST", f"v1/projects/{PROJECT}:getIamPolicy", {})["bindings"]
        assert sorted(binding["members"]) == sorted(members)

    def test_two_plugins_at_once_lose_no_grant(self, plugin: Plugin) -> None:
        members = [f"user:person-{number}@example.com" for number in range(16)]
        providers = [GcpProvider({"TUNEFORM_ENDPOINT": plugin.endpoint}) for _ in range(2)]
        for provider in providers:
            provider.configure(provider_pb2.ConfigureRequest())

        def grant(number: int) -> str:
            inputs = {"project": PROJECT, "role": "roles/viewer", "member": members[number]}
            request = provider_pb2.CreateRequest(urn=urn(PROJECT_GRANT), properties=to_struct(inputs))
            return providers[number % 2].create(request).id

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(grant, range(16)))) == 16
        (binding,) = plugin.api("POST", f"v1/projects/{PROJECT}:getIamPolicy", {})["bindings"]
        assert sorted(binding["members"]) == sorted(members)

    def test_on_a_resource_that_is_gone_count_as_gone(self, plugin: Plugin) -> None:
        bucket = plugin.create(BUCKET, FULL_BUCKET)
        made = plugin.create(
            BUCKET_GRANT, {"bucket": "data-1", "role": "roles/storage.objectViewer", "member": USER}
        )
        plugin.delete(bucket)
        assert plugin.refresh(made) is None
        plugin.delete(made)

    def test_both_tokens_of_a_type_mean_the_same(self, plugin: Plugin) -> None:
        made = account(plugin)
        found = plugin.imported("gcp:serviceAccount/account:Account", made.id)
        assert found is not None
        assert found.properties == made.properties


class TestInvokes:
    def test_a_project_tells_its_number(self, plugin: Plugin) -> None:
        found = plugin.invoke("gcp:organizations/getProject:getProject", {"projectId": "other-project"})
        assert found["projectId"] == "other-project"
        assert found["number"] == plugin.api("GET", "v1/projects/other-project")["projectNumber"]

    def test_the_storage_agent_tells_its_address(self, plugin: Plugin) -> None:
        found = plugin.invoke("gcp:storage/getProjectServiceAccount:getProjectServiceAccount", {})
        assert found["project"] == PROJECT
        assert found["member"] == f"serviceAccount:{found['emailAddress']}"
        assert found["emailAddress"].endswith("gs-project-accounts.iam.gserviceaccount.com")

    def test_another_function_is_rejected_by_name(self, plugin: Plugin) -> None:
        with pytest.raises(
            grpc.RpcError, match="does not support the function gcp:kms/getKMSKeyRing:getKMSKeyRing"
        ):
            plugin.invoke("gcp:kms/getKMSKeyRing:getKMSKeyRing", {})


class TestPreviewsAndSecrets:
    def test_a_preview_of_a_creation_tells_the_known_and_calls_nothing(self, plugin: Plugin) -> None:
        before = plugin.calls()
        outputs = plugin.preview(BUCKET, {**FULL_BUCKET, "labels": UNKNOWN})
        assert plugin.calls() == before
        assert outputs["name"] == "data-1"
        assert outputs["labels"] is outputs["url"] is outputs["effectiveLabels"] is UNKNOWN
        assert "__defaults" not in outputs

    def test_a_preview_of_a_change_tells_the_new_inputs_and_calls_nothing(self, plugin: Plugin) -> None:
        made = plugin.create(BUCKET, FULL_BUCKET)
        before = plugin.calls()
        planned = plugin.update(made, {**FULL_BUCKET, "labels": {"team": "new"}}, preview=True)
        assert plugin.calls() == before
        assert planned.properties["labels"] == {"team": "new"}
        assert planned.properties["url"] == made.properties["url"]

    def test_a_secret_input_stays_secret_in_the_state(self, plugin: Plugin) -> None:
        made = plugin.create(ACCOUNT, {"accountId": "tuning-runner", "description": Secret("hush")})
        assert plugin.api("GET", f"v1/{made.id}")["description"] == "hush"
        assert made.properties["description"] == Secret("hush")
        again = plugin.refresh(made)
        assert again is not None
        assert again.inputs["description"] == again.properties["description"] == Secret("hush")

    def test_an_unknown_input_outside_a_preview_is_refused(self, plugin: Plugin) -> None:
        with pytest.raises(grpc.RpcError, match="the input 'location' is not known"):
            plugin.create(BUCKET, {"name": "data-1", "location": UNKNOWN})
