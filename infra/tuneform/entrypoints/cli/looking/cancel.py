"""`tuneform cancel`: stop a tuning's running job, because a person wants it."""

from __future__ import annotations

import sys

import click

from tuneform.entrypoints.cli.looking.cancelling import Canceller, look, running
from tuneform.entrypoints.cli.looking.opening import Options, agreed, opened, tell, with_options
from tuneform.entrypoints.cli.reconciling.showing import print_json
from tuneform.errors import SettingsError
from tuneform.reconcile.live import Job


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_options
def command(options: Options, name: str, *, yes: bool) -> None:
    """Cancel the job of the tuning NAME that runs: of its wanted revision, or else of another one.

    What was trained until then is paid for and never serves, and the ledger remembers who cancelled it: the same
    recipe is not trained again by itself. A job that has ended already is left alone, and said to have.

    \b
    Exit codes: 0 cancelled, or ended before; 1 an error (on stderr), or not agreed to; 3 has not stopped yet.

    \b
    Examples:
      tuneform cancel support-intents
      tuneform cancel support-intents --yes --format json
    """
    open_ = opened(options)
    names = open_.tuning_names(name)
    observed = look(open_.ports, open_.project, names)
    job = running(observed)
    if job is None:
        if not observed.jobs and not observed.records:
            raise SettingsError(
                f"there is no job of {open_.project.name}/{name}",
                remedy="`tuneform status` lists the tunings",
            )
        _tell(options, None, _none_runs(name, observed.jobs), cancelled=False)
        return
    epochs = f", {job.epochs} epochs" if job.epochs else ""
    tell(f"{job.name}", f"  {job.state.value}, {job.revision}{epochs}")
    if not agreed("Cancel it? What it has trained is paid for and will not serve.", yes=yes):
        tell("left alone")
        sys.exit(1)
    with open_.clock.listening():
        done = Canceller(open_.ports, open_.project, names).cancel(job)
    _tell(options, done.job, done.text, cancelled=done.won)
    if done.pending:
        sys.exit(3)


def _none_runs(name: str, jobs: tuple[Job, ...]) -> str:
    if not jobs:
        return f"no job of {name} runs"
    newest = max(jobs, key=lambda job: (job.created is not None, job.created, job.name))
    when = f" on {newest.ended:%Y-%m-%d %H:%M} UTC" if newest.ended else ""
    return f"no job of {name} runs: the last one, {newest.name}, ended as {newest.state.value}{when}"


def _tell(options: Options, job: Job | None, text: str, *, cancelled: bool) -> None:
    if not options.is_json:
        click.echo(text)
        return
    seen = {"job": job.name, "revision": job.revision, "state": job.state.value} if job else {}
    print_json({"cancelled": cancelled, **seen, "text": text})
