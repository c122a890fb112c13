"""`tuneform refresh`: read what is live into the state."""

from __future__ import annotations

import click

from tuneform.entrypoints.cli.running import runs, together


@click.command()
@runs.with_options
def command(options: runs.Options) -> None:
    """Read what is live into the state; what differs from the specs is repaired by the next `up`.

    Of specs that hold several projects, into the state of each.

    \b
    Example:
      tuneform refresh
    """
    if together.is_about_several(options):
        together.run("refresh", options)
        return
    run = runs.prepare(options)
    display = runs.perform(run, run.stack.refresh, preview=False)
    run.result.print(display.summary())
