"""`tuneform apply`: make what is live match the specs, and follow the jobs; with `--watch` for ever."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console

from tuneform.entrypoints.cli.reconciling import judging, planfile, results
from tuneform.entrypoints.cli.reconciling.connecting import Asked, Opened, opened
from tuneform.entrypoints.cli.reconciling.progress import Followed
from tuneform.entrypoints.cli.reconciling.scope import NoSuchProjectError
from tuneform.entrypoints.cli.reconciling.showing import console, print_json, show_plan, show_spec_warnings
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock, Stopped
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, prices_option
from tuneform.errors import SettingsError
from tuneform.reconcile.actions import Blocked
from tuneform.reconcile.execute import Interrupted, Outcome
from tuneform.reconcile.execute import apply as perform
from tuneform.reconcile.execute.run import look
from tuneform.reconcile.plan import Plan
from tuneform.review import plan as review

FAILED, STOPPED = 1, 130
DEFAULT_LISTEN = "127.0.0.1:9464"


@dataclass(frozen=True)
class Wish:
    """What a command line asks of `apply`. `plan` is the plan file to be applied, None for specs."""

    asked: Asked
    plan: planfile.PlanFile | None
    yes: bool
    wait: bool
    json: bool


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
@click.option("--project", help="Name of the Project document, where the specs hold several.")
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

    \b
    Exit codes:
      0    done, or nothing to do; with --watch: stopped
      1    something failed or is blocked; the rest was done
      130  stopped while waiting; jobs go on

    \b
    Examples:
      tuneform apply
      tuneform apply specs --yes --wait accepted
      tuneform plan --out plan.json && tuneform apply plan.json
      tuneform apply --watch --yes --interval 60
    """
    settings = Settings.here(capabilities, prices)
    saved = planfile.read(path) if path is not None and planfile.is_plan_file(path) else None
    asked = _asked(settings, path, saved, project=project, google_cloud=google_cloud, specs=specs)
    if watch:
        _watch(settings, asked, saved, yes=yes, interval=interval, listen=listen)
        return
    waits = (settings.get("wait", wait) or "succeeded") == "succeeded"
    wish = Wish(asked, saved, yes, waits, form == "json")
    clock = StoppableClock()
    where = console(stderr=wish.json)
    listener = Followed(where, clock)
    found = _opened(settings, wish, listener, clock)
    show_spec_warnings(found.scope)
    plan = _planned(found, wish, where)
    judgement = judging.judge(found, settings)
    if judgement.verdict.findings:
        judging.show(replace(judgement, diagnostics=judgement.warned), where)
    judgement.refuse()
    if not _agreed(found, plan, wish, where):
        where.print("Nothing was applied.")
        sys.exit(FAILED)
    outcome = _perform(found, wish, clock, listener, where)
    _tell(found, plan, outcome, wish, where)
    if outcome.failures:
        sys.exit(FAILED)


def _asked(
    settings: Settings,
    path: Path | None,
    saved: planfile.PlanFile | None,
    *,
    project: str | None,
    google_cloud: bool,
    specs: Path | None,
) -> Asked:
    """Where to look. A plan file says it itself, and no flag may say otherwise."""
    if saved is None:
        return Asked(path or specs, project, google_cloud)
    if google_cloud != saved.google_cloud:
        places = {True: "Google Cloud", False: "the emulator"}
        raise planfile.other_project(
            saved.path, f"one on {places[saved.google_cloud]}, and this is {places[google_cloud]}"
        )
    found = specs or saved.specs_path(settings.root or Path.cwd())
    return Asked(found, project or saved.project["name"], google_cloud)


def _opened(settings: Settings, wish: Wish, listener: Followed, clock: StoppableClock) -> Opened:
    """The specs and their project, which must be a plan file's."""
    try:
        found = opened(settings, wish.asked, listener=listener, clock=clock)
    except NoSuchProjectError as error:
        if wish.plan is None:
            raise
        raise planfile.other_project(wish.plan.path, error.message) from error
    if wish.plan is not None:
        wish.plan.check_project(found.desired.project)
    return found


def _planned(found: Opened, wish: Wish, where: Console) -> Plan:
    """What is to be done now, shown; a plan file's plan must be just that."""
    _, plan = look(found.ports.view, found.desired)
    if wish.plan is not None:
        wish.plan.check_fresh(plan)
    show_plan(plan, found.scope, where, review.advice(plan, found.desired, found.scope.tree))
    return plan


def _agreed(found: Opened, plan: Plan, wish: Wish, where: Console) -> bool:
    """Whether the plan is to be applied: nobody is asked about nothing, or about what was asked for with --yes.

    Raises:
        SettingsError: there is nobody to ask.
        PlanFileError: something changed while the question stood.
    """
    doable = any(not isinstance(action, Blocked) for item in plan.changes for action in item.actions)
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
    _, again = look(found.ports.view, found.desired)
    if again.stamp != plan.stamp:
        raise planfile.stale("this changed while the question stood", planfile.in_words(plan), again)
    return True


def _perform(found: Opened, wish: Wish, clock: StoppableClock, listener: Followed, where: Console) -> Outcome:
    """Do it, and end the command where it was told to stop."""
    try:
        with clock.listening(), listener.shown():
            return perform(found.ports, found.desired, wait=wish.wait, supply=found.supply)
    except (Interrupted, Stopped):
        where.print("\nStopped. Nothing that was begun is lost:" if listener.running else "\nStopped.")
        for identity, progress in sorted(listener.running.items()):
            if not progress.state.ended:
                where.print(f"  {identity}: {progress.job} goes on ({progress})", soft_wrap=True)
        again = f"tuneform apply {wish.asked.path or ''}".rstrip()
        where.print(f"To go on from there: {again}", soft_wrap=True)
        sys.exit(STOPPED)


def _tell(found: Opened, plan: Plan, outcome: Outcome, wish: Wish, where: Console) -> None:
    told = results.lines(found, plan, outcome)
    if plan.changes:
        where.print("")
        results.show(outcome, told, found, where)
    if wish.json:
        print_json(results.as_object(outcome, plan.stamp, told, found))


def _watch(
    settings: Settings,
    asked: Asked,
    saved: planfile.PlanFile | None,
    *,
    yes: bool,
    interval: float,
    listen: str,
) -> None:
    if saved is not None:
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
