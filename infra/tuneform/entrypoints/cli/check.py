"""`tuneform check`: everything that can be known to be wrong without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tuneform.capabilities import Capabilities
from tuneform.entrypoints.cli.running.rows import examine_with_rows, load_with_rows
from tuneform.entrypoints.cli.settings import Settings, capabilities_option
from tuneform.specs import Dataset
from tuneform.specs.text.files import spec_files

FORMATS = ("text", "json", "sarif", "junit", "github")


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="For people, or on stdout for programs: JSON, SARIF (code scanning), JUnit (test reports), annotations of "
    "GitHub Actions.",
)
@capabilities_option
def command(path: Path | None, form: str, capabilities: tuple[Path, ...]) -> None:
    """Check the specs at PATH (default: specs) and the datasets they name. All errors are shown at once.

    \b
    Exit codes:
      0  nothing is wrong; there may be warnings
      1  something is wrong

    \b
    Examples:
      tuneform check
      tuneform check specs/support-intents.yaml
      tuneform check --format sarif > tuneform.sarif
    """
    settings = Settings.here(capabilities)
    where, known = settings.specs(path), settings.known()
    if form != "text":
        sys.exit(_for_programs(where, known, form))
    tree, warnings = load_with_rows(where, known)
    for warning in warnings:
        click.echo(warning.render(), err=True)
    written = len({(document.origin.text.path, document.origin.number) for document in tree.documents})
    in_projects = f", {len(tree.documents)} with their projects" if written < len(tree.documents) else ""
    click.echo(f"{written} documents{in_projects}, {len(tree.of(Dataset))} datasets: nothing is wrong")


def _for_programs(path: Path, known: Capabilities, form: str) -> int:
    """Print everything that was found, and return the exit code."""
    from tuneform.review import diagnostics  # noqa: PLC0415 (a tenth of a second that people need not wait)

    _, found = examine_with_rows(path, known)
    files = [diagnostics.shown_path(file) for file in spec_files(path)[0]]
    click.echo(diagnostics.FORMATS[form](found, files), nl=False)
    return 1 if any(diagnostic.severity == "error" for diagnostic in found) else 0
