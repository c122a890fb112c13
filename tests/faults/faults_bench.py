"""Runs of the core inside this process, each in a thread with ports of its own, against an emulator of the test's own.

What the process harness (`stage`) shows of whole commands, this shows at a tenth of the time: the loop of
`tuneform.reconcile.execute` is the same, and so are the clients, the wire and the emulator.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from tests.faults import scene
from tests.faults.control import Control
from tests.faults.endings import Complaint, Ending, complaints, ending, sound

from tuneform.errors import TuneformError
from tuneform.platforms.vertex import connect
from tuneform.platforms.vertex.calls.retry import READ
from tuneform.reconcile.desired import (
    Content,
    Desired,
    Gate,
    HyperParameters,
    Identity,
    Project,
    Serving,
    Tuning,
)
from tuneform.reconcile.execute.run import Outcome, apply, look
from tuneform.reconcile.holders import holder
from tuneform.reconcile.live import Progress
from tuneform.reconcile.ports import Ports
from tuneform.reconcile.recipe import revision
from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.traffic.control import Controls
from tuneform_emulator.traffic.dispatch import Dispatcher
from tuneform_emulator.world import Settings, World

PROJECT = Project(
    "sweeps",
    scene.PROJECT_ID,
    scene.LOCATION,
    scene.LOCATION,
    scene.OWNER,
    scene.STATE_BUCKET,
)
QUICK = Settings(queued_seconds=0, pending_seconds=0)
NOBODY = 2**22 + 1
"""A process id that nobody has: Linux gives none above 2**22. One that has ended is given to somebody else later."""
WAITS = 600
"""So often a run may wait before it counts as one that never ends; the longest that is meant waits fifty times."""
TICK = 0.02
"""Real seconds that a wait of a run takes, whatever it asks for."""
STEP = 0.002
"""Real seconds between two looks at something that another thread does."""
DEADLINE = 60.0
"""Seconds for anything that another thread has to do."""
_runs = itertools.count(1)


class Skipping:
    """A run's clock: real time, but a wait for a second is over in a moment. Given up after `WAITS` of them."""

    def __init__(self) -> None:
        self.given_up = False
        self._ahead = timedelta(0)
        self._left = WAITS
        self._bell = threading.Event()

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return datetime.now(UTC) + self._ahead

    def wait(self, seconds: float) -> bool:
        """See `ports.Clock`."""
        self._ahead += timedelta(seconds=seconds)
        self._left -= 1
        self._bell.wait(min(seconds, TICK))
        return self.given_up or self._left <= 0


