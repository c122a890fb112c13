"""The group of commands."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.entrypoints.cli.main import COMMANDS, cli, module_of


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_a_module_and_help_with_an_example(name: str) -> None:
    command = importlib.import_module(module_of(name)).command

    assert command.help
    assert "Example" in command.help
    assert f"tuneform {name}" in command.help


def test_help_lists_every_command_and_imports_none() -> None:
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tuneform.entrypoints.cli.main", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in shown.stdout for name in COMMANDS)
    assert not [line for line in shown.stderr.splitlines() if "pulumi" in line or "google" in line]


def test_a_command_that_does_not_exist_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, ["upp"])

    assert result.exit_code == 2
    assert "upp" in result.output


def test_check_finds_nothing_wrong_with_the_example() -> None:
    result = CliRunner().invoke(cli, ["check", str(Path(__file__).parents[4] / "specs")])

    assert result.exit_code == 0, result.output
    assert "nothing is wrong" in result.output
