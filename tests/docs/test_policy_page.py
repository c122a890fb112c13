"""docs/policy.md: what it says of built-in rules is up to date, and every YAML in it is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.entrypoints.cli.main import cli
from tuneform.policy import LIBRARY
from tuneform.specs import Policy, load
from tuneform.specs.reference.builtins import with_rules

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PROJECT = (
    "apiVersion: tuneform.dev/v1\nkind: Project\nmetadata: {name: demo}\n"
    "spec: {projectId: tuneform-demo, location: us-central1, owner: ml-team}\n"
)


def test_the_built_in_rules_are_up_to_date() -> None:
    assert with_rules(PAGE) == PAGE, "run: python -m tuneform.specs.reference docs"
    assert PAGE.count("\n### ") == len(LIBRARY)


@pytest.mark.parametrize("text", [block for block in BLOCKS if "kind: Policy\n" in block])
def test_every_policy_loads(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{PROJECT}---\n{text}", encoding="utf-8")
    tree = load(tmp_path)
    assert len(tree.of(Policy)) == 1
    assert tree.warnings == ()


def test_the_cases_come_out_with_the_first_policy(tmp_path: Path) -> None:
    (cases,) = (block for block in BLOCKS if "kind: PolicyTest\n" in block)
    (tmp_path / "policies.yaml").write_text(BLOCKS[0], encoding="utf-8")
    (tmp_path / "a.policytest.yaml").write_text(cases, encoding="utf-8")
    result = CliRunner().invoke(cli, ["policy", "test", str(tmp_path), "--coverage"])
    assert (result.exit_code, result.exception) == (0, None)
    assert "3 cases, none failed" in result.output
