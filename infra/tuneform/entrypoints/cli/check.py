"""`tuneform check`: everything that can be known to be wrong without a network."""

from __future__ import annotations

from pathlib import Path

import click

from tuneform.datasets import DatasetSource, prepare
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import DatasetErrors, Diagnostic, SpecErrors
from tuneform.specs import Dataset, Tree, load


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def command(path: Path | None) -> None:
    """Check the specs at PATH (default: specs) and the datasets they name.

    \b
    Examples:
      tuneform check
      tuneform check specs/support-intents.yaml
    """
    tree = load(Settings.here().specs(path))
    errors, warnings = _datasets(tree)
    for warning in (*tree.warnings, *warnings):
        click.echo(warning.render(), err=True)
    if errors:
        raise SpecErrors(errors)
    click.echo(f"{len(tree.documents)} documents, {len(tree.of(Dataset))} datasets: nothing is wrong")


def _datasets(tree: Tree) -> tuple[list[Diagnostic], list[Diagnostic]]:
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    for document in tree.of(Dataset):
        source = DatasetSource.from_spec(document.spec)
        if source.is_remote:
            continue  # what lies in Cloud Storage is looked at by preview
        try:
            warnings += prepare(source, root=tree.root, fetch=_no_network).warnings
        except DatasetErrors as found:
            errors += found.diagnostics
    return errors, warnings


def _no_network(uri: str) -> bytes:
    raise AssertionError(f"check reads nothing remote, and was asked for {uri}")
