"""The loop: read the specs if they changed, look, plan, perform what can be performed, wait. Level-triggered.

Nothing ends it but a signal. A look that fails is repeated later and later, up to five minutes apart; so is an item
whose calls fail. What will fail until somebody changes something is tried again after a longer while, or at once
when the plan for it says something else. Whether anything is paid for again is the plan's to say, as ever.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tuneform.entrypoints.cli.reconciling.connecting import Asked, Opened
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock, Stopped
from tuneform.entrypoints.cli.reconciling.watching.log import Log, Logged, log_to
from tuneform.entrypoints.cli.reconciling.watching.sources import Sources
from tuneform.entrypoints.cli.reconciling.watching.telling import Health, Metrics, Teller
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import Ambiguous, DatasetErrors, Retryable, SettingsError, SpecErrors, TuneformError
from tuneform.reconcile.actions import Action
from tuneform.reconcile.desired import Identity
from tuneform.reconcile.execute import Failure
from tuneform.reconcile.execute.run import Run
from tuneform.reconcile.live import Progress
from tuneform.reconcile.plan import Plan
from tuneform.reconcile.ports import Clock, Listener
from tuneform.review import plan as review

LONGEST = 300.0
"""Seconds between two tries of what may work the next time."""
LONGEST_TERMINAL = 3600.0
"""Seconds between two tries of what will not, until somebody changes something."""
TERMINAL_INTERVALS = 10
"""How many intervals the first wait for such a thing is."""
RESTLESS = 20
"""After so many rounds in a row that changed something, rounds are a second apart: somebody may be changing it back."""
JITTER = 0.2
"""Waits differ by up to this share, so that many loops do not fall into step."""


class Source(Protocol):
    """Where the specs come from."""

    def changed(self) -> Opened | None:
        """The specs where they have changed, else None."""
        ...

    def doubt_connection(self) -> None:
        """See whether what answers is elsewhere now, before it is asked again."""
        ...


def backoff(first: float, tries: int, longest: float, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: doubled each time, up to a limit, with some jitter."""
    delay = min(first * 2.0 ** min(tries - 1, 30), longest)
    return delay * (1 - JITTER * chance())


@dataclass
class _Failed:
    """An item that failed: how often in a row, when it is tried again, and what had been planned for it."""

    tries: int
    until: float
    actions: tuple[Action, ...]
    blocked: bool


