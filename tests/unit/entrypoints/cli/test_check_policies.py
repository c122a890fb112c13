"""What `tuneform check` says of policies, in each of its forms, word for word."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.specs.bad_specs import BASE

from tuneform import __version__
from tuneform.entrypoints.cli.check import FORMATS, command
from tuneform.errors import SpecErrors

GOLDEN = Path(__file__).parents[3] / "golden" / "policies"
POLICIES = """\
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: places, builtin: regions, params: {locations: [europe-west4]}}
    - {name: own-key, builtin: cmek-required}
    - {name: epochs, builtin: max-epochs, params: {most: 1}}
    - {name: team, builtin: required-labels, params: {labels: [team]}, enforcement: warn}
    - {name: money, builtin: max-cost, params: {most: 5, currency: USD}, enforcement: audit}
    - name: size
      match: {kinds: [TuningJob]}
      expression: object.spec.description > 3
      enforcement: warn
  exceptions:
    - {rule: own-key, kind: TuningJob, name: words, reason: agreed with Ada in spring, expires: 2026-12-31}
    - {rule: epochs, kind: TuningJob, name: words, reason: agreed with Ada in spring, expires: 2026-06-30}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEFORM_TODAY", "2026-11-30")
    Path("specs").mkdir()
    Path("specs/a.yaml").write_text(BASE)
    Path("specs/house.yaml").write_text(POLICIES)


def checked(form: str) -> tuple[int, str]:
    """The exit code, and all that is said; in words what is thrown as main shows it."""
    result = CliRunner().invoke(command, ["specs", "--format", form])
    said = result.stdout + result.stderr
    if isinstance(result.exception, SpecErrors):
        said += result.exception.render() + "\n"
    return result.exit_code, said.replace(__version__, "VERSION")


def told_as_before(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("TUNEFORM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "TUNEFORM_GOLDEN=write records it anew"


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_denied_warned_of_excepted_and_ended(form: str) -> None:
    code, text = checked(form)

    assert code == 1
    if form == "sarif":  # the rules of all codes say the same elsewhere
        text = re.sub(r'"rules": \\[.*?\\n        \\]', '"rules": []', text, flags=re.DOTALL)
    told_as_before(f"denied.{form}", text)


@pytest.mark.parametrize("form", FORMATS)
def test_where_nothing_is_denied_it_ends_well_and_says_what_is_excepted(form: str) -> None:
    house = Path("specs/house.yaml")
    house.write_text(POLICIES.replace("spec:\n", "spec:\n  enforcement: warn\n"))

    code, text = checked(form)

    assert code == 0
    assert '"ruleId": "E194"' not in text
    assert ("E194" in text) == (form == "sarif"), "there W190 is explained by it"
    if form == "text":
        told_as_before("warned.text", text)
