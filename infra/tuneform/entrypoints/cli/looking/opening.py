"""Options that the looking commands share, and what they open: specs, project, ports."""

from __future__ import annotations

import functools
import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from tuneform.entrypoints import resolve
from tuneform.entrypoints.cli.reconciling.connecting import emulator, ports_of
from tuneform.entrypoints.cli.reconciling.quiet import Quiet
from tuneform.entrypoints.cli.reconciling.scope import Scope, scope, scopes
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import SettingsError
from tuneform.reconcile.desired import Project
from tuneform.reconcile.ports import Ports
from tuneform.specs import Document, SpecModel, TunedModel, TuningJob

SpecT = TypeVar("SpecT", bound=SpecModel)


@dataclass(frozen=True)
class Options:
    """What every looking command can be told."""

    specs: Path | None = None
    project: str | None = None
    google_cloud: bool = False
    form: Literal["text", "json"] = "text"

    @property
    def is_json(self) -> bool:
        """Whether one JSON object is wanted on stdout, and nothing else."""
        return self.form == "json"


@dataclass(frozen=True)
class Opened:
    """Specs that are read and not yet resolved, and the ports to where they are live."""

    settings: Settings
    scope: Scope
    project: Project
    ports: Ports
    clock: StoppableClock

    def documents(self, kind: type[SpecT]) -> dict[str, Document[SpecT]]:
        """The project's documents of a kind, by name."""
        return {d.name: d for d in self.scope.tree.of(kind) if d.project == self.project.name}

    def model(self, name: str) -> Document[TunedModel]:
        """The TunedModel of that name.

        Raises:
            SettingsError: there is none.
        """
        models = self.documents(TunedModel)
        if name not in models:
            names = ", ".join(sorted(models)) or "none"
            raise SettingsError(
                f"there is no TunedModel {name!r} in {self.scope.folder}", remedy=f"it declares: {names}"
            )
        return models[name]

    def job_name(self, given: str) -> str:
        """The resource name of a job that a person names, by it or by the id at its end.

        The service says the project's number where people say its id, so that only the end tells jobs apart.

        Raises:
            SettingsError: it is not the name of a job in the project's location.
        """
        match given.split("/"):
            case [number]:
                found = number
            case ["projects", _, "locations", self.project.location, "tuningJobs", number]:
                found = number
            case _:
                found = ""
        if not found:
            raise SettingsError(
                f"{given!r} is not a tuning job in {self.project.location}",
                remedy=f"write {self.project.parent}/tuningJobs/ID, or the id alone",
            )
        return f"{self.project.parent}/tuningJobs/{found}"

    def tuning_names(self, name: str) -> tuple[str, ...]:
        """The names that a tuning goes by, its own first; just the given one where no document has it.

        A TunedModel's name stands for its tuning's where no tuning has that name.
        """
        jobs, models = self.documents(TuningJob), self.documents(TunedModel)
        if name not in jobs and name in models:
            name = models[name].spec.job.ref
        document = jobs.get(name)
        return (name, *(document.metadata.previous_names if document else ()))


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared flags, as one `Options` before its own parameters."""

    @functools.wraps(command)
    def taking_options(**given: Any) -> None:
        names = {field.name for field in fields(Options)}
        options = Options(**{name: given.pop(name) for name in names})
        command(options, **given)

    for add in reversed(_FLAGS):
        taking_options = add(taking_options)
    return taking_options


_FLAGS = (
    click.option("--specs", type=click.Path(path_type=Path), help="Spec folder (default: specs)."),
    click.option("--project", help="The Project, where the specs hold several."),
    click.option("--google-cloud", is_flag=True, help="Look at Google Cloud, not at the emulator."),
    click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        help="For people, or one JSON object on stdout and nothing else.",
    ),
)


def opened(options: Options) -> Opened:
    """Read the specs and connect to their project; datasets are not read, and nothing is sent yet.

    Raises:
        SpecErrors: what is wrong in the specs.
        SettingsError: no such project; a setting that cannot be used.
        MachineError: no emulator answers.
    """
    settings = Settings.here()
    found = scope(settings, options.specs, options.project)
    return connected(settings, found, google_cloud=options.google_cloud)


def connected(settings: Settings, found: Scope, *, google_cloud: bool) -> Opened:
    """Connect to the project of specs that are read; nothing is sent yet.

    Raises:
        SettingsError: a setting that cannot be used.
        MachineError: no emulator answers.
    """
    project, clock = resolve.project(found.project), StoppableClock()
    endpoint = emulator(settings, google_cloud=google_cloud)
    ports = ports_of(settings, project, endpoint, listener=Quiet(), clock=clock)
    return Opened(settings, found, project, ports, clock)


def opened_each(options: Options) -> tuple[Opened, ...]:
    """The same for every project of the specs, or the one that was named: see `opened`."""
    settings, clock = Settings.here(), StoppableClock()
    found = scopes(settings, options.specs, options.project)
    endpoint = emulator(settings, google_cloud=options.google_cloud)
    return tuple(
        Opened(
            settings,
            one,
            project,
            ports_of(settings, project, endpoint, listener=Quiet(), clock=clock),
            clock,
        )
        for one in found
        for project in (resolve.project(one.project),)
    )


def tell(*lines: str) -> None:
    """Words for people, on stderr: stdout is for the result."""
    for line in lines:
        click.echo(line, err=True)


def agreed(question: str, *, yes: bool) -> bool:
    """Ask a person, unless `yes` was said before.

    Raises:
        SettingsError: nobody is there to be asked.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise SettingsError(f"{question} Nobody is there to be asked", remedy="say --yes to go ahead")
    return click.confirm(question, err=True)


def person() -> str:
    """Who decides, as far as this machine knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
