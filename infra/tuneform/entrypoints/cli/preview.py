"""`tuneform preview`: what `up` would do, changing nothing."""

from __future__ import annotations

import click

from tuneform.entrypoints.cli.running import runs


@click.command()
@runs.with_options
def command(options: runs.Options) -> None:
    """Show what `up` would do with the specs at PATH (default: specs), and why.

    \b
    Examples:
      tuneform preview
      tuneform preview --stack prod
      tuneform preview --project dev
    """
    run = runs.prepare(options, read_rows=True)
    display = runs.perform(run, run.stack.preview, preview=True)
    display.plan()
    run.console.print(display.summary())
