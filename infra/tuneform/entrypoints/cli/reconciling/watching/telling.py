"""What the watch loop tells other programs: Prometheus metrics, and whether it is well."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter as Counts
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from urllib.parse import urlsplit

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from tuneform.errors import MachineError, SettingsError
from tuneform.reconcile.live import JobState
from tuneform.reconcile.observe import World

MISSED = 3
"""After so many intervals without a successful look the loop is not well."""
BUSY = 1800.0
"""Seconds that one round may take while it performs actions: a deployment takes many minutes, a gate too."""
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """Counters and gauges of one loop, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rounds = Counter("tuneform_rounds", "Rounds of the loop.", registry=self.registry)
        self.look = Histogram(
            "tuneform_look_seconds",
            "Seconds that a look took, by rounds that found nothing to perform.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.actions = Counter(
            "tuneform_actions", "Actions performed, by type.", ["action"], registry=self.registry
        )
        self.failures = Counter(
            "tuneform_failures",
            "Failures of looks and of items, by error code.",
            ["code"],
            registry=self.registry,
        )
        self.jobs = Gauge(
            "tuneform_jobs", "Tuning jobs of ours, by state.", ["state"], registry=self.registry
        )
        self.last_success = Gauge(
            "tuneform_last_success_timestamp_seconds",
            "When a look last succeeded, in seconds since 1970.",
            registry=self.registry,
        )

    def seen(self, world: World) -> None:
        """Take in a successful look."""
        self.last_success.set(time.time())
        counts = Counts(job.state for jobs in world.jobs.values() for job in jobs)
        for state in JobState:
            self.jobs.labels(state.value).set(counts[state])


@dataclass
class Health:
    """Whether the loop is well: its last successful look is young enough. `now` is in seconds, and only grows."""

    interval: float
    now: Callable[[], float] = time.monotonic
    _last: float | None = field(default=None, init=False)
    _when: datetime | None = field(default=None, init=False)
    _backoff: float = field(default=0.0, init=False)
    _reason: str = field(default="no look has succeeded yet", init=False)
    _busy_since: float | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def succeeded(self) -> None:
        """A look succeeded, and what it found was dealt with."""
        with self._lock:
            self._last, self._when = self.now(), datetime.now(UTC)
            self._backoff, self._reason, self._busy_since = 0.0, "", None

    def failed(self, reason: str, backoff: float) -> None:
        """A look failed; the next one follows after `backoff` seconds."""
        with self._lock:
            self._reason, self._backoff, self._busy_since = reason, backoff, None

    def working(self) -> None:
        """A look succeeded, and what it found is being performed."""
        with self._lock:
            self._busy_since = self._busy_since or self.now()

    def state(self) -> tuple[bool, dict[str, str | float | None]]:
        """Whether it is well, and why as plain data."""
        with self._lock:
            now = self.now()
            allowed = MISSED * self.interval + self._backoff
            age = None if self._last is None else now - self._last
            busy = self._busy_since is not None and now - self._busy_since < BUSY
            well = busy or (age is not None and age < allowed)
            reason = self._reason or f"the last successful look is older than {allowed:g} s"
            told: dict[str, str | float | None] = {
                "status": "ok" if well else "failing",
                "lastSuccess": self._when.isoformat(timespec="seconds") if self._when else None,
                "age": round(age, 3) if age is not None else None,
            }
            if not well or self._reason:
                told["reason"] = reason
            return well, told


class Teller:
    """Serves `/healthz` and `/metrics`. Use as a context manager; `address` is where."""

    def __init__(self, listen: str, health: Health, metrics: Metrics) -> None:
        host, port = _address(listen)
        try:
            self._server = _Server((host, port), _handler(health, metrics))
        except OSError as error:
            raise MachineError(
                f"--listen {listen}: {error.strerror}", remedy="name another port; 0 takes any free one"
            ) from error
        bound = self._server.server_address
        self.address = f"http://[{host}]:{bound[1]}" if ":" in host else f"http://{host}:{bound[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self) -> Teller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """Answers side by side, and waits for nobody at the end."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = AF_INET6
        super().__init__(address, handler)


def _address(listen: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{listen}")
        if parts.hostname and parts.port is not None and not parts.path:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise SettingsError(f"--listen {listen!r} is not HOST:PORT", remedy="write it like 127.0.0.1:9464")


def _handler(health: Health, metrics: Metrics) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            match urlsplit(self.path).path:
                case "/healthz":
                    well, told = health.state()
                    self._answer(200 if well else 503, "application/json", json.dumps(told).encode())
                case "/metrics":
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest(metrics.registry))
                case _:
                    self._answer(404, "text/plain; charset=utf-8", b"there are /healthz and /metrics\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Who asks is nobody's business."""

    return Handler
