"""Every code that can be printed is explained, and every one that is explained can be printed."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.datasets import codes as datasets
from tuneform.entrypoints.cli.main import cli
from tuneform.entrypoints.cli.reference import page
from tuneform.errors import TuneformError
from tuneform.review.codes import CODES, RUNS
from tuneform.specs.reference import codes as specs

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "infra" / "tuneform"
TABLES = ("specs/reference/codes.py", "datasets/codes.py", "review/codes.py")
CODE = re.compile(r"[EW][0-9]{3}")

FUNCTIONAL, UNIT = "tests/functional", "tests/unit"
CALLS = f"{UNIT}/platforms/test_errors.py::test_every_http_status_has_one_meaning"
PLANFILE = f"{UNIT}/entrypoints/cli/reconciling/test_planfile.py"
SHOWN = {
    "E100": f"{FUNCTIONAL}/commands/test_watch.py"
    "::test_it_tunes_what_is_written_while_it_watches_and_outlives_bad_specs",
    "E310": f"{FUNCTIONAL}/provider/test_protocol.py::test_a_resource_type_it_does_not_have_is_refused",
    "E410": f"{UNIT}/entrypoints/test_engine.py::test_the_program_fails_with_the_remedy_and_no_traceback",
    "E411": f"{UNIT}/entrypoints/test_engine.py::test_a_home_that_cannot_be_written_is_an_error_with_a_remedy",
    "E420": f"{FUNCTIONAL}/reconcile/test_core.py::test_a_wait_called_off_leaves_the_job_running_and_recorded",
    "E510": CALLS,
    "E520": f"{FUNCTIONAL}/main_job/test_bad_input.py"
    "::test_a_refusal_and_a_killed_emulator_end_runs_clearly_and_cost_no_second_job",
    "E530": f"{FUNCTIONAL}/main_job/test_bad_input.py"
    "::test_a_refusal_and_a_killed_emulator_end_runs_clearly_and_cost_no_second_job",
    "E531": CALLS,
    "E532": CALLS,
    "E540": f"{FUNCTIONAL}/platforms/test_ledger.py::test_only_who_saw_the_last_state_may_change_it",
    "E600": f"{UNIT}/entrypoints/cli/running/test_failures.py::test_a_problem_is_told_once_at_its_place",
    "E611": f"{PLANFILE}::test_a_file_that_was_cut_off_anywhere_is_refused",
    "E612": f"{PLANFILE}::test_every_edit_is_noticed",
    "E613": f"{PLANFILE}::test_a_newer_form_is_refused_by_version_before_anything_else_is_read",
    "E614": f"{PLANFILE}::test_another_project_is_refused_and_the_difference_named",
    "E615": f"{PLANFILE}::test_a_stale_plan_is_refused_and_what_changed_is_named",
    "E620": f"{FUNCTIONAL}/commands/test_endpoint.py::test_while_nothing_serves_there_is_an_error_and_no_output",
    "E621": f"{FUNCTIONAL}/commands/test_endpoint.py"
    "::test_a_checkpoint_whose_endpoint_was_deleted_is_said_to_be_without",
    "E630": f"{FUNCTIONAL}/commands/test_resolve.py::test_a_job_of_other_labels_or_none_at_all_is_refused",
    "E640": f"{FUNCTIONAL}/commands/test_import.py"
    "::test_jobs_of_other_owners_and_those_without_a_model_are_left_alone",
    "E650": f"{UNIT}/entrypoints/cli/auditing/test_targets.py::test_every_mistake_is_told_at_its_place",
    "E700": f"{UNIT}/entrypoints/cli/running/test_failures.py::test_a_problem_is_told_once_at_its_place",
}
"""The test that brings about a code of runs, where it takes more than a command in a folder of specs."""

BASES = {"E000", "E200", "E500"}
"""Codes of classes that every error of theirs has a closer one than: only a log, or a defect, shows them."""


def used() -> set[str]:
    """The codes that stand as whole texts in the source, but for the tables."""
    return {
        node.value
        for path in SOURCE.rglob("*.py")
        if str(path.relative_to(SOURCE)) not in TABLES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def test_every_code_that_is_used_is_explained_and_the_other_way_round() -> None:
    assert used() == set(CODES)
    assert len(CODES) == len(specs.CODES) + len(datasets.CODES) + len(RUNS), "a code means one thing"


@pytest.mark.parametrize("name", [name for name, code in RUNS.items() if code.example])
def test_the_example_of_a_code_of_runs_is_what_is_printed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "notes.txt").write_text("remember the milk\n")
    monkeypatch.chdir(tmp_path)
    command, _, printed = RUNS[name].example.partition("\n")

    error = CliRunner().invoke(cli, command.removeprefix("$ tuneform ").split()).exception

    assert isinstance(error, TuneformError)
    assert error.render() == printed
    assert f"error[{name}]" in printed


@pytest.mark.parametrize("name", sorted(name for name in set(RUNS) - BASES if not RUNS[name].example))
def test_the_others_are_shown_by_a_test_that_there_is(name: str) -> None:
    path, _, test = SHOWN[name].partition("::")
    assert f"def {test}(" in (ROOT / path).read_text()


def test_the_page_of_commands_is_up_to_date() -> None:
    remedy = "run: python -m tuneform.entrypoints.cli.reference docs"
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page(), remedy
