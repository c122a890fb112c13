"""`tuneform policy test`: the cases that are written for policies, run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tuneform.entrypoints.cli.policy.cases import case_files, read_cases
from tuneform.entrypoints.cli.policy.outcomes import Runner, run_all
from tuneform.entrypoints.cli.policy.reports import FORMATS
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, prices_option


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    help="For people, or on stdout for programs: JSON, JUnit (test reports).",
)
@click.option(
    "--coverage", is_flag=True, help="Say which rules no case shows kept, and which none shows broken."
)
@capabilities_option
@prices_option
def command(
    path: Path | None, form: str, coverage: bool, capabilities: tuple[Path, ...], prices: Path | None
) -> None:
    """Run the cases in *.policytest.yaml at PATH (default: specs): documents, and what policies must say of them.

    \b
    Exit codes:
      0  all came out as expected
      1  some did not, or a file of cases is wrong

    \b
    Examples:
      tuneform policy test
      tuneform policy test house/policies --coverage
      tuneform policy test --format junit > policies.xml
    """
    settings = Settings.here(capabilities, prices)
    files = [read_cases(file) for file in case_files(settings.specs(path))]
    runner = Runner(settings.known(), settings.prices(), settings.today())
    outcomes = run_all(files, runner)
    click.echo(FORMATS[form](outcomes, runner.coverage if coverage else None), nl=False)
    if any(outcome.failed for outcome in outcomes):
        sys.exit(1)
