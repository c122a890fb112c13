"""What one provider process has: its configuration, the ports of each project, the engine's log, the stop sign."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from tuneform.entrypoints.cli.settings import PROJECT_ROOT, Settings
from tuneform.entrypoints.provider.wire import Properties
from tuneform.reconcile.desired import Identity, Project
from tuneform.reconcile.live import Progress
from tuneform.reconcile.ports import Ports

_urn: ContextVar[str] = ContextVar("urn", default="")
"""The resource that the current thread works for: the core knows identities, the engine URNs."""


@contextmanager
def working_for(urn: str) -> Iterator[None]:
    """What is said inside is said about this resource."""
    token = _urn.set(urn)
    try:
        yield
    finally:
        _urn.reset(token)


@dataclass(frozen=True)
class StoppableClock:
    """`ports.Clock` on the machine's time; every wait ends when the engine cancels or is gone."""

    stop: threading.Event

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        """See `ports.Clock`."""
        return self.stop.wait(seconds)


class EngineLog:
    """`ports.Listener`, and more: lines that the engine shows beside the resource they are about."""

    def __init__(self, address: str = "") -> None:
        self._engine: Any = None
        self._last: dict[str, str] = {}
        if address:
            self.attach(address)

    def attach(self, address: str) -> None:
        """Speak to the engine at this address from now on."""
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def info(self, text: str) -> None:
        """Something that people want to know."""
        self._log(engine_pb2.INFO, text)

    def warning(self, text: str) -> None:
        """Something that may be wrong."""
        self._log(engine_pb2.WARNING, text)

    def say(self, identity: Identity, text: str) -> None:  # noqa: ARG002 (the port's signature)
        """See `ports.Listener`."""
        self.info(text)

    def progress(self, identity: Identity, progress: Progress) -> None:  # noqa: ARG002 (the port's signature)
        """See `ports.Listener`. A line that says what the last one said is not repeated."""
        urn, line = _urn.get(), str(progress)
        if self._last.get(urn) != line:
            self._last[urn] = line
            self._log(engine_pb2.INFO, line, ephemeral=True)

    def _log(self, severity: engine_pb2.LogSeverity.ValueType, text: str, *, ephemeral: bool = False) -> None:
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=text, urn=_urn.get(), ephemeral=ephemeral)
        # An engine that does not listen any more is no reason to stop half-way.
        with suppress(grpc.RpcError):
            self._engine.Log(request, timeout=10)


@dataclass
class Session:
    """One provider process. `endpoint` is the emulator's, None for Google Cloud; it comes from the environment.

    So do `rate` and `max_jobs`: see `tuneform.platforms.vertex.connect`.
    """

    log: EngineLog
    endpoint: str | None = None
    rate: int | None = None
    max_jobs: int | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    config: Properties = field(default_factory=dict)
    _ports: dict[Project, Ports] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ports(self, project: Project) -> Ports:
        """The project's ports, made once; sends nothing."""
        from tuneform.platforms.vertex import connect  # noqa: PLC0415 (loaded beside the engine's own start)

        with self._lock:
            if project not in self._ports:
                self._ports[project] = connect(
                    project,
                    self.endpoint,
                    listener=self.log,
                    clock=StoppableClock(self.stop),
                    rate=self.rate,
                    max_jobs=self.max_jobs,
                )
            return self._ports[project]

    @property
    def root(self) -> Path:
        """The Pulumi project's folder: the engine starts us in the program's, which is that or lies below it."""
        told = os.environ.get(PROJECT_ROOT)
        return Path(told) if told else Settings.at(Path.cwd()).root or Path.cwd()

    def specs(self) -> Path:
        """The spec folder that the stack's configuration names (`tuneform:specs`)."""
        return self.root / str(self.config.get("specs") or "specs")


def load_clients() -> None:
    """Import Google's clients, which takes a second, while the engine is still reading the program."""
    from google.cloud import storage  # noqa: F401, PLC0415 (that import is the purpose)

    from tuneform.platforms.vertex import slim  # noqa: PLC0415 (as above)

    for service in ("gen_ai_tuning_service", "model_service", "endpoint_service"):
        slim.client_class(service, asynchronous=True)
        slim.transport_class(service)
