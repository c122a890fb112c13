"""`tuneform refresh`: read what is live into the state."""

from __future__ import annotations

import click

from tuneform.entrypoints.cli.running import runs


@click.command()
@runs.with_options
def command(options: runs.Options) -> None:
    """Read what is live into the state; what differs from the specs is repaired by the next `up`.

    \b
    Example:
      tuneform refresh
    """
    run = runs.prepare(options)
    display = runs.perform(run, run.stack.refresh, preview=False)
    run.console.print(display.summary())
