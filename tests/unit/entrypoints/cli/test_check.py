"""`tuneform check`, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from tuneform.datasets import prepare
from tuneform.entrypoints.cli.check import command
from tuneform.entrypoints.cli.running import rows as reading
from tuneform.specs.reference.environments import EXAMPLE

SPECS = Path(__file__).parents[4] / "specs"
BAD = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-demo, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: words}
spec: {baseModel: gemini-2.5-flash, dataset: {ref: none}, hyperParameters: {epochs: 4}}
"""


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("specs")
    folder.mkdir()
    (folder / "a.yaml").write_text(BAD)
    return folder


def test_the_json_of_a_folder_with_errors_has_them_all_and_exits_with_1(bad: Path) -> None:
    result = CliRunner().invoke(command, ["--format", "json", str(bad)])

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [(one["code"], one["path"], one["line"]) for one in told["diagnostics"]] == [
        ("E140", "specs/a.yaml", 9),
        ("E123", "specs/a.yaml", 9),
    ]


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github"])
def test_the_example_has_nothing_wrong_in_any_form(form: str) -> None:
    result = CliRunner().invoke(command, ["--format", form, str(SPECS)])

    assert (result.exit_code, result.stderr) == (0, "")
    match form:
        case "json":
            assert json.loads(result.stdout)["diagnostics"] == []
        case "sarif":
            assert json.loads(result.stdout)["runs"][0]["results"] == []
        case "junit":
            suite = ElementTree.fromstring(result.stdout)[0]
            assert (suite.get("tests"), suite.get("failures")) == ("4", "0")
        case _:
            assert result.stdout == ""


def test_a_folder_that_is_not_there_is_told_in_the_form_asked_for(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--format", "json", str(tmp_path / "none")])

    assert result.exit_code == 1
    assert [one["code"] for one in json.loads(result.stdout)["diagnostics"]] == ["E101"]


def test_the_example_s_model_is_past_its_documented_retirement_and_check_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUNEFORM_TODAY", "2026-11-21")

    result = CliRunner().invoke(command, [str(SPECS)])

    assert result.exit_code == 0
    (said,) = [line for line in result.stderr.splitlines() if "warning[W103]" in line]
    assert "gemini-2.5-flash was to retire on 2026-10-20, 32 days ago" in said
    (also,) = [line for line in result.stderr.splitlines() if line.startswith("   = also at: ")]
    assert {Path(line.split(": ")[at].partition(":")[0]).name for line, at in ((said, 0), (also, 1))} == {
        "next-number.yaml",
        "support-intents.yaml",
    }
    assert result.stderr.count("without encryptionKey; served from eu or us") == 2


def test_a_capability_file_is_checked_with_the_specs(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[models."gemini-2.5-flash"]\ncustomer_managed_key = "unknown"\n')

    result = CliRunner().invoke(command, ["--format", "json", "--capabilities", str(own), str(SPECS)])

    (found,) = json.loads(result.stdout)["diagnostics"]
    assert result.exit_code == 1
    assert (found["code"], found["line"]) == ("E181", 2)
    assert "did you mean 'customer_managed_keys'?" in found["hint"]


def test_a_document_of_two_projects_counts_once_and_its_rows_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text(EXAMPLE)
    lines = "".join(f"question {n},answer {n % 3}\n" for n in range(200))
    for name in ("train", "small"):
        (tmp_path / f"{name}.csv").write_text("text_input,output\n" + lines)
    read = Mock(wraps=prepare)
    monkeypatch.setattr(reading, "prepare", read)

    told = CliRunner().invoke(command, [str(tmp_path)])

    assert told.stdout == "7 documents, 11 with their projects, 2 datasets: nothing is wrong\n"
    assert [call.args[0].training.file for call in read.call_args_list] == ["small.csv", "train.csv"]
    # The same rows in both.
    (tmp_path / "a.yaml").write_text(EXAMPLE.replace("small.csv", "train.csv"))
    read.reset_mock()
    CliRunner().invoke(command, [str(tmp_path)])
    assert [call.args[0].training.file for call in read.call_args_list] == ["train.csv"]


LIMITED = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-demo, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: words}
spec: {bucket: {ref: data}, training: {examples: [{input: one, output: two}]}}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: words}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: words}
  hyperParameters: {epochCount: 4}
  limits: {maxBillableTokens: 3, maxCost: 5 USD}
"""
PRICES = """\
[prices."gemini-2.5-flash"]
training = 5
unit = "per million training tokens"
currency = "USD"
source = "our contract"
date = 2026-10-01
"""


def test_limits_are_judged_with_a_price_table_and_advice_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/a.yaml").write_text(LIMITED)
    Path("mine.toml").write_text(PRICES)

    def codes(*arguments: str) -> list[str]:
        result = CliRunner().invoke(command, ["--format", "json", *arguments])
        return [one["code"] for one in json.loads(result.stdout)["diagnostics"]]

    assert codes() == ["W201", "E171", "E172"]
    assert codes("--prices", "mine.toml") == ["W201", "E171"]
    Path("mine.toml").write_text(PRICES.replace('"USD"', "5"))
    assert codes("--prices", "mine.toml") == ["W201", "E185"]
