from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.entrypoints.cli.main import cli
from tuneform.errors import SpecErrors
from tuneform.specs import KINDS, load
from tuneform.specs.reference.codes import CODES
from tuneform.specs.reference.examples import EXAMPLES, together
from tuneform.specs.reference.pages import errors_page, specs_page

DOCS = Path(__file__).parents[4] / "docs"


def test_the_pages_are_up_to_date() -> None:
    remedy = "run: python -m tuneform.specs.reference docs"
    assert (DOCS / "specs.md").read_text(encoding="utf-8") == specs_page(), remedy
    assert (DOCS / "errors.md").read_text(encoding="utf-8") == errors_page(), remedy


def test_every_kind_has_an_example_and_together_they_load(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(together())
    tree = load(tmp_path)
    assert tree.warnings == ()
    assert {document.kind for document in tree.documents} == set(EXAMPLES) == set(KINDS)


def test_every_field_says_what_it_means() -> None:
    rows = [line for line in specs_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []


JUDGED = {"E194", "E195", "W190", "W191"}
"""What `check` says when it has asked the policies."""


@pytest.mark.parametrize("name", [name for name, code in CODES.items() if code.example])
def test_the_example_of_a_code_gets_that_code_and_no_other(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = CODES[name]
    monkeypatch.setenv("TUNEFORM_TODAY", "2026-11-30")
    (tmp_path / "a.yaml").write_text("" if code.alone else together())
    (tmp_path / "b.yaml").write_text(code.example)
    try:
        found = load(tmp_path).warnings
    except SpecErrors as errors:
        found = errors.diagnostics
    codes = {diagnostic.code for diagnostic in found}
    if name in JUDGED:
        assert codes == set(), "policies are asked of specs that are sound"
        printed = CliRunner().invoke(cli, ["check", str(tmp_path), "--format", "json"]).stdout
        codes = {found["code"] for found in json.loads(printed)["diagnostics"]} & JUDGED
    assert codes == {name}
