"""The core in this process against an emulator in this process, on one clock, with runs that die where they are told.

A run dies in that a call of its ports raises `Crash`, which nothing in the core catches. The emulator sees what it
would see of a process that was killed there: every call until then, and none after.
"""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from tests.faults.control import Control
from tests.faults.machine_documents import BUCKET, PROJECT, Doc, desired, question, supply

from tuneform.platforms.vertex import connect
from tuneform.reconcile import execute
from tuneform.reconcile.desired import Desired, Identity
from tuneform.reconcile.execute.run import Outcome, look
from tuneform.reconcile.live import Progress
from tuneform.reconcile.observe import World as Seen
from tuneform.reconcile.plan import Plan
from tuneform.reconcile.ports import Ports
from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.world import Settings, World

QUICK = Settings(queued_seconds=0, pending_seconds=0)
STRIDE = 20.0
"""Seconds of the lab's time that one wait takes at least: leases and delays pass within a few looks."""
BREATH = 0.02
"""Seconds of real time that a wait takes, for the emulator's jobs to get on."""
MOST_WAITS = 120
"""Waits that one run may make: a run that makes more waits for what never comes."""


class Crash(BaseException):
    """The run's process was killed here."""


class Hang(BaseException):
    """The run waits for what never comes."""


class LabClock(WallClock):
    """Real time and what was added to it: the emulator's clock, and that of the runs but for their `skew`."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self.ahead += timedelta(seconds=seconds)


@dataclass
class RunClock:
    """A run's own clock, which may be wrong."""

    lab: LabClock
    skew: timedelta = timedelta(0)
    waits: int = 0
    before_wait: Callable[[], None] = lambda: None
    _bell: threading.Event = field(default_factory=threading.Event)

    def now(self) -> datetime:
        return self.lab.now() + self.skew

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        self.before_wait()
        if self.waits > MOST_WAITS:
            raise Hang(f"{self.waits} waits")
        self.lab.advance(max(seconds, STRIDE))
        return self._bell.wait(BREATH)


@dataclass
class Heard:
    """What the core said."""

    said: list[str] = field(default_factory=list)

    def say(self, identity: Identity, text: str) -> None:
        self.said.append(f"{identity}: {text}")

    def progress(self, identity: Identity, progress: Progress) -> None:
        self.said.append(f"{identity}: {progress}")


@dataclass(frozen=True)
class Death:
    """A run dies at its `call`-th call (from 1), before it is sent or when it is done."""

    call: int
    when: Literal["before", "after"] = "before"
    only: tuple[str, ...] = ()
    """The names of the calls that count; all when empty."""


class Mortal:
    """A port whose calls are counted, and the last of them never returns."""

    def __init__(self, port: Any, count: Callable[[str, str], None]) -> None:
        self._port, self._count = port, count

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._count(name, "before")
            done = found(*args, **kwargs)
            self._count(name, "after")
            return done

        return call


@dataclass
class Calls:
    """The calls of one run, in order; raises `Crash` where the run dies, and at every later call."""

    death: Death | None = None
    names: list[str] = field(default_factory=list)
    dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, name: str, when: str) -> None:
        """One call begins or has ended."""
        with self._lock:
            if self.dead:
                raise Crash
            if when == "before":
                self.names.append(name)
            death = self.death
            if death is None or death.when != when or (death.only and name not in death.only):
                return
            counted = [n for n in self.names if not death.only or n in death.only]
            if len(counted) >= death.call:
                self.dead = True
                raise Crash


@dataclass
class Lab:
    """An emulator, ports to it, and what was heard."""

    world: World
    endpoint: str
    clock: LabClock
    ports: Ports
    bucket: Any
    heard: Heard = field(default_factory=Heard)
    _runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def control(self) -> Control:
        """The emulator's levers."""
        return Control(self.endpoint)

    def ports_of(
        self,
        calls: Calls | None = None,
        *,
        skew: timedelta = timedelta(0),
        elsewhere: bool = False,
        before_wait: Callable[[], None] = lambda: None,
    ) -> Ports:
        """The ports of another run, as another process has them; `elsewhere` is on another host."""
        number = next(self._runs)
        host = "elsewhere" if elsewhere else socket.gethostname()
        made = replace(
            self.ports,
            clock=RunClock(self.clock, skew, before_wait=before_wait),
            holder=f"{host}:{os.getpid()}:run-{number}",
        )
        if calls is None:
            return made
        return replace(
            made,
            reader=Mortal(made.reader, calls.count),
            writer=Mortal(made.writer, calls.count),
            ledger=Mortal(made.ledger, calls.count),
            objects=Mortal(made.objects, calls.count),
            infrastructure=Mortal(made.infrastructure, calls.count),
        )

    def apply(self, *docs: Doc, wait: bool = True, ports: Ports | None = None) -> Outcome:
        """Apply these documents and no others."""
        return self.run(desired(docs), wait=wait, ports=ports)

    def run(self, wanted: Desired, *, wait: bool = True, ports: Ports | None = None) -> Outcome:
        """Apply what is asked for."""
        return execute.apply(ports or self.ports_of(), wanted, wait=wait, supply=supply)

    def plan(self, *docs: Doc, ports: Ports | None = None) -> tuple[Seen, Plan]:
        """What `apply` would do."""
        return look((ports or self.ports_of()).view, desired(docs))

    def dies(self, death: Death, *docs: Doc, wait: bool = True) -> Calls:
        """Apply, and die on the way; what was called until then."""
        calls = Calls(death)
        try:
            self.apply(*docs, wait=wait, ports=self.ports_of(calls))
        except Crash:
            assert calls.dead, "nobody else raises it"
        return calls

    def ask(self, endpoint: str, text: str | None = None) -> str:
        """What an endpoint answers."""
        request = {"contents": [{"role": "user", "parts": [{"text": text or question()}]}]}
        return self.ports.writer.ask(endpoint, request)

    def close(self) -> None:
        """Close the connections."""
        self.ports.reader._clients.close()  # type: ignore[attr-defined]


@contextmanager
def lab(settings: Settings = QUICK) -> Iterator[Lab]:
    """An empty project with a bucket for data; jobs take no longer than their training."""
    clock = LabClock()
    store = Store(None)
    world = World(store, clock, settings)
    client = None
    try:
        with server.running(world) as endpoint:
            options = {"api_endpoint": endpoint}
            client = storage.Client(PROJECT.project_id, AnonymousCredentials(), client_options=options)
            bucket = client.create_bucket(BUCKET, location=PROJECT.location)
            heard = Heard()
            ports = connect(
                PROJECT,
                endpoint,
                listener=heard,
                clock=RunClock(clock),
                list_lag=timedelta(seconds=settings.list_lag_seconds),
                poll=0.1,
                deadline=5.0,
            )
            made = Lab(world, endpoint, clock, ports, bucket, heard)
            try:
                yield made
            finally:
                made.close()
                client.close()
    finally:
        store.close()
