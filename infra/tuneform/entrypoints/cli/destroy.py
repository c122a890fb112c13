"""`tuneform destroy`: take down everything that the stack made."""

from __future__ import annotations

import sys

import click

from tuneform.entrypoints.cli.running import runs
from tuneform.errors import SettingsError


@click.command()
@runs.with_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
def command(options: runs.Options, yes: bool) -> None:
    """Take down what the stack made. Keys, key rings, the state bucket and job records stay.

    \b
    Example:
      tuneform destroy --yes
    """
    if not yes and not sys.stdin.isatty():
        raise SettingsError("destroy asks first, and nobody is at a terminal to answer", remedy="add --yes")
    run = runs.prepare(options)
    if not yes:
        click.confirm(f"delete everything that the stack {run.target.stack} made?", abort=True)
    display = runs.perform(run, run.stack.destroy, preview=False)
    run.console.print(display.summary())
