"""What `check` and `audit` write as SARIF, against the schema of its standard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from tests.functional.npm import installed
from tests.unit.review.audit.test_forms import AUDIT, CLEAN
from tests.unit.specs.bad_specs import BASE

from tuneform.entrypoints.cli.check import command
from tuneform.errors import Diagnostic
from tuneform.review.audit.programs import as_sarif as audit_sarif
from tuneform.review.codes import CODES
from tuneform.review.diagnostics import as_sarif

POLICY = """\
---
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: places, builtin: regions, params: {locations: [europe-west4]}}
    - {name: labels, builtin: required-labels, params: {labels: [team]}, enforcement: warn}
"""


@pytest.fixture(scope="module")
def schema() -> Any:
    """SARIF 2.1.0 as the store of schemas has it."""
    package = Path(__file__).with_name("package.json")
    file = installed("schemas", package, "schemastore/schemas/json/sarif-2.1.0-rtm.5.json")
    return json.loads(file.read_text())


def test_the_schema_can_say_no(schema: Any) -> None:
    told = json.loads(as_sarif([Diagnostic("E101", "x")], []))
    told["runs"][0]["results"][0]["level"] = "catastrophe"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, schema)


def test_every_code_as_sarif(schema: Any) -> None:
    jsonschema.validate(json.loads(as_sarif([Diagnostic(code, "x", hint="y") for code in CODES], [])), schema)


@pytest.mark.parametrize(
    "text", [BASE, BASE + POLICY, BASE + "---\nkind: ["], ids=["sound", "denied", "broken"]
)
def test_what_check_writes(schema: Any, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/a.yaml").write_text(text)

    told = json.loads(CliRunner().invoke(command, ["specs", "--format", "sarif"]).stdout)

    jsonschema.validate(told, schema)
    assert ("E194" in json.dumps(told)) == (POLICY in text)


@pytest.mark.parametrize("audit", [AUDIT, CLEAN], ids=["everything", "clean"])
def test_what_an_audit_writes(schema: Any, audit: Any) -> None:
    jsonschema.validate(json.loads(audit_sarif(audit)), schema)
