"""`tuneform plan`: what `apply` would do, and what it would cost. It only reads."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tuneform import collection
from tuneform.entrypoints.cli.reconciling import judging, planfile
from tuneform.entrypoints.cli.reconciling.connecting import Asked, opened
from tuneform.entrypoints.cli.reconciling.differing import differing
from tuneform.entrypoints.cli.reconciling.quiet import Quiet
from tuneform.entrypoints.cli.reconciling.showing import (
    comment,
    console,
    is_blocked,
    print_json,
    show_plan,
    show_spec_warnings,
    show_warnings,
)
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, prices_option
from tuneform.reconcile.execute.run import look
from tuneform.review import plan as review
from tuneform.review.pull_request import ProjectReview

BLOCKED, CHANGES = 1, 2


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="For people, for programs (one object on stdout), or for a pull request.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is something to do.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan, for `tuneform apply FILE`."
)
@click.option("--project", help="Name of the Project document, where the specs hold several.")
@click.option("--google-cloud", is_flag=True, help="Look at Google Cloud, not at the emulator.")
@capabilities_option
@prices_option
@collection.put_off()
def command(
    *,
    path: Path | None,
    form: str,
    detailed_exitcode: bool,
    out: Path | None,
    project: str | None,
    google_cloud: bool,
    capabilities: tuple[Path, ...],
    prices: Path | None,
) -> None:
    """Show what `apply` would do to make what is live match the specs at PATH (default: specs).

    It only reads. Of a folder that holds its Project, what is live and in no document counts as removed; of a single
    file, nothing does. Infrastructure that is missing is shown as blocked: `tuneform up` makes it.

    \b
    Exit codes:
      0  nothing is wrong (with --detailed-exitcode: and nothing is to be done)
      1  an error, or a plan that is blocked or that policies forbid: all of it is shown, and `apply` would not succeed
      2  with --detailed-exitcode: there is something to do, if only a job to wait for

    \b
    Examples:
      tuneform plan
      tuneform plan specs/support-intents.yaml
      tuneform plan --out plan.json && tuneform apply plan.json
      tuneform plan --format markdown
    """
    settings = Settings.here(capabilities, prices)
    found = opened(settings, Asked(path, project, google_cloud), listener=Quiet(), clock=StoppableClock())
    show_spec_warnings(found.scope)
    world, plan = look(found.ports.view, found.desired, ahead=found.ahead)
    advised = review.advice(plan, found.desired, found.scope.tree)
    judgement = judging.judge(found, settings)
    datasets = differing(found, world, plan)
    if form == "json":
        print_json({**review.as_object(plan, advised, datasets), "policy": judgement.as_object()})
        show_warnings(plan, console(stderr=True))
    elif form == "markdown":
        findings, digest = judgement.verdict.findings, judgement.digest
        reviewed = ProjectReview(plan, found.scope.place, advised, findings, digest, datasets)
        sys.stdout.write(comment((reviewed,), found.scope.path))
    else:
        show_plan(plan, found.scope, console(), advised, datasets)
        judging.show(judgement, console())
    if judgement.denied and out is not None:
        click.echo(f"not saved as {out}: policies forbid what it would do", err=True)
    elif out is not None:
        root = settings.root or Path.cwd()
        planfile.save(out, plan, found.scope, root=root, google_cloud=google_cloud)
        click.echo(f"saved as {out}; `tuneform apply {out}` does this and nothing else", err=True)
    if is_blocked(plan) or judgement.denied:
        sys.exit(BLOCKED)
    if detailed_exitcode and plan.changes:
        sys.exit(CHANGES)