@dataclass
class Loop:
    """One loop. `now` is in seconds, and only grows."""

    source: Source
    clock: Clock
    log: Log
    interval: float
    health: Health
    metrics: Metrics = field(default_factory=Metrics)
    now: Callable[[], float] = time.monotonic
    _run: Run | None = field(default=None, init=False)
    _failed: dict[str, _Failed] = field(default_factory=dict, init=False)
    _troubles: int = field(default=0, init=False)
    _moves: int = field(default=0, init=False)
    _summary: dict[str, int] | None = field(default=None, init=False)

    def run(self) -> None:
        """Go round until the clock says that the process was told to stop."""
        pause = 0.0
        while not self.clock.wait(pause):
            try:
                pause = self.round()
            except Stopped:
                break
        self.log.info("stopped")

    def round(self) -> float:
        """One round; seconds until the next one."""
        try:
            self._read()
            assert self._run is not None, "the first specs are sound, or there is no loop"
            began = self.now()
            world, plan, moved = self._run.round()
            if not moved:
                self.metrics.look.observe(self.now() - began)
            self._run.follow(world, plan)
        except TuneformError as error:
            return self._trouble(error.code, error.message)
        except Exception as error:  # noqa: BLE001 (a defect of ours must not leave live models untended)
            return self._trouble("E000", f"{type(error).__name__}: {error}")
        self._troubles = 0
        self.metrics.rounds.inc()
        self.metrics.seen(world)
        self.health.succeeded()
        self._tell_done()
        self._tell_plan(plan)
        again = self._failures(self._run, plan)
        self._moves = self._moves + 1 if moved else 0
        if moved or again:
            return 0.0 if self._moves < RESTLESS else min(1.0, self.interval)
        soon = self._run.waiting(plan) or self._run.pending(plan)
        return min(self._run.ports.poll, self.interval) if soon else self.interval

    @property
    def _project(self) -> str:
        return self._run.desired.project.name if self._run else ""

    def _read(self) -> None:
        """Take in the specs if they have changed; with unsound ones go on with the last that were sound."""
        try:
            found = self.source.changed()
        except (SpecErrors, DatasetErrors, SettingsError) as error:
            self.metrics.failures.labels(error.code).inc()
            self.log.warning(
                "specs-refused", code=error.code, message=error.render(), goingOnWith="the last sound ones"
            )
            return
        if found is None:
            return
        self._failed = {}
        if self._run is not None:
            self._run.line.leave_all()
        self._run = Run(found.ports, found.desired, found.supply)
        self.log.info(
            "specs-read",
            project=self._project,
            path=str(found.scope.path),
            tunings=len(found.desired.tunings),
            servings=len(found.desired.servings),
        )

    def _trouble(self, code: str, message: str) -> float:
        """A look failed as a whole."""
        self._troubles += 1
        delay = backoff(self.interval, self._troubles, LONGEST)
        self.metrics.failures.labels(code).inc()
        self.health.failed(f"{code}: {message}", delay)
        self.log.warning("look-failed", code=code, message=message, again=round(delay, 1))
        self.source.doubt_connection()
        return delay

    def _tell_done(self) -> None:
        assert self._run is not None, "something was done by it"
        for key, action in self._run.done:
            kind, _, name = key.partition(" ")
            self.metrics.actions.labels(type(action).__name__).inc()
            self.log.info(
                "done",
                project=self._project,
                kind=kind,
                name=name,
                action=review.word(action),
                type=type(action).__name__,
            )
        # What a run remembers only to tell it once would grow for ever.
        self._run = replace(self._run, done=[], _said=set())

    def _tell_plan(self, plan: Plan) -> None:
        summary = review.summary(plan)
        if summary != self._summary:
            self._summary = summary
            self.log.info(
                "plan", project=self._project, **{word: count for word, count in summary.items() if count}
            )

    def _failures(self, run: Run, plan: Plan) -> bool:
        """Tell of new failures, and free those whose time has come; whether there is something to try at once."""
        planned = {item.key: item.actions for item in plan.changes}
        for key in [key for key in self._failed if key not in planned]:
            del self._failed[key]
            run.failures.pop(key, None)
            kind, _, name = key.partition(" ")
            self.log.info("recovered", project=self._project, kind=kind, name=name)
        again = False
        for key, failure in list(run.failures.items()):
            known = self._failed.get(key)
            if known is None or known.until == 0.0:
                self._failed[key] = self._new(failure, known.tries + 1 if known else 1)
                continue
            changed = known.blocked and planned.get(key) != known.actions
            if changed or self.now() >= known.until:
                del run.failures[key]
                known.until = 0.0
                again = True
        return again

    def _new(self, failure: Failure, tries: int) -> _Failed:
        error = failure.error
        passing = isinstance(error, (Retryable, Ambiguous))
        first = self.interval if passing else TERMINAL_INTERVALS * self.interval
        delay = backoff(first, tries, LONGEST if passing else LONGEST_TERMINAL)
        self.metrics.failures.labels(error.code).inc()
        tell = self.log.warning if passing else self.log.error
        tell(
            "failed",
            project=self._project,
            kind=failure.item.kind,
            name=review.document_name(failure.item),
            code=error.code,
            message=error.message,
            remedy=error.remedy,
            again=round(delay, 1),
        )
        return _Failed(tries, self.now() + delay, failure.item.actions, bool(failure.item.blocked))


class _Busy:
    """A listener that also tells the health that what was seen is being dealt with."""

    def __init__(self, listener: Listener, health: Health) -> None:
        self._listener, self._health = listener, health

    def say(self, identity: Identity, text: str) -> None:
        """See `ports.Listener`."""
        self._health.working()
        self._listener.say(identity, text)

    def progress(self, identity: Identity, progress: Progress) -> None:
        """See `ports.Listener`."""
        self._listener.progress(identity, progress)


def watch(settings: Settings, asked: Asked, *, interval: float, listen: str) -> None:
    """Keep what is live as the specs say, until the process is told to stop.

    Raises:
        SpecErrors, DatasetErrors, SettingsError: the specs are unsound to begin with.
        MachineError: the address is taken, or no emulator answers to begin with.
    """
    clock = StoppableClock()
    health = Health(interval)
    log = log_to(sys.stderr)
    listener = _Busy(Logged(log, clock), health)
    sources = Sources(settings, asked, listener, clock)
    loop = Loop(_Begun(sources), clock, log, interval, health)
    with clock.listening(), Teller(listen, health, loop.metrics) as teller:
        log.info("watching", interval=interval, address=teller.address)
        loop.run()


class _Begun:
    """Sources that have been read once before the loop began, so that what is wrong then is told at once."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._first = sources.changed()

    def changed(self) -> Opened | None:
        """See `Source`."""
        first, self._first = self._first, None
        return first or self._sources.changed()

    def doubt_connection(self) -> None:
        """See `Source`."""
        self._sources.doubt_connection()
