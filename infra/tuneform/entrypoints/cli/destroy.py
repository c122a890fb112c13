"""`tuneform destroy`: take down everything that the stack made."""

from __future__ import annotations

import sys

import click

from tuneform.entrypoints.cli.running import runs, together
from tuneform.errors import SettingsError


@click.command()
@runs.with_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
@click.option("--all", "every", is_flag=True, help="Take down all projects, where the specs hold several.")
def command(options: runs.Options, *, yes: bool, every: bool) -> None:
    """Take down what the stack made. Keys, key rings, the state bucket and job records stay.

    Where the specs hold several projects, --project names one of them. Only --all takes down what all of them made.

    \b
    Examples:
      tuneform destroy --yes
      tuneform destroy --project dev
      tuneform destroy --all
    """
    if not yes and not sys.stdin.isatty():
        raise SettingsError("destroy asks first, and nobody is at a terminal to answer", remedy="add --yes")
    if every and (options.project is not None or options.stack is not None):
        raise SettingsError("--all means every project, and one was named", remedy="leave one of them out")
    if together.is_about_several(options):
        _take_down_all(options, yes=yes, every=every)
        return
    run = runs.prepare(options)
    if not yes:
        click.confirm(f"delete everything that the stack {run.target.stack} made?", abort=True)
    display = runs.perform(run, run.stack.destroy, preview=False)
    run.result.print(display.summary())


def _take_down_all(options: runs.Options, *, yes: bool, every: bool) -> None:
    if not every:
        raise SettingsError(
            "the specs hold several projects, and destroy takes down one of them unless it is told otherwise",
            remedy="name one of them with --project, or say --all",
        )
    if not yes:
        click.confirm("delete everything that the stacks of all projects made?", abort=True)
    together.run("destroy", options, "--yes")
