"""One rule text at every door: each says the same of the same document, or is listed as unable, with the reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pulumi.runtime.proto import provider_pb2
from tests.functional.admission.evaluating import evaluated, evaluator
from tests.functional.emulators import Emulator
from tests.functional.policy.cases import CASES, RULES, documents, write
from tests.functional.policy_pack.packs import running
from tests.unit.entrypoints.provider.world import KeptLog
from tests.unit.policy.declared import declared

from tuneform.entrypoints.cli.main import cli
from tuneform.entrypoints.provider.server import Provider
from tuneform.entrypoints.provider.session import Session
from tuneform.entrypoints.provider.wire import encode
from tuneform.policy.shapes import ACCOUNTS, Resource

Found = dict[tuple[str, str], str]
"""What a door found: by rule and name of the document, what it says is wrong."""

_SAID = re.compile(r"house/(?P<rule>[a-z-]+): (?P<message>[^;\n]*)")
INFRASTRUCTURE = "the provider serves datasets, jobs and models; pulumi-gcp's own does not ask our rules"
BEHIND = "which is not in the object but behind a reference"
UNABLE: Mapping[str, Mapping[str, str]] = {
    "check": {},
    "plan": {},
    "program": {},
    "provider": {
        "regions": INFRASTRUCTURE,
        "no-primitive-roles": INFRASTRUCTURE,
        "uniform-bucket-access": INFRASTRUCTURE,
        "public-access-prevention": INFRASTRUCTURE,
        "retention": INFRASTRUCTURE,
    },
    "pack": {},
    "admission": {
        "key-placement": f"it reads object.spec.encryptionKey.location, {BEHIND}",
        "base-models": f"it reads object.spec.preTunedModel.baseModel, {BEHIND}",
        "max-tokens": "it reads cost.tokensHigh, and there is no such thing at admission",
        "max-cost": "it reads cost.currency, and there is no such thing at admission",
        "max-examples": "it reads data.training, and there is no such thing at admission",
        "required-labels": "it reads labels, and those of the Project count, too",
        "validation-required": "it reads data.validation, and there is no such thing at admission",
        "test-required": "it reads data.test, and there is no such thing at admission",
        "dedicated-service-account": f"it reads object.spec.serviceAccount.email, {BEHIND}",
    },
}
"""The rules that a door cannot ask, and why not."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doors")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def resources(project: Path) -> list[Resource]:
    """What the program declares, datasets read."""
    return declared({project / "specs": None}, prices=project / "prices.toml")[0]


def tuneform(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """A command, in this process, and what it printed as JSON."""
    monkeypatch.chdir(project)
    ran = CliRunner().invoke(cli, [*arguments, "--format", "json"])
    assert ran.stdout, ran.exception
    return json.loads(ran.stdout)


def told(text: str, name: str) -> Found:
    """The breaches in a text about a document."""
    return {(found["rule"], name): found["message"].strip() for found in _SAID.finditer(text)}


def name_of(path: str) -> str:
    return Path(path).stem.partition(".")[2]


def expected(door: str) -> set[tuple[str, str]]:
    """What a door must find: what is broken, with and without an exception that has ended."""
    return {
        (rule, f"{case.word}-{which}")
        for rule, case in RULES.items()
        for which in ("broken", "expired")
        if rule not in UNABLE[door]
    }


@pytest.fixture(scope="module")
def checked(project: Path) -> Found:
    """What `check` says: the measure of the others."""
    with pytest.MonkeyPatch.context() as patch:
        found = tuneform(project, patch, "check")["diagnostics"]
    return {key: text for one in found for key, text in told(one["message"], name_of(one["path"])).items()}


def agree(door: str, found: Found, checked: Found) -> None:
    """What the door found is what it must find, in the words of `check`."""
    assert set(found) == expected(door)
    assert found == {key: text for key, text in checked.items() if key in found}


def test_check_finds_what_is_broken_and_nothing_else(checked: Found) -> None:
    assert set(checked) == expected("check")
    assert len(checked) == 2 * len(RULES)


def test_plan(project: Path, checked: Found, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEFORM_ENDPOINT", emulator.endpoint)
    findings = tuneform(project, monkeypatch, "plan")["policy"]["findings"]
    found = {(one["rule"].removeprefix("house/"), one["name"]): one for one in findings}
    blocking = {key: one["message"] for key, one in found.items() if one["blocks"]}
    agree("plan", {key: text.partition(";")[0] for key, text in blocking.items()}, checked)
    excepted = {key for key, one in found.items() if not one["blocks"]}
    assert excepted == {(rule, f"{case.word}-excepted") for rule, case in RULES.items()}


def test_the_program_of_plain_pulumi(project: Path, checked: Found) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.functional.policy.program", project],
        capture_output=True,
        text=True,
        check=True,
    )
    found: Found = {}
    for line in ran.stdout.splitlines():
        if "error[E194]" in line:
            found |= told(line, name_of(line.partition(":")[0]))
    agree("program", found, checked)


def test_the_providers_check(
    project: Path, resources: list[Resource], checked: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # away from the specs: the stack alone names the policies
    log = KeptLog()
    session = Session(log)
    session.config = {"policies": str(project / "house.yaml")}
    provider = Provider(session)
    found: Found = {}
    for one in resources:
        if one.token.startswith("tuneform:"):
            urn = f"urn:pulumi:test::tuneform::{one.token}::{one.name}"
            answer = provider.check(provider_pb2.CheckRequest(urn=urn, news=encode(one.inputs)))
            for failure in answer.failures:
                assert failure.property
                found |= told(failure.reason, one.name)
    agree("provider", found, checked)
    said = "\n".join(log.lines)
    able = [case for rule, case in RULES.items() if rule not in UNABLE["provider"]]
    assert all(f"{case.kind} {case.word}-excepted: house/" in said for case in able)


def test_the_policy_pack(project: Path, resources: list[Resource], checked: Found, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    ran = CliRunner().invoke(cli, ["policy", "pack", str(pack), str(project / "house.yaml")])
    assert ran.exit_code == 0, ran.output
    found: Found = {}
    with running(pack) as analyzer:
        asked = [one for one in resources if one.token not in ACCOUNTS]
        answers = [analyzer.resource(one) for one in asked] + [analyzer.stack(resources)]
    for answer in answers:
        for one in answer.diagnostics:
            found |= told(one.message, one.urn.rpartition("::")[2])
    agree("pack", found, checked)


def test_admission(project: Path, checked: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tuneform(project, monkeypatch, "policy", "admission", "house.yaml")
    left = {one["rule"].removeprefix("house/"): one["reason"] for one in made["unexpressed"]}
    assert left == UNABLE["admission"]

    answers = evaluated(evaluator(), made["objects"], documents())
    found: Found = {}
    for answer in answers:
        assert "errors" not in answer
        for one in answer["decisions"]:
            assert "error" not in one
            if not one["admit"]:
                found |= told(one["message"], answer["object"])
    agree("admission", found, checked)


def test_every_rule_has_every_case() -> None:
    names = {document["metadata"]["name"] for document in documents()}
    assert {f"{case.word}-{which}" for case in RULES.values() for which in CASES} <= names