class Jumping(WallClock):
    """The emulator's clock: the wall's, moved ahead by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """See `clock.Clock`."""
        return super().now() + self.ahead


@dataclass
class Heard:
    """What the core said."""

    said: list[str] = field(default_factory=list)

    def say(self, identity: Identity, text: str) -> None:
        """See `ports.Listener`."""
        self.said.append(text)

    def progress(self, identity: Identity, progress: Progress) -> None:
        """See `ports.Listener`."""


@dataclass(frozen=True)
class Wanted:
    """What the specs ask for. Another `version` is other content, so another revision."""

    version: int = 1
    at_least: float = 0.5
    keep: int = 0
    service_account: str | None = None

    @property
    def desired(self) -> Desired:
        """All of it: a dataset in three splits, a tuning, a served model with a gate."""
        tuning, serving = self.tuning, self.serving
        contents = tuple(c for c in (tuning.training, tuning.validation, serving.test) if c is not None)
        return Desired(PROJECT, (tuning,), (serving,), contents)

    @property
    def narrow(self) -> Desired:
        """Tuning and served model alone, as the provider looks at them: by name, and nothing is uploaded."""
        return Desired(PROJECT, (self.tuning,), (self.serving,), whole=False)

    @property
    def tuning(self) -> Tuning:
        """The TuningJob."""
        return Tuning(
            PROJECT,
            scene.NAME,
            "gemini-2.5-flash",
            self._content("training", 12),
            validation=self._content("validation", 4),
            hyper_parameters=HyperParameters(2, "ADAPTER_SIZE_FOUR", 1.0),
            service_account=self.service_account,
            keep=None,
        )

    @property
    def serving(self) -> Serving:
        """The TunedModel."""
        gate = Gate(exact_match_at_least=self.at_least, exact_match_examples=2)
        wanted = revision(self.tuning)
        test = self._content("test", 1)
        return Serving(PROJECT, scene.NAME, scene.NAME, wanted, "best", gate, test, self.keep)

    def supply(self, content: Content) -> bytes:
        """The bytes of a split."""
        split = content.uri.rpartition("/")[2].partition("-")[0]
        return _lines(split, self.version, content.examples // len(scene.COLOURS))

    def _content(self, split: str, rows: int) -> Content:
        data = _lines(split, self.version, rows)
        digest = hashlib.sha256(data).hexdigest()
        uri = f"gs://{scene.BUCKET}/datasets/{scene.NAME}/{split}-{digest[:16]}.jsonl"
        return Content(uri, f"sha256:{digest}", rows * len(scene.COLOURS), len(data) // 4)


@cache
def _lines(split: str, version: int, rows: int) -> bytes:
    found = (
        _line(f"{split} {version}: paint number {row} {colour} please", colour)
        for row in range(rows)
        for colour in scene.COLOURS
    )
    return ("\n".join(found) + "\n").encode()


def _line(question: str, answer: str) -> str:
    turns = (("user", question), ("model", answer))
    return json.dumps({"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]})


@dataclass(frozen=True)
class Result:
    """How a run ended: with an outcome, or with an error of ours. Anything else is a defect."""

    outcome: Outcome | None = None
    error: BaseException | None = None

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """What went wrong, item by item."""
        failures = self.outcome.failures if self.outcome else ()
        return (*(failure.error for failure in failures), *([self.error] if self.error else []))

    @property
    def well(self) -> bool:
        """Whether everything asked for was brought about."""
        return not self.errors

    def complaints(self) -> list[Complaint]:
        """What is wrong with the way it stopped: an error that is none of ours, or one that says not what to do."""
        return [
            Complaint("unfinished", f"stopped by {type(error).__name__}: {error}")
            for error in self.errors
            if not (isinstance(error, TuneformError) and error.message and error.remedy)
            or error.code == "E420"
        ]


class Applier:
    """A run in a thread. `id` is what barriers and faults tell it by: `caller=applier.caller`."""

    def __init__(self, bench: Bench, wanted: Wanted, *, dead: bool, narrow: bool, **options: Any) -> None:
        host, pid, process = holder().split(":")
        number = next(_runs)
        # The end tells number 1 from number 10: a caller is told by a part of what it says.
        self.id = f"{process}-{number}x"
        self.heard = Heard()
        name = f"{socket.gethostname()}:{NOBODY}:{self.id}" if dead else f"{host}:{pid}:{self.id}"
        self._clock = Skipping()
        self.ports = bench.ports(name, self.heard, clock=self._clock, **options)
        self._wanted, self._desired = wanted, wanted.narrow if narrow else wanted.desired
        self._result = Result()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"applier-{number}", daemon=True)

    @property
    def caller(self) -> str:
        """Part of its user agent."""
        return f"run/{self.id}"

    def start(self) -> Applier:
        """Begin."""
        self._thread.start()
        return self

    def is_over(self, seconds: float = 0.0) -> bool:
        """Whether it ended, after waiting so long for it."""
        return self._over.wait(seconds)

    def wait(self, seconds: float = DEADLINE) -> Result:
        """How it ended; one that does not end is stopped, and TimeoutError is its error."""
        if not self.is_over(seconds):
            self._clock.given_up = True
            self._over.wait(seconds)
            return Result(error=TimeoutError(f"still at work after {seconds} s: {self.heard.said}"))
        self._thread.join()
        return self._result

    def _run(self) -> None:
        try:
            self._result = Result(apply(self.ports, self._desired, supply=self._wanted.supply))
        except BaseException as error:  # noqa: BLE001 (whatever it is belongs to the result)
            self._result = Result(error=error)
        finally:
            del self.ports
            self._over.set()


@dataclass
class Bench:
    """One emulator, and what every run against it has in common."""

    endpoint: str
    controls: Controls
    clock: Jumping
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def world(self) -> World:
        """What the emulator holds."""
        return self.controls.world

    @property
    def control(self) -> Control:
        """Its faults, barriers and log, over the wire."""
        return Control(self.endpoint)

    def ports(self, who: str, listener: Heard, **options: Any) -> Ports:
        """Ports as another process would have them: nothing is shared but the emulator."""
        given = {"list_lag": timedelta(0), "poll": 1.0, "clock": Skipping(), **self.options, **options}
        return connect(PROJECT, self.endpoint, listener=listener, holder=who, **given)

    def applier(self, wanted: Wanted, *, dead: bool = False, narrow: bool = False, **options: Any) -> Applier:
        """A run that is to be started. One that is `dead` looks gone to all others, whatever it does."""
        return Applier(self, wanted, dead=dead, narrow=narrow, **options)

    def apply(self, wanted: Wanted, **options: Any) -> Result:
        """One run to its end."""
        return self.applier(wanted, **options).start().wait()

    def settled(self, wanted: Wanted) -> list[Complaint]:
        """What is wrong unless a plan has nothing to do."""
        ports = self.ports(holder(), Heard())
        _, plan = look(ports.view, wanted.desired)
        left = [f"{item.key}: {item.actions}" for item in plan.changes]
        return [Complaint("unfinished", f"the plan is not empty: {'; '.join(left)}")] if left else []

    def quiet(self) -> None:
        """Wait until no call is under way."""
        self.until(lambda: all(entry.status is not None for entry in tuple(self.controls.log.entries)))

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true; raises TimeoutError."""
        bell = threading.Event()
        for _ in range(int(DEADLINE / STEP)):
            if true():
                return
            bell.wait(STEP)
        raise TimeoutError("it never became true")


