"""`tuneform plan`: what `apply` would do, and what it would cost. It only reads."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tuneform import collection
from tuneform.entrypoints.cli.reconciling import connecting, judging, planfile, several
from tuneform.entrypoints.cli.reconciling.connecting import Asked, Opening
from tuneform.entrypoints.cli.reconciling.differing import differing
from tuneform.entrypoints.cli.reconciling.quiet import Quiet
from tuneform.entrypoints.cli.reconciling.several import Failed, Planned, show_plans
from tuneform.entrypoints.cli.reconciling.showing import (
    comment,
    console,
    is_blocked,
    print_json,
    show_warnings,
)
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.entrypoints.cli.settings import (
    Settings,
    capabilities_option,
    parallel_option,
    prices_option,
)
from tuneform.entrypoints.cli.warning import warn
from tuneform.errors import TuneformError
from tuneform.reconcile.execute.run import look
from tuneform.review import plan as review
from tuneform.review.pull_request import FailedReview, ProjectReview, Review

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
@click.option(
    "--project", help="Name of a Project document: that project alone, where the specs hold several."
)
@parallel_option
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
    parallel: int | None,
    google_cloud: bool,
    capabilities: tuple[Path, ...],
    prices: Path | None,
) -> None:
    """Show what `apply` would do to make what is live match the specs at PATH (default: specs).

    It only reads. Of a folder that holds its Project, what is live and in no document counts as removed; of a single
    file, nothing does. Infrastructure that is missing is shown as blocked: `tuneform up` makes it. Specs that hold
    several projects are planned whole, each project by itself; one that fails is shown with its error, and the others
    go on.

    \b
    Exit codes:
      0  nothing is wrong (with --detailed-exitcode: and nothing is to be done)
      1  an error, or a plan that is blocked or that policies forbid, in any project: all is shown, and `apply` would
         not succeed
      2  with --detailed-exitcode: there is something to do in some project, if only a job to wait for

    \b
    Examples:
      tuneform plan
      tuneform plan specs/support-intents.yaml
      tuneform plan --project dev
      tuneform plan --out plan.json && tuneform apply plan.json
      tuneform plan --format markdown
    """
    settings = Settings.here(capabilities, prices)
    at_once = settings.at_once(parallel)
    asked = Asked(path, project, google_cloud)
    openings = connecting.openings(settings, asked, listener=Quiet(), clock=StoppableClock())
    warn(openings[0].scope.tree.warnings)
    results = several.plans(openings, lambda opening: _planned(opening, settings), at_once)
    _show(results, form, openings[0].scope.path)
    planned = [result for result in results if isinstance(result, Planned)]
    if out is not None:
        _save(out, results, root=settings.root or Path.cwd(), google_cloud=google_cloud)
    if len(planned) < len(results) or any(is_blocked(one.plan) or one.denied for one in planned):
        sys.exit(BLOCKED)
    if detailed_exitcode and any(one.plan.changes for one in planned):
        sys.exit(CHANGES)


def _planned(opening: Opening, settings: Settings) -> Planned:
    found = opening.open()
    world, plan = look(found.ports.view, found.desired, ahead=found.ahead)
    advised = review.advice(plan, found.desired, found.scope.tree)
    judgement = judging.judge(found, settings)
    return Planned(found, plan, advised, judgement, differing(found, world, plan))


def _show(results: Sequence[Planned | Failed], form: str, path: Path) -> None:
    """The plans, one below another; of several with what they come to together."""
    planned = [result for result in results if isinstance(result, Planned)]
    if form == "json":
        if len(results) == 1:
            print_json(_plan_object(planned[0]))
        else:
            print_json(several.as_object([*map(_object, results)]))
        for one in planned:
            show_warnings(one.plan, console(stderr=True))
    elif form == "markdown":
        sys.stdout.write(comment([*map(_reviewed, results)], path))
    else:
        show_plans(results, console())


def _object(one: Planned | Failed) -> tuple[str, dict[str, Any] | TuneformError]:
    return one.name, one.error if isinstance(one, Failed) else _plan_object(one)


def _plan_object(one: Planned) -> dict[str, Any]:
    policy = {"policy": one.judgement.as_object()} if one.judgement is not None else {}
    return {**review.as_object(one.plan, one.advised, one.datasets), **policy}


def _reviewed(one: Planned | Failed) -> Review:
    if isinstance(one, Failed):
        return FailedReview(one.name, one.error)
    verdict = (one.judgement.verdict.findings, one.judgement.digest) if one.judgement else ((), "")
    return ProjectReview(one.plan, one.found.scope.place, one.advised, *verdict, one.datasets)


def _save(out: Path, results: Sequence[Planned | Failed], *, root: Path, google_cloud: bool) -> None:
    """Save all plans, or say which project there is none of: a file that leaves one out would be taken for all."""
    failed = [result.name for result in results if isinstance(result, Failed)]
    if failed:
        click.echo(f"not saved as {out}: there is no plan of {', '.join(failed)}", err=True)
        return
    if any(isinstance(result, Planned) and result.denied for result in results):
        click.echo(f"not saved as {out}: policies forbid what it would do", err=True)
        return
    plans = [(one.plan, one.found.scope) for one in results if isinstance(one, Planned)]
    digests = [one.judgement.digest for one in results if isinstance(one, Planned) and one.judgement]
    policies = digests[0] if digests else ""  # one tree has one set of policies, whichever project is planned
    planfile.save(out, plans, root=root, google_cloud=google_cloud, policies=policies)
    click.echo(f"saved as {out}; `tuneform apply {out}` does this and nothing else", err=True)
