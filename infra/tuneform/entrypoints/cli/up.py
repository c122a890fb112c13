"""`tuneform up`: make what is live match the specs."""

from __future__ import annotations

import click

from tuneform.entrypoints.cli.running import closing, runs, together


@click.command()
@runs.with_options
@click.option("--quiet", is_flag=True, help="Ask the models nothing at the end, and draw no curves.")
def command(options: runs.Options, quiet: bool) -> None:
    """Make what is live match the specs at PATH (default: specs).

    Specs that hold several projects are applied whole: their stacks are run side by side, each by an engine of its own,
    and one that fails stops no other. The exit code is 1 when any failed.

    \b
    Examples:
      tuneform up                       apply specs/ to the emulator
      tuneform up ~/banking             apply a spec folder of your own
      tuneform up --stack prod          apply specs/ to Google Cloud
      tuneform up --project dev         apply one of several projects to the emulator
    """
    if together.is_about_several(options):
        together.run("up", options, *(["--quiet"] if quiet else []), read_rows=True)
        return
    run = runs.prepare(options, read_rows=True)
    run.console.print(f"applying {_what(run)} to the stack {run.target.stack}")
    display = runs.perform(run, run.stack.up, preview=False)
    run.result.print(display.summary())
    if not quiet:
        closing.show(run)


def _what(run: runs.Run) -> str:
    """The specs, and the project of them where there are several."""
    return f"{run.tree.root} ({run.project.name})" if run.several else str(run.tree.root)
