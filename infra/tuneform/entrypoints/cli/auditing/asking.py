"""From a command line to what an audit found."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from tuneform import specs
from tuneform.entrypoints.cli.auditing.journal import Journal
from tuneform.entrypoints.cli.auditing.reading import Reading
from tuneform.entrypoints.cli.auditing.targets import (
    LOCATION,
    Targets,
    known_locations,
    own_locations,
    read_targets,
)
from tuneform.entrypoints.cli.reconciling.connecting import emulator, transport
from tuneform.entrypoints.cli.reconciling.showing import console
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.documents import project_values
from tuneform.entrypoints.doors.policies import judge_of
from tuneform.errors import SettingsError
from tuneform.platforms.vertex.auditing import Contents, Estate
from tuneform.platforms.vertex.calls.pace import LEAST, PER_MINUTE
from tuneform.platforms.vertex.calls.paces import OVERALL, Paces
from tuneform.platforms.vertex.clients import Clients
from tuneform.policy import Judge
from tuneform.reconcile.desired import Project
from tuneform.reconcile.holders import holder
from tuneform.review.audit.data import Audit, Source

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Question:
    """What a command line asks."""

    path: Path | None = None
    projects: Path | None = None
    folder: str | None = None
    organization: str | None = None
    locations: tuple[str, ...] = ()
    google_cloud: bool = False
    state: Path | None = None


@dataclass(frozen=True)
class Asked:
    """The same with everything followed: which projects, by which rules, where."""

    targets: Targets
    judge: Judge
    written: Mapping[tuple[str, str], Mapping[str, Any]]
    endpoint: str | None
    journal: Path


def question(asked: Question, settings: Settings) -> Asked:
    """Follow what a command line names.

    Raises:
        SettingsError: it does not say which projects, or there are no rules.
        SpecErrors, ProjectListErrors: what is wrong in the files that it names.
        MachineError: no emulator answers.
    """
    tree = specs.load(asked.path, settings.known()) if asked.path is not None else None
    targets = _targets(asked, settings, tree)
    judge = judge_of(tree, settings)
    if not judge.rules:
        raise SettingsError(
            "there is no rule to judge by",
            remedy="name policies with --policies, the setting `policies`, or the PATH of specs that hold some",
        )
    endpoint = emulator(settings, google_cloud=asked.google_cloud)
    state = asked.state or settings.home / "audit" / f"{targets.digest[:16]}.jsonl"
    return Asked(targets, judge, _written(tree), endpoint, state)


def _targets(asked: Question, settings: Settings, tree: specs.Tree | None) -> Targets:
    given = [
        name
        for name, value in (
            ("--projects", asked.projects),
            ("--folder", asked.folder),
            ("--organization", asked.organization),
        )
        if value
    ]
    if len(given) != 1:
        said = " and ".join(given) or "none"
        raise click.UsageError(
            f"exactly one of --projects, --folder and --organization is needed; there is {said}"
        )
    for location in asked.locations:
        if not LOCATION.fullmatch(location):
            raise click.UsageError(f"--location: {location!r} is not a location, such as us-central1")
    shared = Targets(
        everywhere=asked.locations,
        own=own_locations(tree),
        otherwise=known_locations(settings.known()),
    )
    if asked.projects is not None:
        return replace(shared, named=read_targets(asked.projects), where=str(asked.projects))
    kind, number = ("folders", asked.folder) if asked.folder else ("organizations", asked.organization)
    number = str(number).removeprefix(f"{kind}/")
    if not _NUMBER.fullmatch(number):
        raise click.UsageError(f"{given[0]}: {number!r} is not a number, as Google Cloud shows it")
    return replace(shared, parent=f"{kind}/{number}")


def _written(tree: specs.Tree | None) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The values of Project documents by Google's id and location; without one, those of the first of that id."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for document in tree.of(specs.Project) if tree is not None else ():
        values = project_values(document)
        for location in ("", document.spec.location, document.spec.serving_location):
            found.setdefault((document.spec.project_id, location), values)
    return found


def answered(asked: Asked, settings: Settings) -> Audit:
    """Read everything that has not been read yet.

    Raises:
        MachineError: there are no credentials; another audit is at work on the same journal.
        click.Abort: it was interrupted.
    """
    today = settings.today().isoformat()
    about = {
        "rules": asked.judge.digest,
        "targets": asked.targets.digest,
        "today": today,
        "at": asked.endpoint or "Google Cloud",
        "known": _digest(
            [
                repr(settings.prices()),
                [[*key, dict(value)] for key, value in sorted(asked.written.items(), key=lambda one: one[0])],
            ]
        ),
    }
    with Journal(asked.journal, about) as journal:
        if journal.entries:
            click.echo(
                f"going on from {asked.journal}: {len(journal.entries):,} parts were read before", err=True
            )
        nobody = Project("audit", "audit", "us-central1", "us-central1", "audit", "audit")
        clients = Clients(
            nobody,
            asked.endpoint,
            transport=transport(settings),
            holder=holder(),
            paces=paces(settings, asked.endpoint),
        )
        try:
            reading = Reading(
                Estate(clients),
                Contents(clients),
                asked.endpoint,
                asked.judge,
                settings.prices(),
                asked.targets,
                journal,
                asked.written,
            )
            with console(stderr=True).status("reading …") as status:
                reading.told = lambda project: status.update(f"read {project}")
                parts = clients.run(f"auditing {asked.targets}", reading.run())
        except KeyboardInterrupt:
            click.echo("interrupted; run the same command again to go on", err=True)
            raise click.Abort from None
        finally:
            clients.close()
    sources = tuple(Source(one.source, len(one.rules), one.digest) for one in asked.judge.sets)
    if not reading.complete:
        click.echo("some of it could not be read for now: the same command reads that again", err=True)
    return Audit(str(asked.targets), today, asked.judge.digest, sources, parts)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def paces(settings: Settings, endpoint: str | None) -> Paces:
    """The settings `audit_rate` and `rate`: calls a minute to all projects, and to each; any number to the emulator.

    Raises:
        SettingsError: one is no number, or too small.
    """
    usual = (OVERALL, PER_MINUTE) if endpoint is None else (None, None)
    overall = settings.whole("audit_rate", least=LEAST) or usual[0]
    return Paces(overall, settings.whole("rate", least=LEAST) or usual[1])
