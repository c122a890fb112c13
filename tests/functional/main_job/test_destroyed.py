"""`tuneform destroy`: what stays live, and how `up` comes back from it; two spec folders beside each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import kms_v1, resourcemanager_v3, storage
from googleapiclient import discovery
from tests.functional.main_job.checkout import PARENT, PROJECT, Checkout, outputs

NAME = "support-intents"
RING = f"{PARENT}/keyRings/tuneform"
KEY = f"{RING}/cryptoKeys/tuning-key"
STATE = f"{PROJECT}-tuneform-state"

OTHER = """
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: colours}
spec: {projectId: colours-demo, location: us-central1, owner: paint-shop}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
"""


@pytest.fixture(scope="module")
def first(checkout: Checkout) -> dict[str, dict[str, str]]:
    checkout.shrink()
    return outputs(checkout.does("up"))


@pytest.fixture
def cloud(checkout: Checkout) -> Iterator[Cloud]:
    with closing(Cloud(checkout.endpoint)) as made:
        yield made


class Cloud:
    """The official clients, pointed at the checkout's emulator."""

    def __init__(self, endpoint: str) -> None:
        options = ClientOptions(api_endpoint=endpoint)
        nobody = AnonymousCredentials()
        self.storage = storage.Client(project=PROJECT, credentials=nobody, client_options=options)
        self.keys = kms_v1.KeyManagementServiceClient(
            credentials=nobody, transport="rest", client_options=options
        )
        self.projects = resourcemanager_v3.ProjectsClient(
            credentials=nobody, transport="rest", client_options=options
        )
        self.iam = discovery.build(
            "iam", "v1", credentials=nobody, static_discovery=True, client_options=options
        )

    def close(self) -> None:
        self.storage.close()
        self.keys.transport.close()
        self.projects.transport.close()
        self.iam.close()

    def buckets(self) -> list[str]:
        return [bucket.name for bucket in self.storage.list_buckets()]

    def accounts(self) -> list[str]:
        listed = self.iam.projects().serviceAccounts().list(name=f"projects/{PROJECT}").execute()
        return [account["email"] for account in listed.get("accounts", [])]

    def grants(self) -> list[str]:
        """Every grant on the project and on the key."""
        policies = (
            self.projects.get_iam_policy(resource=f"projects/{PROJECT}"),
            self.keys.get_iam_policy(request={"resource": KEY}),
        )
        return [f"{b.role} {member}" for policy in policies for b in policy.bindings for member in b.members]


@pytest.fixture
def colours(checkout: Checkout) -> Path:
    """A spec folder of another project: a bucket, and that is all."""
    folder = checkout.folder / "colours"
    folder.mkdir(exist_ok=True)
    (folder / "specs.yaml").write_text(OTHER)
    return folder


@pytest.mark.usefixtures("first")
def test_another_spec_folder_is_another_stack_and_neither_touches_the_other(
    checkout: Checkout, cloud: Cloud, colours: Path
) -> None:
    before = checkout.counts()

    assert "to the stack local-colours" in checkout.does("up", str(colours))

    assert checkout.counts() == {**before, "buckets": before["buckets"] + 1}
    assert "deleted" in checkout.does("destroy", "--yes", str(colours))
    assert checkout.counts() == before
    assert "everything unchanged" in checkout.does("preview")
    assert sorted(cloud.buckets()) == [f"{PROJECT}-data", STATE]


def test_a_delete_that_was_cut_off_before_it_was_recorded_is_looked_up(
    checkout: Checkout, colours: Path, cloud: Cloud
) -> None:
    checkout.does("up", str(colours))
    cloud.storage.bucket("colours-demo-data").delete()
    (state,) = (checkout.folder / ".tuneform" / "state").rglob("stacks/**/local-colours.json")
    held = json.loads(state.read_text())
    latest = held["checkpoint"]["latest"]
    bucket = next(r for r in latest["resources"] if r["type"].endswith(":Bucket"))
    latest["pending_operations"] = [{"resource": bucket, "type": "deleting"}]
    state.write_text(json.dumps(held))

    again = checkout.does("up", str(colours))

    assert "an earlier run was cut off while it worked on data; going on from what is live" in again
    assert cloud.storage.bucket("colours-demo-data").exists()


def test_destroy_leaves_keys_ledger_and_job_records_and_up_comes_back(
    checkout: Checkout, first: dict[str, dict[str, str]], cloud: Cloud
) -> None:
    jobs = records(checkout)
    assert cloud.accounts() == [f"tuning-runner@{PROJECT}.iam.gserviceaccount.com"]
    assert len(cloud.grants()) == 4  # two roles of the account, two agents that use the key

    destroyed = checkout.does("destroy", "--yes")

    assert "18 deleted, 2 kept" in destroyed
    assert checkout.live("endpoints") == []
    assert checkout.live("models") == []
    assert cloud.accounts() == []
    assert cloud.grants() == []
    assert cloud.buckets() == [STATE]
    ledger = [blob.name for blob in cloud.storage.list_blobs(STATE)]
    assert ledger == [f"ledger/demo/{NAME}/{first[NAME]['revision']}.json"]
    assert [ring.name for ring in cloud.keys.list_key_rings(parent=PARENT)] == [RING]
    assert [key.name for key in cloud.keys.list_crypto_keys(parent=RING)] == [KEY]
    assert records(checkout) == jobs

    # Not told to adopt, it says what there is and how to take it over, and breaks nothing.
    configure(checkout.folder, adopt=False)
    refused(checkout, "up")
    configure(checkout.folder, adopt=True)
    refused(checkout, "up", "--no-adopt")
    assert records(checkout) == jobs
    assert cloud.buckets() == [STATE]

    again = checkout.does("up")
    assert "2 adopted" in again
    assert "retired earlier, asked for again" in again
    found = outputs(again)[NAME]
    assert found["revision"] == first[NAME]["revision"]
    assert found["endpoint"] == first[NAME]["endpoint"]
    assert found["metrics"] == first[NAME]["metrics"], "training is reproducible"
    assert checkout.counts()["jobs"] == len(jobs) + 1


def records(checkout: Checkout) -> list[tuple[str, str, str]]:
    """The jobs that Vertex remembers, and how they ended."""
    return [(job["name"], job["state"], job["endTime"]) for job in checkout.live("tuningJobs")]


def configure(folder: Path, *, adopt: bool) -> None:
    """What the stack's own configuration says of adopting."""
    file = folder / "Pulumi.local.yaml"
    text = file.read_text()
    assert 'tuneform:adopt: "' in text
    start, _, _ = text.partition("  tuneform:adopt:")
    file.write_text(f'{start}  tuneform:adopt: "{str(adopt).lower()}"\n')


def refused(checkout: Checkout, *command: str) -> None:
    ended = checkout.run(*command)
    assert ended.code == 1
    assert f"KeyRing {RING} already exists" in ended.text
    assert "take it over with --adopt (in a stack's configuration: tuneform:adopt)" in ended.text
    assert "Traceback" not in ended.text
