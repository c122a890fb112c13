"""From what is written to what is live: the specs of one project, resolved, and the ports to its platform."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar, cast

from tuneform.capabilities.prices import PriceTable
from tuneform.entrypoints import resolve
from tuneform.entrypoints.cli.reconciling.scope import Scope, scopes
from tuneform.entrypoints.cli.settings import Settings, provider_environment, running_emulator
from tuneform.entrypoints.desired import Supply, desired_of, reader
from tuneform.errors import SettingsError
from tuneform.platforms.vertex import connect
from tuneform.platforms.vertex.calls.pace import LEAST
from tuneform.reconcile.desired import Desired, Project
from tuneform.reconcile.observe import Listed, listed
from tuneform.reconcile.ports import Clock, Listener, Ports
from tuneform.specs.peek import peek

T = TypeVar("T")
Transport = Literal["grpc", "rest"]
TRANSPORTS = ("grpc", "rest")


@dataclass(frozen=True)
class Asked:
    """What a command line says about where to look: `--google-cloud`, `--project` and PATH."""

    path: Path | None = None
    project: str | None = None
    google_cloud: bool = False


@dataclass(frozen=True)
class Opened:
    """Specs with everything followed, and the ports to where they are live. `ahead` gives lists begun meanwhile."""

    scope: Scope
    desired: Desired
    supply: Supply
    ports: Ports
    ahead: Callable[[], Listed] | None = None


@dataclass(frozen=True)
class Opening:
    """One project of the specs, not yet opened. Its datasets are read, and it is connected to, by `open`.

    `open` raises DatasetErrors for what is wrong in the datasets, MachineError where no emulator answers, SettingsError
    for a setting that cannot be used. Nothing is written.
    """

    scope: Scope
    open: Callable[[], Opened]

    @property
    def name(self) -> str:
        """The Project's name."""
        return self.scope.project.name


def openings(settings: Settings, asked: Asked, *, listener: Listener, clock: Clock) -> tuple[Opening, ...]:
    """Read the specs, and say how each of their projects that is asked about is opened.

    Raises:
        SpecErrors: what is wrong in them.
        SettingsError: no such project; a setting that cannot be used.
    """
    prices = settings.prices()
    _check(settings)
    early = _early(settings, asked, listener=listener, clock=clock)
    found = scopes(settings, asked.path, asked.project)
    gc.freeze()  # all of it is kept: looking for garbage in it takes seconds where there are thousands of documents

    def opening(one: Scope) -> Opening:
        def begin() -> Opened:
            project, whole = resolve.project(one.project), one.part is None  # of a part nothing is listed
            begun = early
            if begun is None or begun.project != project:
                begun = _begin(settings, asked, project, listener=listener, clock=clock, listing=whole)
            return replace(resolved(one, begun.ports(), prices), ahead=begun.lists if whole else None)

        return Opening(one, begin)

    return tuple(map(opening, found))


@dataclass(frozen=True)
class _Early:
    """What of the look is begun while the specs and datasets are read, for the service takes its time, too."""

    project: Project
    ports: Callable[[], Ports]
    lists: Callable[[], Listed] | None


def _early(settings: Settings, asked: Asked, *, listener: Listener, clock: Clock) -> _Early | None:
    """Begin to list what the whole of a project has, where the specs seem to be about one that is known at a glance."""
    path = settings.specs(asked.path)
    seen = [resolve.project(document) for document in peek(path)] if path.is_dir() else []
    wanted = [project for project in seen if asked.project in (None, project.name)]
    if len(wanted) != 1:
        return None
    return _begin(settings, asked, wanted[0], listener=listener, clock=clock, listing=True)


def _begin(
    settings: Settings, asked: Asked, project: Project, *, listener: Listener, clock: Clock, listing: bool
) -> _Early:
    def connected() -> Ports:
        endpoint = emulator(settings, google_cloud=asked.google_cloud)
        return ports_of(settings, project, endpoint, listener=listener, clock=clock)

    ports = begun(connected)
    lists = begun(lambda: listed(ports().view, project)) if listing else None
    return _Early(project, ports, lists)


def begun(function: Callable[[], T]) -> Callable[[], T]:
    """Begin something beside what follows; what is returned waits for its result. The process may end before it."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 (raised where the result is asked for)
            future.set_exception(error)

    threading.Thread(target=work, name="listing", daemon=True).start()
    return future.result


def resolved(found: Scope, ports: Ports, prices: PriceTable) -> Opened:
    """The specs with everything followed, for ports that are there already.

    Raises:
        DatasetErrors: what is wrong in the datasets.
    """
    desired, supply = desired_of(
        found.tree,
        found.project,
        read_datasets=reader(found.tree, ports.objects.read),
        part=found.part,
        prices=prices,
    )
    return Opened(found, desired, supply, ports)


def emulator(settings: Settings, *, google_cloud: bool) -> str | None:
    """The running emulator's address, None for Google Cloud itself.

    Raises:
        MachineError: no emulator answers.
    """
    return None if google_cloud else running_emulator(settings).endpoint


def ports_of(
    settings: Settings, project: Project, endpoint: str | None, *, listener: Listener, clock: Clock
) -> Ports:
    """The ports of a project, at the emulator's `endpoint` or (None) in Google Cloud."""
    return connect(
        project,
        endpoint,
        listener=listener,
        clock=clock,
        transport=transport(settings),
        list_lag=list_lag(settings),
        rate=settings.whole("rate", least=LEAST),
        max_jobs=settings.whole("max_jobs"),
    )


def _check(settings: Settings) -> None:
    """Refuse settings that cannot be used: they are wrong for all projects, and told once.

    Raises:
        SettingsError: one of them cannot be used.
    """
    transport(settings)
    list_lag(settings)
    provider_environment(settings)


def transport(settings: Settings) -> Transport:
    """The setting `transport`: gRPC unless it says REST.

    Raises:
        SettingsError: it says something else.
    """
    given = settings.get("transport") or "grpc"
    if given not in TRANSPORTS:
        raise SettingsError(f"TUNEFORM_TRANSPORT is {given!r}", remedy=f"use one of {', '.join(TRANSPORTS)}")
    return cast("Transport", given)


def list_lag(settings: Settings) -> timedelta | None:
    """The setting `list_lag`: how many seconds a new job may be missing from lists; None for the platform's own.

    Raises:
        SettingsError: it is not a number of seconds.
    """
    given = settings.get("list_lag")
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= timedelta(days=1).total_seconds():
        raise SettingsError(
            f"TUNEFORM_LIST_LAG is {given!r}", remedy="write a number of seconds, up to a day: 60"
        )
    return timedelta(seconds=seconds)
