"""`tuneform check`: everything that can be known to be wrong without a network."""

from __future__ import annotations

from pathlib import Path

import click

from tuneform.entrypoints.cli.running.rows import load_with_rows
from tuneform.entrypoints.cli.settings import Settings
from tuneform.specs import Dataset


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def command(path: Path | None) -> None:
    """Check the specs at PATH (default: specs) and the datasets they name.

    \b
    Examples:
      tuneform check
      tuneform check specs/support-intents.yaml
    """
    tree, warnings = load_with_rows(Settings.here().specs(path))
    for warning in warnings:
        click.echo(warning.render(), err=True)
    click.echo(f"{len(tree.documents)} documents, {len(tree.of(Dataset))} datasets: nothing is wrong")
