"""`tuneform check`: everything that can be known to be wrong without a network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tuneform.datasets import Prepared
from tuneform.entrypoints.cli.running.rows import examine_with_rows, raise_errors
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, prices_option
from tuneform.errors import Diagnostic, PriceErrors
from tuneform.review.spending import Size, check_limits
from tuneform.review.suitability import Facts, advise, facts_of
from tuneform.specs import Dataset, Document, Tree
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
@prices_option
def command(path: Path | None, form: str, capabilities: tuple[Path, ...], prices: Path | None) -> None:
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
    settings = Settings.here(capabilities, prices)
    where = settings.specs(path)
    tree, found = _examined(where, settings)
    if form != "text":
        sys.exit(_for_programs(found, where, form))
    raise_errors(found)
    for warning in found:
        click.echo(warning.render(), err=True)
    written = len({(document.origin.text, document.origin.number) for document in tree.documents})
    in_projects = f", {len(tree.documents)} with their projects" if written < len(tree.documents) else ""
    datasets = len(tree.of(Dataset))
    click.echo(
        f"{written} documents{in_projects}, {datasets} dataset{'' if datasets == 1 else 's'}: nothing is wrong"
    )


def _examined(where: Path, settings: Settings) -> tuple[Tree, list[Diagnostic]]:
    """The specs, and everything that can be said of them: errors, warnings, and what data and limits come to."""
    sizes: dict[tuple[str, str], Size] = {}
    facts: dict[tuple[str, str], Facts] = {}

    def see(document: Document[Dataset], prepared: Prepared) -> None:
        key = (document.project, document.name)
        sizes[key], facts[key] = Size.of(prepared.training), facts_of(document, prepared)

    tree, found = examine_with_rows(where, settings.known(), see)
    found += advise(tree, facts)
    try:
        return tree, [*found, *check_limits(tree, sizes, settings.prices())]
    except PriceErrors as wrong:
        return tree, [*found, *wrong.diagnostics]


def _for_programs(found: Sequence[Diagnostic], path: Path, form: str) -> int:
    """Print everything that was found, and return the exit code."""
    from tuneform.review import diagnostics  # noqa: PLC0415 (a tenth of a second that people need not wait)

    files = [diagnostics.shown_path(file) for file in spec_files(path)[0]]
    click.echo(diagnostics.FORMATS[form](found, files), nl=False)
    return 1 if any(diagnostic.severity == "error" for diagnostic in found) else 0
