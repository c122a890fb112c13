"""`tuneform apply`: make what is live match the specs, and follow the jobs; with `--watch` for ever."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from tuneform.entrypoints.cli.reconciling import connecting, judging, planfile, several
from tuneform.entrypoints.cli.reconciling.applying import Wish, perform_each, tell
from tuneform.entrypoints.cli.reconciling.connecting import Asked, Opening
from tuneform.entrypoints.cli.reconciling.progress import Followed
from tuneform.entrypoints.cli.reconciling.scope import NoSuchProjectError
from tuneform.entrypoints.cli.reconciling.several import Failed, Planned
from tuneform.entrypoints.cli.reconciling.showing import console
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.entrypoints.cli.settings import (
    Settings,
    capabilities_option,
    parallel_option,
    prices_option,
)
from tuneform.entrypoints.cli.warning import warn
from tuneform.errors import SettingsError
from tuneform.reconcile.actions import Blocked
from tuneform.reconcile.execute.run import look
from tuneform.review import plan as review

FAILED = 1
DEFAULT_LISTEN = "127.0.0.1:9464"


@click.command()
@click.argument("path", metavar="[PATH|PLANFILE]", required=False, type=click.Path(path_type=Path))
@click.option("--yes", "-y", is_flag=True, help="Apply without asking.")
@click.option(
    "--wait",
    type=click.Choice(["succeeded", "accepted"]),
    help="Wait until jobs have succeeded (default), or only until they are accepted.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or one object on stdout at the end.",
)
@click.option(
    "--project", help="Name of a Project document: that project alone, where the specs hold several."
)
@parallel_option
@click.option("--google-cloud", is_flag=True, help="Work on Google Cloud, not on the emulator.")
@click.option(
    "--specs", type=click.Path(path_type=Path), help="Where a plan file's specs lie now, if elsewhere."
)
@click.option("--watch", is_flag=True, help="Keep what is live as the specs say, until stopped. Needs --yes.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.05),
    default=30.0,
    show_default=True,
    help="With --watch: seconds between two looks.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default=DEFAULT_LISTEN,
    show_default=True,
    help="With --watch: where /healthz and /metrics are served.",
)
@capabilities_option
@prices_option
def command(
    *,
    path: Path | None,
    yes: bool,
    wait: str | None,
    form: str,
    project: str | None,
    parallel: int | None,
    google_cloud: bool,
    specs: Path | None,
    watch: bool,
    interval: float,
    listen: str,
    capabilities: tuple[Path, ...],
    prices: Path | None,
) -> None:
    """Make what is live match the specs at PATH (default: specs), or do what a plan file says and nothing else.

    Shows the plan and asks first. Ctrl-C ends the waiting and nothing else: jobs go on, and the same command follows
    them again. A plan file is refused when the specs, or what is live, have changed since it was made.

    Specs that hold several projects are applied whole, side by side, after one question; what fails in one project
    stops no other. More tunings than a project has places for jobs wait in line. --watch follows one project.

    \b
    Exit codes:
      0    done, or nothing to do; with --wait accepted, what waits in line is named; with --watch: stopped
      1    something failed or is blocked, in any project; the rest was done
      130  stopped while waiting; jobs go on

    \b
    Examples:
      tuneform apply
      tuneform apply specs --yes --wait accepted
      tuneform apply --project dev
      tuneform plan --out plan.json && tuneform apply plan.json
      tuneform apply --watch --yes --interval 60
    """
    settings = Settings.here(capabilities, prices)
    saved = planfile.read(path) if path is not None and planfile.is_plan_file(path) else ()
    asked = _asked(settings, path, saved, project=project, google_cloud=google_cloud, specs=specs)
    if watch:
        _watch(settings, asked, saved, yes=yes, interval=interval, listen=listen)
        return
    waits = (settings.get("wait", wait) or "succeeded") == "succeeded"
    wish = Wish(asked, saved, yes, waits, form == "json", settings.at_once(parallel))
    clock = StoppableClock()
    where = console(stderr=wish.json)
    listener = Followed(where, clock)
    openings = _openings(settings, wish, listener, clock)
    listener.several = len(openings) > 1
    warn(openings[0].scope.tree.warnings)

    def planned(opening: Opening) -> Planned:
        return _planned(opening, wish, settings)

    plans = several.plans(openings, planned, wish.at_once)
    _refuse_stale(plans, wish)
    several.show_plans(plans if len(plans) > 1 else [*map(_without_denied, plans)], where)
    plans = [*map(several.forbidden, plans)]
    if len(plans) == 1 and isinstance(plans[0], Failed):
        raise plans[0].error
    _refuse_stale(plans, wish)
    if not _agreed(plans, wish, where):
        where.print("Nothing was applied.")
        sys.exit(FAILED)
    ended = perform_each(plans, wish, clock, listener, where)
    tell(ended, wish, where)
    if any(isinstance(one, Failed) or one.outcome.failures for one in ended):
        sys.exit(FAILED)


def _asked(
    settings: Settings,
    path: Path | None,
    saved: tuple[planfile.PlanFile, ...],
    *,
    project: str | None,
    google_cloud: bool,
    specs: Path | None,
) -> Asked:
    """Where to look. A plan file says it itself, and no flag may say otherwise."""
    if not saved:
        return Asked(path or specs, project, google_cloud)
    one = saved[0]
    if google_cloud != one.google_cloud:
        places = {True: "Google Cloud", False: "the emulator"}
        raise planfile.other_project(
            one.path, f"one on {places[one.google_cloud]}, and this is {places[google_cloud]}"
        )
    found = specs or one.specs_path(settings.root or Path.cwd())
    named = project or (one.project["name"] if len(saved) == 1 else None)
    return Asked(found, named, google_cloud)


def _openings(
    settings: Settings, wish: Wish, listener: Followed, clock: StoppableClock
) -> tuple[Opening, ...]:
    """The specs' projects, or those of them that a plan file is about, each of which must still be there."""
    try:
        openings = connecting.openings(settings, wish.asked, listener=listener, clock=clock)
    except NoSuchProjectError as error:
        if not wish.plans:
            raise
        raise planfile.other_project(wish.plans[0].path, error.message) from error
    if len(wish.plans) < 2:
        return openings
    there = {opening.name: opening for opening in openings}
    wanted = [wish.asked.project] if wish.asked.project else [plan.project["name"] for plan in wish.plans]
    for name in wanted:
        if wish.plan_of(name) is None:
            raise planfile.other_project(wish.plans[0].path, f"it holds no plan of {name!r}")
        if name not in there:
            raise planfile.other_project(wish.plans[0].path, f"there is no Project {name!r} any more")
    return tuple(there[name] for name in sorted(wanted))


