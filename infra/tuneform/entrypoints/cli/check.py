"""`tuneform check`: everything that can be known to be wrong without a network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tuneform.datasets import Prepared
from tuneform.entrypoints.cli.running.rows import examine_with_rows, raise_errors
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, prices_option
from tuneform.entrypoints.cli.warning import warn
from tuneform.entrypoints.doors.documents import Documents, Part, facts_of
from tuneform.entrypoints.doors.policies import judge_of
from tuneform.entrypoints.doors.telling import judged
from tuneform.errors import Diagnostic, PriceErrors, SpecErrors
from tuneform.policy import Judge
from tuneform.review import suitability
from tuneform.review.spending import Size, check_limits
from tuneform.review.suitability import Facts, advise
from tuneform.specs import Dataset, Document, Policy, Tree
from tuneform.specs.meaning.policies import check_expiry
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

    A warning that holds at several places is told once, with where else; the forms for programs have each of them.

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
    seen = _examined(where, settings)
    if form != "text":
        sys.exit(_for_programs(seen.found, where, form))
    raise_errors(seen.found)
    warn(seen.found)
    for line in seen.asides:
        click.echo(line, err=True)
    documents = seen.tree.documents
    written = len({(document.origin.text, document.origin.number) for document in documents})
    in_projects = f", {len(documents)} with their projects" if written < len(documents) else ""
    datasets = len(seen.tree.of(Dataset))
    click.echo(
        f"{written} documents{in_projects}, {datasets} dataset{'' if datasets == 1 else 's'}: nothing is wrong"
    )


@dataclass(frozen=True)
class _Seen:
    """The specs, and everything that can be said of them. `asides` are what policies except and cannot judge here."""

    tree: Tree
    found: list[Diagnostic]
    asides: tuple[str, ...] = ()


def _examined(where: Path, settings: Settings) -> _Seen:
    """The specs with errors and warnings, and what data, limits and policies come to."""
    sizes: dict[tuple[str, str], Size] = {}
    advised: dict[tuple[str, str], Facts] = {}
    known: dict[tuple[str, str], dict[str, Part]] = {}

    def see(document: Document[Dataset], prepared: Prepared) -> None:
        key = (document.project, document.name)
        sizes[key], advised[key] = Size.of(prepared.training), suitability.facts_of(document, prepared)
        known[key] = facts_of(prepared)

    tree, found = examine_with_rows(where, settings.known(), see)
    found += advise(tree, advised)
    try:
        prices = settings.prices()
        found += check_limits(tree, sizes, prices)
        judgement = judged(Documents(tree, known, prices), _judge(tree, found, settings))
    except (PriceErrors, SpecErrors) as wrong:
        return _Seen(tree, [*found, *wrong.diagnostics])
    found += [*judgement.diagnostics, *check_expiry(tree.of(Policy), settings.today())]
    return _Seen(tree, found, tuple(judgement.lines()))


def _judge(tree: Tree, found: Sequence[Diagnostic], settings: Settings) -> Judge:
    """The policies that count; none while there are errors in the specs, of which some may be in policies."""
    if any(diagnostic.severity == "error" for diagnostic in found):
        return Judge([], settings.today())
    return judge_of(tree, settings)


def _for_programs(found: Sequence[Diagnostic], path: Path, form: str) -> int:
    """Print everything that was found, and return the exit code."""
    from tuneform.review import diagnostics  # noqa: PLC0415 (a tenth of a second that people need not wait)

    files = [diagnostics.shown_path(file) for file in spec_files(path)[0]]
    click.echo(diagnostics.FORMATS[form](found, files), nl=False)
    return 1 if any(diagnostic.severity == "error" for diagnostic in found) else 0
