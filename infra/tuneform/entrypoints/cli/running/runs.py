"""What `up`, `preview`, `refresh` and `destroy` share: options, the engine, and how a run is shown."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import pulumi
from pulumi import automation
from rich.console import Console

from tuneform.capabilities.prices import PriceTable
from tuneform.entrypoints.cli.reconciling.scope import refuse_part
from tuneform.entrypoints.cli.running import stacks
from tuneform.entrypoints.cli.running.display import Display
from tuneform.entrypoints.cli.running.failures import Problem, RunFailedError
from tuneform.entrypoints.cli.running.holding import Held, chosen
from tuneform.entrypoints.cli.running.rows import load_with_rows, seen_facts
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, parallel_option, prices_option
from tuneform.entrypoints.cli.warning import warn
from tuneform.entrypoints.doors.documents import Documents
from tuneform.entrypoints.doors.policies import judge_of
from tuneform.entrypoints.doors.telling import judged
from tuneform.entrypoints.engine import obtain_shown
from tuneform.entrypoints.program import ProgramSettings, declare
from tuneform.specs import Document, Project, Tree, load


@dataclass(frozen=True)
class Run:
    """One run of the engine: the documents of one project, on its stack.

    `several` is whether the specs hold other projects, too. `console` shows what goes on, `result` what comes out.
    """

    settings: Settings
    tree: Tree
    target: stacks.Target
    stack: automation.Stack
    console: Console
    result: Console
    several: bool = False
    of_several: bool = False

    @property
    def project(self) -> Document[Project]:
        """The Project that is worked on."""
        (project,) = self.tree.of(Project)
        return project


@dataclass(frozen=True)
class Options:
    """What every run can be told."""

    path: Path | None = None
    specs: Path | None = None
    stack: str | None = None
    project: str | None = None
    adopt: bool | None = None
    wait: str | None = None
    parallel: int | None = None
    of_several: bool = False
    capabilities: tuple[Path, ...] = ()
    prices: Path | None = None


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of every run, as one `Options` before its own parameters."""

    @functools.wraps(command)
    def taking_options(**given: Any) -> None:
        names = {field.name for field in fields(Options)}
        options = Options(**{name: given.pop(name) for name in names})
        command(options, **given)

    for add in reversed(_FLAGS):
        taking_options = add(taking_options)
    return taking_options


_FLAGS = (
    click.argument("path", required=False, type=click.Path(path_type=Path)),
    click.option("--specs", type=click.Path(path_type=Path), help="Spec folder; the same as PATH."),
    click.option("--stack", help="Stack to work on (default: local, against the emulator)."),
    click.option(
        "--project", help="Name of a Project document: that project alone, where the specs hold several."
    ),
    parallel_option,
    # What one project's process is started with; the other side of this is `together`.
    click.option("--of-several", is_flag=True, hidden=True),
    click.option(
        "--adopt/--no-adopt",
        default=None,
        help="Take over a bucket, key ring, key or service account that exists live already.",
    ),
    click.option(
        "--wait",
        type=click.Choice(["succeeded", "accepted"]),
        help="Wait until jobs have succeeded (default), or only until they are accepted.",
    ),
    capabilities_option,
    prices_option,
)


def prepare(options: Options, *, read_rows: bool = False) -> Run:
    """Load the specs, find the engine, select the stack, and clear what a killed run left.

    With `read_rows` the datasets are checked as well and policies are asked, so that a broken row, or what a policy
    forbids, stops a run before it began.

    Raises:
        SpecErrors: what is wrong in the specs, or in the rows; what a policy forbids.
        SettingsError: which project is meant is not said, or the stack holds another one.
    """
    console = Console(highlight=False, soft_wrap=True, stderr=options.of_several)
    result = Console(highlight=False, soft_wrap=True) if options.of_several else console
    settings = Settings.here(options.capabilities, options.prices)
    folder, known = settings.specs(options.path or options.specs), settings.known()
    see, facts = seen_facts()
    tree = load_with_rows(folder, known, see)[0] if read_rows else load(folder, known)
    refuse_part(settings, folder, tree)
    if not options.of_several:
        warn(tree.warnings)
    prices = settings.prices()
    target = stacks.target(
        settings, tree, folder, stack=options.stack, project=options.project, adopt=options.adopt
    )
    engine = obtain_shown(settings.home, console)
    for line in (*stacks.free_stale_lock(settings, target), *stacks.mend_state(settings, target)):
        console.print(f"  {line}")

    def program() -> None:
        declare(one, _program_settings(settings, target, options.wait, prices))

    with console.status(f"selecting the stack {target.stack}"):
        selected = stacks.select(target, engine, program)
    state = selected.export_stack()
    project = chosen(
        tree,
        folder,
        stack=target.stack,
        named=options.project,
        configured=stacks.configured_project(selected),
        held=Held.of(state.deployment),
    )
    one = tree.only(project.name)
    if read_rows:  # what is to be destroyed need not keep any rule
        judgement = judged(Documents(one, facts, prices), judge_of(one, settings))
        judgement.refuse()
        warn(judgement.warned)
        for line in judgement.lines():
            click.echo(line, err=True)
    for line in stacks.drop_pending(selected, state):
        console.print(f"  {line}")
    several = len(tree.of(Project)) > 1
    return Run(settings, one, target, selected, console, result, several, options.of_several)


def _program_settings(
    settings: Settings, target: stacks.Target, wait: str | None, prices: PriceTable
) -> ProgramSettings:
    """Flag and environment, else the stack's own configuration, which is there while the engine runs us."""
    config = pulumi.Config("tuneform")
    configured = config.get_bool("adopt")
    adopt = target.adopt if target.adopt is not None else configured
    return ProgramSettings(
        wait=settings.get("wait", wait) or config.get("wait") or "succeeded",
        adopt=target.local if adopt is None else adopt,
        endpoint=target.endpoint,
        prices=prices,
    )


def perform(run: Run, operation: Callable[..., Any], *, preview: bool, **arguments: Any) -> Display:
    """Run one of the engine's operations, show it, and turn its failure into one error.

    Raises:
        RunFailedError: the engine ended with errors.
    """
    display = Display(run.result if preview else run.console, preview=preview)
    try:
        with uninterrupted(run.console), display.shown():
            operation(on_event=display.event, **arguments)
    except automation.ConcurrentUpdateError as error:
        raise stacks.busy(run.target.stack) from error
    except automation.CommandError as error:
        if preview:
            display.plan()
        problems = display.errors or [Problem("", "", stacks.engine_words(error))]
        raise RunFailedError(problems, run.tree, preview=preview) from error
    return display


@contextmanager
def uninterrupted(console: Console) -> Iterator[None]:
    """On Ctrl-C the engine, which hears it too, ends in order; we wait for it and do not die first."""

    def tell(*_: object) -> None:
        console.print("  stopping; jobs that run go on, and the same command follows them again")

    before = signal.signal(signal.SIGINT, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