def _planned(opening: Opening, wish: Wish, settings: Settings) -> Planned:
    """What is to be done now in one project; what a plan file says of it must be just that."""
    found = opening.open()
    saved = wish.plan_of(opening.name) or (wish.plans[0] if wish.plans else None)
    if saved is not None:
        saved.check_project(found.desired.project)
    _, plan = look(found.ports.view, found.desired)
    if saved is not None:
        saved.check_fresh(plan)
    advised = review.advice(plan, found.desired, found.scope.tree)
    judgement = judging.judge(found, settings)
    if saved is not None:
        saved.check_policies(judgement.digest)
    return Planned(found, plan, advised, judgement if judgement.verdict.findings else None)


def _without_denied(planned: Planned | Failed) -> Planned | Failed:
    """What a policy forbids is told as the error that it is, where there is one project."""
    if isinstance(planned, Failed) or planned.judgement is None:
        return planned
    return replace(planned, judgement=replace(planned.judgement, diagnostics=planned.judgement.warned))


def _refuse_stale(plans: Sequence[Planned | Failed], wish: Wish) -> None:
    """A plan file is applied as a whole or not at all: no project is begun when one is not as it was planned.

    Raises:
        PlanFileError: of one or more of its projects.
    """
    failed = [plan for plan in plans if isinstance(plan, Failed)]
    if wish.plans and failed:
        _refuse(failed)


def _refuse(failed: Sequence[Failed]) -> NoReturn:
    """Raise what is wrong with some of several projects, before anything was begun in any."""
    told = "\n".join(f"Project {one.name}: {one.error.message}" for one in failed)
    first = failed[0].error
    raise planfile.PlanFileError(
        f"nothing was applied in any project:\n{told}", remedy=first.remedy, code=first.code
    )


def _agreed(plans: Sequence[Planned | Failed], wish: Wish, where: Console) -> bool:
    """Whether the plans are to be applied: nobody is asked about nothing, or about what was asked for with --yes.

    Raises:
        SettingsError: there is nobody to ask.
        PlanFileError: something changed while the question stood.
    """
    made = [plan for plan in plans if isinstance(plan, Planned)]
    doable = any(
        not isinstance(action, Blocked)
        for one in made
        for item in one.plan.changes
        for action in item.actions
    )
    if wish.yes or not doable:
        return True
    if not sys.stdin.isatty():
        raise SettingsError(
            "nobody can be asked whether to apply this: the input is not a terminal",
            remedy="say so beforehand with --yes; nothing was done",
        )
    where.print("\nApply these changes? \\[y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        return False
    again = several.each(made, lambda one: one.name, _looked_again, wish.at_once)
    changed = [one for one in again if isinstance(one, Failed)]
    if len(plans) == 1 and changed:
        raise changed[0].error
    if changed:
        _refuse(changed)
    return True


def _looked_again(planned: Planned) -> None:
    """Look again.

    Raises:
        PlanFileError: something changed.
    """
    _, again = look(planned.found.ports.view, planned.found.desired)
    if again.stamp != planned.plan.stamp:
        raise planfile.stale("this changed while the question stood", planfile.in_words(planned.plan), again)


def _watch(
    settings: Settings,
    asked: Asked,
    saved: tuple[planfile.PlanFile, ...],
    *,
    yes: bool,
    interval: float,
    listen: str,
) -> None:
    if saved:
        raise SettingsError(
            "--watch follows specs, and a plan file is one plan", remedy="name the spec folder"
        )
    if not yes:
        raise SettingsError(
            "--watch applies whatever the specs come to say, without asking",
            remedy="agree to that beforehand with --yes",
        )
    # Its libraries are for this alone, and take their time.
    watching = importlib.import_module("tuneform.entrypoints.cli.reconciling.watching")
    watching.watch(settings, asked, interval=interval, listen=listen)
