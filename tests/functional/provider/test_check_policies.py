"""Policies at the provider's Check, and in a pack: what asks none itself is stopped by them, in a preview already."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pulumi import automation
from pulumi.runtime.proto import provider_pb2
from tests.functional.emulators import Emulator
from tests.functional.policy_pack.packs import environment
from tests.functional.provider.engine import WITH_ENGINE, RunFailedError, Stack, vertex
from tests.unit.entrypoints.provider.world import TUNING_INPUTS, KeptLog

from tuneform import specs
from tuneform.entrypoints.cli.main import cli
from tuneform.entrypoints.doors.policies import own_set
from tuneform.entrypoints.provider.server import Provider
from tuneform.entrypoints.provider.session import Session
from tuneform.entrypoints.provider.wire import encode
from tuneform.errors import SettingsError

pytestmark = WITH_ENGINE

HOUSE = """
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: epochs, builtin: max-epochs, params: {most: 1}}
    - {name: gate, builtin: validation-required}
    - {name: regions, builtin: regions, params: {locations: [us-central1]}}
    - {name: owner, builtin: required-labels, params: {labels: [owner]}, enforcement: warn}
    - {name: task, expression: "object.spec.dataset.task == 'classification'", match: {kinds: [TuningJob]}}
  exceptions:
    - {rule: epochs, kind: TuningJob, name: elsewhere, reason: not this one, expires: "2999-01-01"}
"""
TREE = """
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: own}
spec:
  match: {kinds: [TuningJob]}
  rules:
    - {name: size, builtin: max-tokens, params: {most: 5}}
"""


def digest(file: Path) -> str:
    return own_set(specs.load(file)).digest


def configured(stack: Stack, policies: str) -> None:
    stack.stack().set_config("tuneform:policies", automation.ConfigValue(policies))


def test_a_program_that_asks_no_policy_is_stopped_by_the_stacks_and_the_trees(
    stack: Stack, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = stack.work / "house.yaml"  # beside Pulumi.yaml, from where the stack's paths count
    (stack.work / "infra").mkdir()
    monkeypatch.chdir(stack.work / "infra")  # the program's folder, in which the engine starts the provider
    house.write_text(HOUSE)
    pinned = digest(house)
    (stack.specs / "own.yaml").write_text(TREE)
    configured(stack, f"house.yaml@{pinned}")

    with pytest.raises(RunFailedError) as stopped:
        stack.preview()

    said = str(stopped.value)
    assert (
        "house/epochs: 2 epochs; 1 are the most; set epochCount, no higher than the policy allows; why:"
        in said
    )
    assert "property hyperParameters.epochCount" in said
    assert re.search(
        r"property training value .* has a problem: own/size: up to 666 tokens; 5 are the most", said
    )
    assert "house/owner: the label owner is missing" in said
    assert "house/regions" not in said
    assert f"policies: house.yaml: 5 rules, {pinned}" in said.replace(f"{stack.work}/", "")
    assert "house/task is not judged of this TuningJob: object.spec.dataset is not known here" in said

    house.write_text(HOUSE.replace("most: 1", "most: 9"))
    with pytest.raises(RunFailedError, match="are not those that were pinned"):
        stack.preview()
    assert vertex(emulator, "tuningJobs") == []


def test_a_preview_with_a_policy_pack_is_stopped_by_the_engine(
    stack: Stack, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    ran = CliRunner().invoke(cli, ["policy", "pack", str(tmp_path / "pack"), str(tmp_path / "house.yaml")])
    assert ran.exit_code == 0, ran.output
    launcher = tmp_path / "bin" / "pulumi-analyzer-policy-python"
    launcher.parent.mkdir()
    # What Pulumi's own distribution has for this beside the engine, no package registry has: the SDK's own entry,
    # without the options behind it, of which it would make other things.
    launcher.write_text(f'#!/bin/sh\nexec {environment()} -u -m pulumi.policy "$1" "$2"\n')
    launcher.chmod(0o755)
    stack.plugins = [str(launcher.parent)]

    with pytest.raises(RunFailedError) as stopped:
        stack.preview(str(tmp_path / "pack"))

    said = str(stopped.value)
    assert "house/epochs: 2 epochs; 1 are the most" in said
    assert "house/owner: the label owner is missing" in said
    assert vertex(emulator, "tuningJobs") == []


def test_a_bundle_in_cloud_storage_is_read_once_and_held_to_its_digest(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    pinned = digest(tmp_path / "house.yaml")
    blob = emulator.storage().create_bucket("acme-policies", location="us-central1").blob("house.yaml")
    blob.upload_from_string(HOUSE)
    monkeypatch.setenv("TUNEFORM_ENDPOINT", emulator.endpoint)
    monkeypatch.setenv("TUNEFORM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def failures() -> list[str]:
        session = Session(KeptLog(), endpoint=emulator.endpoint)
        session.config = {"policies": f"gs://acme-policies/house.yaml@{pinned}"}
        urn = "urn:pulumi:test::theirs::tuneform:index:TuningJob::intents"
        request = provider_pb2.CheckRequest(urn=urn, news=encode(TUNING_INPUTS))
        return [one.reason.partition(";")[0] for one in Provider(session).check(request).failures]

    broken = ["house/epochs: 4 epochs", "house/gate: its dataset has no validation examples"]
    assert failures() == broken
    blob.upload_from_string(HOUSE.replace("most: 1", "most: 9"))
    assert failures() == broken, "what was pinned is kept here, and counts"
    (kept,) = (tmp_path / "home" / "policies").glob("*.yaml")
    kept.unlink()
    with pytest.raises(SettingsError, match="are not those that were pinned"):
        failures()
