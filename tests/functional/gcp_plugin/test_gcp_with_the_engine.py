"""The plugin under the real Pulumi engine: an inline program, a file backend, the emulator."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pulumi
import pytest
import requests
from pulumi import automation

REPOSITORY = Path(__file__).parents[3]
LAUNCHERS = REPOSITORY / "infra/tuneform_emulator/gcp_plugin/bin"
PROJECT = "engine-tests"
LOCATION = "us-central1"
BUCKET = "engine-tests-data"
KEY_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
IMPORTS = {
    "ring": f"projects/{PROJECT}/locations/{LOCATION}/keyRings/tuning",
    "key": f"projects/{PROJECT}/locations/{LOCATION}/keyRings/tuning/cryptoKeys/data",
    "data": BUCKET,
    "runner": f"projects/{PROJECT}/serviceAccounts/tuning-runner@{PROJECT}.iam.gserviceaccount.com",
}

Program = Callable[[], None]


def engine() -> Path | None:
    """The folder of a pulumi binary: one that tuneform obtained, or one on PATH."""
    own = REPOSITORY / ".tuneform/engine/bin/pulumi"
    found = str(own) if own.exists() else shutil.which("pulumi")
    return Path(found).parent if found else None


pytestmark = [
    pytest.mark.skipif(
        engine() is None,
        reason="no pulumi engine on PATH and none in .tuneform/engine/bin (`make up` gets one)",
    ),
    # The Automation API leaves event loops of its inline programs to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    # Loading pulumi_gcp.storage warns of a misspelt function in it that nobody here calls.
    pytest.mark.filterwarnings("ignore:gcp.storage.getTransferProjectServieAccount:DeprecationWarning"),
]


def program(
    labels: Mapping[str, str] | None = None,
    location: str = LOCATION,
    imports: Mapping[str, str] | None = None,
    retain: bool = False,
    more: Program | None = None,
) -> Program:
    """A bucket with a key, an account, and the grants that they need, as the tuneform program declares them."""

    def declare() -> None:
        # Importing pulumi_gcp takes a second, which only the tests that run here should pay.
        import pulumi_gcp as gcp  # noqa: PLC0415

        def options(name: str, *after: pulumi.Resource) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions(
                import_=(imports or {}).get(name),
                depends_on=list(after),
                retain_on_delete=retain and name == "key",
            )

        api = gcp.projects.Service("vertex", service="aiplatform.googleapis.com")
        agent = gcp.projects.ServiceIdentity("agent", service=api.service)
        storage_agent = gcp.storage.get_project_service_account_output()
        ring = gcp.kms.KeyRing("ring", name="tuning", location=LOCATION, opts=options("ring"))
        key = gcp.kms.CryptoKey(
            "key", name="data", key_ring=ring.id, rotation_period="7776000s", opts=options("key")
        )
        grants = [
            gcp.kms.CryptoKeyIAMMember(f"{name}-key", crypto_key_id=key.id, role=KEY_ROLE, member=member)
            for name, member in (("storage", storage_agent.member), ("vertex", agent.member))
        ]
        bucket = gcp.storage.Bucket(
            "data",
            name=BUCKET,
            location=location,
            labels=labels or {"team": "ml"},
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            lifecycle_rules=[
                {"action": {"type": "Delete"}, "condition": {"age": 30, "num_newer_versions": 3}}
            ],
            encryption={"default_kms_key_name": key.id},
            opts=options("data", *grants),
        )
        runner = gcp.serviceaccount.Account("runner", account_id="tuning-runner", opts=options("runner"))
        gcp.storage.BucketIAMMember(
            "reads", bucket=bucket.name, role="roles/storage.objectViewer", member=runner.member
        )
        gcp.projects.IAMMember(
            "tunes", project=PROJECT, role="roles/aiplatform.tuningServiceAgent", member=runner.member
        )
        gcp.serviceaccount.IAMMember(
            "tokens",
            service_account_id=runner.name,
            role="roles/iam.serviceAccountTokenCreator",
            member=agent.member,
        )
        pulumi.export("url", bucket.url)
        pulumi.export("number", gcp.organizations.get_project_output().number)
        pulumi.export("primary", key.primaries[0].name)
        if more:
            more()

    return declare


@dataclass(frozen=True)
class Pulumi:
    """Stacks over one file backend."""

    folder: Path
    environment: dict[str, str]

    def stack(self, declare: Program, name: str = "test", **config: str) -> automation.Stack:
        options = automation.LocalWorkspaceOptions(
            work_dir=str(self.folder),
            env_vars=self.environment,
            project_settings=automation.ProjectSettings(
                name="plugin", runtime="python", backend=automation.ProjectBackend(f"file://{self.folder}")
            ),
        )
        stack = automation.create_or_select_stack(name, "plugin", program=declare, opts=options)
        stack.set_config("gcp:project", automation.ConfigValue(PROJECT))
        for key, value in config.items():
            stack.set_config(f"gcp:{key}", automation.ConfigValue(value))
        return stack

    def api(self, path: str) -> requests.Response:
        return requests.get(f"{self.environment['TUNEFORM_ENDPOINT']}/{path}", timeout=30)


@pytest.fixture
def pulumis(tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulumi]:
    folder = engine()
    assert folder is not None
    path = os.pathsep.join([str(LAUNCHERS), str(folder), os.environ["PATH"]])
    # The Automation API looks the engine up on this process's PATH.
    monkeypatch.setenv("PATH", path)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    environment = {
        "PATH": path,
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TUNEFORM_ENDPOINT": endpoint,
    }
    yield Pulumi(workspace, environment)
    # Collected here, what the Automation API leaves is not held against a later test.
    gc.collect()


def changes(
    result: automation.UpResult | automation.DestroyResult | automation.RefreshResult,
) -> dict[str, int]:
    return {str(operation): count for operation, count in (result.summary.resource_changes or {}).items()}


def test_a_program_goes_up_stays_changes_and_goes_down(pulumis: Pulumi) -> None:
    first = pulumis.stack(program()).up()
    assert changes(first) == {"create": 12}
    assert first.outputs["url"].value == f"gs://{BUCKET}"
    assert first.outputs["primary"].value == f"{IMPORTS['key']}/cryptoKeyVersions/1"
    assert pulumis.api(f"storage/v1/b/{BUCKET}").json()["encryption"]["defaultKmsKeyName"] == IMPORTS["key"]

    assert changes(pulumis.stack(program()).up()) == {"same": 12}
    assert changes(pulumis.stack(program()).refresh()) == {"same": 12}

    planned = pulumis.stack(program(labels={"team": "other"})).preview()
    assert planned.change_summary == {"same": 11, "update": 1}
    moved = pulumis.stack(program(location="europe-west4")).preview()
    # The bucket must be deleted first, as its name is taken, and with it the grant on it.
    assert moved.change_summary[automation.OpType.REPLACE] == 2

    assert changes(pulumis.stack(program(labels={"team": "other"})).up()) == {"same": 11, "update": 1}
    assert pulumis.api(f"storage/v1/b/{BUCKET}").json()["labels"]["team"] == "other"

    assert changes(pulumis.stack(program()).destroy()) == {"delete": 12}
    assert pulumis.api(f"storage/v1/b/{BUCKET}").status_code == 404
    assert pulumis.api(f"v1/{IMPORTS['runner']}").status_code == 404
    assert pulumis.api(f"v1/{IMPORTS['ring']}").status_code == 200


def test_existing_resources_are_imported_by_a_program_that_lost_its_state(pulumis: Pulumi) -> None:
    pulumis.stack(program()).up()
    with pytest.raises(automation.CommandError, match="already exists"):
        pulumis.stack(program(), "lost").up()

    adopted = pulumis.stack(program(imports=IMPORTS), "adopter").up()
    assert changes(adopted) == {"create": 8, "import": 4}
    assert changes(pulumis.stack(program(imports=IMPORTS), "adopter").up()) == {"same": 12}
    assert changes(pulumis.stack(program(), "adopter").up()) == {"same": 12}


def test_a_retained_key_is_adopted_and_used_after_a_destroy(pulumis: Pulumi) -> None:
    pulumis.stack(program(retain=True)).up()
    pulumis.stack(program(retain=True)).destroy()
    kept = {name: IMPORTS[name] for name in ("ring", "key")}
    assert changes(pulumis.stack(program(retain=True, imports=kept)).up()) == {"create": 10, "import": 2}


def test_a_type_that_is_not_supported_is_rejected_by_name(pulumis: Pulumi) -> None:
    def topic() -> None:
        import pulumi_gcp as gcp  # noqa: PLC0415 (see above)

        gcp.pubsub.Topic("topic")

    with pytest.raises(
        automation.CommandError, match="does not support the resource type gcp:pubsub/topic:Topic"
    ):
        pulumis.stack(program(more=topic)).preview()


def test_an_endpoint_elsewhere_is_refused_by_the_engine(pulumis: Pulumi) -> None:
    pulumis.environment["TUNEFORM_ENDPOINT"] = "http://192.0.2.1:80"
    with pytest.raises(automation.CommandError, match="is not on this machine"):
        pulumis.stack(program()).preview()


def test_no_plugin_is_left_when_the_engine_is_done(pulumis: Pulumi) -> None:
    pulumis.stack(program()).preview()
    mine = pulumis.environment["TUNEFORM_ENDPOINT"]
    assert [process for process in psutil.process_iter() if _is_plugin_of(process, mine)] == []


def _is_plugin_of(process: psutil.Process, endpoint: str) -> bool:
    try:
        command: list[str] = process.cmdline()
        environment: dict[str, Any] = process.environ()
    except psutil.Error:
        return False
    return "tuneform_emulator.gcp_plugin" in command and environment.get("TUNEFORM_ENDPOINT") == endpoint