@dataclass(frozen=True)
class Beginning:
    """A state to begin at, what is then asked for, and how an undisturbed run ends."""

    database: Path
    wanted: Wanted
    ending: Ending
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def bench(self, settings: Settings = QUICK, **options: Any) -> Iterator[Bench]:
        """An emulator in this state; `options` are those of `connect`, for all runs."""
        copy = self.database.with_name(f"{self.database.stem}-{next(self._numbers)}.db")
        shutil.copy(self.database, copy)
        with emulated(copy, settings, **options) as bench:
            yield bench
        copy.unlink()

    def under(self, settings: Settings, **options: Any) -> Beginning:
        """The same, with the ending that an undisturbed run has in an emulator that is set so."""
        with self.bench(settings, **options) as bench:
            return replace(self, ending=_undisturbed(bench, self.wanted), _numbers=self._numbers)

    def complaints(self, bench: Bench) -> list[Complaint]:
        """What is wrong when all runs are over."""
        return [*bench.settled(self.wanted), *complaints(ending(bench.world), self.ending)]


@contextmanager
def emulated(database: Path, settings: Settings = QUICK, **options: Any) -> Iterator[Bench]:
    """An emulator on a database while the block runs."""
    store, clock = Store(database), Jumping()
    dispatcher = Dispatcher(World(store, clock, settings))
    try:
        with server.serving(dispatcher) as endpoint:
            yield Bench(endpoint, dispatcher.controls, clock, options)
    finally:
        store.close()


Stage = Literal["before", "uploaded", "trained"]


def prepare(folder: Path, first: Wanted | None, wanted: Wanted, stage: Stage = "before") -> Beginning:
    """The state after `first` was applied (None: nothing but the infrastructure), to be followed by `wanted`.

    By `stage` nothing has been done for that yet, or its content is there, or its job has succeeded too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "begin.db"
    with emulated(database) as bench:
        made = bench.ports(holder(), Heard())
        made.ledger.now()  # the state bucket is made by whoever needs it first
        scene.make_infrastructure(bench.endpoint)
        if first is not None:
            assert bench.apply(first).well
            assert not bench.settled(first)
        for content in wanted.desired.contents if stage != "before" else ():
            made.objects.put(content.uri, wanted.supply(content), content.digest, PROJECT.note)
        if stage == "trained":
            assert not apply(made, Desired(PROJECT, (wanted.tuning,), whole=False)).failures
        del made
    goal = folder / "goal.db"
    shutil.copy(database, goal)
    with emulated(goal) as bench:
        return Beginning(database, wanted, _undisturbed(bench, wanted))


def _undisturbed(bench: Bench, wanted: Wanted) -> Ending:
    result = bench.apply(wanted)
    assert result.well, result
    found = ending(bench.world)
    wrong = (*bench.settled(wanted), *sound(found, scene.NAME))
    assert not wrong, "\n".join(map(str, wrong))
    return found


@contextmanager
def impatient(budget: float) -> Iterator[None]:
    """Calls that may be repeated are given up after so many seconds, not after twenty."""
    with mock.patch.dict(vars(READ), budget=budget):
        yield


__all__ = ["Applier", "Beginning", "Bench", "Result", "Wanted", "emulated", "impatient", "prepare"]
