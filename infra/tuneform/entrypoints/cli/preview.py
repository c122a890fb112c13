"""`tuneform preview`: what `up` would do, changing nothing."""

from __future__ import annotations

import click

from tuneform.entrypoints.cli.running import runs, together


@click.command()
@runs.with_options
def command(options: runs.Options) -> None:
    """Show what `up` would do with the specs at PATH (default: specs), and why; of several projects, in each.

    \b
    Examples:
      tuneform preview
      tuneform preview --stack prod
      tuneform preview --project dev
    """
    if together.is_about_several(options):
        together.run("preview", options, read_rows=True)
        return
    run = runs.prepare(options, read_rows=True)
    display = runs.perform(run, run.stack.preview, preview=True)
    display.plan()
    run.result.print(display.summary())
