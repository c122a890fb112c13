"""`tuneform policy`: cases run, rules listed, digests printed."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from tuneform.entrypoints.cli.main import cli
from tuneform.errors import SpecErrors

SPECS = Path(__file__).parents[5] / "specs"
POLICY = """\
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: few-epochs, builtin: max-epochs, params: {most: 10}}
    - {name: gate, builtin: gate-required, enforcement: warn}
    - name: bill
      match: {kinds: [TuningJob]}
      expression: cost.tokens < 1000
  exceptions:
    - {rule: few-epochs, kind: TuningJob, name: old, reason: agreed with Ada, expires: 2026-12-31}
"""
CASES = """\
apiVersion: tuneform.dev/v1
kind: PolicyTest
spec:
  policies: [house.yaml]
  today: 2026-11-30
  cases:
    - name: few enough
      document: {kind: TuningJob, metadata: {name: a}, spec: {hyperParameters: {epochCount: 10}}}
      cost: {tokens: 10}
      passes: ["*"]
    - name: too many
      document: {kind: TuningJob, metadata: {name: a}, spec: {hyperParameters: {epochCount: 11}}}
      unknown: [cost]
      breaks: [{rule: few-epochs, field: spec.hyperParameters.epochCount, enforcement: deny, message: 11 epochs}]
      unjudged: [bill]
    - name: excepted to the last day
      document: {kind: TuningJob, metadata: {name: old}, spec: {hyperParameters: {epochCount: 11}}}
      cost: {tokens: 10}
      today: 2026-12-31
      excepted: [house/few-epochs]
    - name: and not a day longer
      document: {kind: TuningJob, metadata: {name: old}, spec: {hyperParameters: {epochCount: 11}}}
      cost: {tokens: 10}
      today: 2027-01-01
      breaks: [{rule: few-epochs}]
    - name: no gate
      document: {kind: TunedModel, metadata: {name: a}, spec: {job: {ref: a}}}
      breaks: [{rule: gate}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEFORM_TODAY", "2026-11-30")
    (tmp_path / "house.yaml").write_text(POLICY)
    (tmp_path / "house.policytest.yaml").write_text(CASES)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["policy", *arguments])


def test_cases_that_come_out_as_expected_pass(folder: Path) -> None:
    result = run("test", ".", "--coverage")
    assert result.output == (
        "house.policytest.yaml\n"
        "  ok     few enough\n"
        "  ok     too many\n"
        "  ok     excepted to the last day\n"
        "  ok     and not a day longer\n"
        "  ok     no gate\n"
        "5 cases, none failed\n"
        "coverage: 1 of 3 rules have a case that keeps and a case that breaks them\n"
        "  never kept: house/gate\n"
        "  never broken: house/bill\n"
    )
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'passes: ["*"]',
            "passes: [gate]",
            "line 10: house/gate was to be kept, and is not about the document",
        ),
        (
            "epochCount: 10}",
            "epochCount: 12}",
            "house/few-epochs was to be kept, and is broken: 12 epochs; 10 are",
        ),
        (
            "cost: {tokens: 10}\n      passes",
            "unknown: [cost]\n      passes",
            "house/bill was to be kept, and is not",
        ),
        ("[{rule: gate}]", "[{rule: gate, enforcement: deny}]", "its enforcement is 'warn' and not 'deny'"),
        (
            "message: 11 epochs",
            "message: 12 epochs",
            "its message is '11 epochs; 10 are the most' and not '12",
        ),
        ("today: 2026-12-31", "today: 2027-01-01", "house/few-epochs was to be excepted, and is broken"),
        (
            "today: 2027-01-01",
            "today: 2026-12-31",
            "house/few-epochs was to be broken, and is broken, and excepted",
        ),
        ("unjudged: [bill]", "unjudged: [few-epochs]", "house/few-epochs was to be unjudged, and is broken"),
    ],
)
def test_what_comes_out_otherwise_is_told_at_its_line(folder: Path, old: str, new: str, said: str) -> None:
    assert old in CASES
    (folder / "house.policytest.yaml").write_text(CASES.replace(old, new, 1))
    result = run("test", ".")
    assert said in result.output
    assert "5 cases, 1 failed" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: PolicyTest", "kind: PolicyTests", "E121"),
        ("breaks: [{rule: gate}]", "break: [{rule: gate}]", "did you mean 'breaks'?"),
        ("rule: gate}", "rule: gat}", "did you mean 'gate'?"),
        ("[house.yaml]", "[home.yaml]", "there is no home.yaml"),
        ("epochCount: 10}", "epochs: 10}", "no TuningJob has 'hyperParameters.epochs'"),
        ("kind: TunedModel", "kind: Tuned", "its kind is none"),
        ("metadata: {name: a}", "metadata: {}", "its name is missing"),
        ('passes: ["*"]', "today: 2026-11-31", "is not a day"),
        ('passes: ["*"]', "finished: true", "nothing is expected"),
        (
            "document: {kind: TunedModel, metadata: {name: a}, spec: {job: {ref: a}}}",
            "specs: x",
            "there is no x",
        ),
        ("spec:\n  policies", "spec: [\n  policies", "E108"),
    ],
)
def test_a_mistake_in_cases_is_an_error_at_its_place(folder: Path, old: str, new: str, said: str) -> None:
    assert old in CASES
    (folder / "house.policytest.yaml").write_text(CASES.replace(old, new, 1))
    result = run("test", ".")
    assert isinstance(result.exception, SpecErrors)
    assert said in result.exception.render()
    assert "house.policytest.yaml:" in result.exception.render()


def test_programs_are_told_the_same(folder: Path) -> None:
    (folder / "house.policytest.yaml").write_text(
        CASES.replace("12 epochs", "").replace("epochCount: 10", "epochCount: 12")
    )
    told = json.loads(run("test", ".", "--format", "json", "--coverage").output)
    assert (told["cases"], told["failed"]) == (5, 1)
    assert told["coverage"]["neverBroken"] == ["house/bill"]
    suite = ElementTree.fromstring(run("test", ".", "--format", "junit").output.split("\n", 1)[1])[0]
    assert (suite.get("tests"), suite.get("failures")) == ("5", "1")


def test_a_folder_without_cases_is_an_error(folder: Path) -> None:
    (folder / "house.policytest.yaml").unlink()
    assert "no *.policytest.yaml is in ." in str(run("test", ".").exception)


def test_the_cases_of_the_example_come_out_and_cover_its_rules() -> None:
    result = run("test", str(SPECS), "--coverage")
    assert result.exit_code == 0, result.output
    assert "coverage: 4 of 4 rules" in result.output


def test_the_digest_does_not_change_with_the_layout_and_pins(folder: Path) -> None:
    digest = run("digest", "house.yaml").output.strip()
    text = POLICY.replace(
        "{name: gate, builtin: gate-required, enforcement: warn}",
        "name: gate\n      enforcement: warn\n      builtin: gate-required",
    )
    (folder / "house.yaml").write_text(text)
    assert run("digest", "house.yaml").output.strip() == digest
    (folder / "house.yaml").write_text(text.replace("most: 10", "most: 11"))
    assert run("digest", "house.yaml").output.strip() != digest


def test_the_list_shows_sources_rules_and_exceptions_with_their_days() -> None:
    result = run("list", str(SPECS))
    assert "  house/few-epochs                 deny  TuningJob\n      max-epochs (most: 50)" in result.output
    told = json.loads(run("list", str(SPECS), "--format", "json").output)
    assert told["sources"][0]["rules"][0]["rule"] == "house/own-key"
    assert "no-primitive-roles: ServiceAccount" in run("list", "--builtin").output
