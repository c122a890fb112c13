"""More tunings than the project has places for jobs: docs/decisions/many-projects.md, with the real loop.

The service is in memory: it refuses a create beyond its quota, ends a job when time passes, and keeps count. Time
passes only when the loop waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.reconcile.builders import NOON, PROJECT, TUNING

from tuneform.errors import LedgerConflict, Retryable
from tuneform.reconcile.desired import Content, Desired, Identity, Project, Tuning
from tuneform.reconcile.execute import Interrupted, Outcome, apply
from tuneform.reconcile.execute.run import TRIES
from tuneform.reconcile.ledger import AttemptState, Record, Versioned
from tuneform.reconcile.live import Curves, Job, JobState, Model, Progress
from tuneform.reconcile.ports import Ports
from tuneform.reconcile.turns import QUEUED, Turns, is_queued

LAG = timedelta(seconds=2)
NAMES = ("anna", "bert", "cleo", "dora", "emil")


@dataclass
class Service:
    """Vertex AI, the ledger and the clock of one project. `lengths` is how many looks each new job lasts."""

    quota: int
    lengths: list[int] = field(default_factory=list)
    others: int = 0
    """Jobs of somebody else, which take places and are in no list of ours."""
    conflicts: set[int] = field(default_factory=set)
    """Writes of the ledger, by their number, that somebody else is faster than."""
    retry_after: float | None = None
    time: datetime = NOON
    jobs: list[Job] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    most_at_once: int = 0
    waits: int = 0
    stop_after: int = 10_000
    _records: dict[tuple[str, str], Versioned] = field(default_factory=dict)
    _left: dict[str, int] = field(default_factory=dict)
    _patched: dict[str, Model] = field(default_factory=dict)
    _writes: int = 0

    # Writer
    def create_job(self, tuning: Tuning, uri: str, labels: Mapping[str, str], origin: object = None) -> Job:
        running = [job for job in self.jobs if not job.state.ended]
        if len(running) + self.others >= self.quota:
            self.refused.append(tuning.name)
            raise Retryable("quota exceeded", retry_after=self.retry_after)
        name = f"{PROJECT.parent}/tuningJobs/{len(self.jobs) + 1}"
        made = Job(name=name, state=JobState.RUNNING, labels=dict(labels), created=self.time)
        self.jobs.append(made)
        self._left[name] = self.lengths[len(self.jobs) - 1] if len(self.jobs) <= len(self.lengths) else 1
        self.most_at_once = max(self.most_at_once, len(running) + 1)
        return made

    # Reader
    def listed(self, project: Project, name: str | None = None) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if name in (None, job.labels["tuneform-name"]))

    def job(self, name: str) -> Job | None:
        return next((job for job in self.jobs if job.name == name), None)

    def models(self, project: Project) -> tuple[Model, ...]:
        made = ((job.model, job.labels) for job in self.jobs if job.model)
        return tuple(self._patched.get(name, Model(name, "", "", labels)) for name, labels in made)

    def model(self, name: str) -> Model | None:
        return next((model for model in self.models(PROJECT) if model.name == name), None)

    def endpoints(self, project: Project) -> tuple[()]:
        return ()

    def curves(self, job: Job) -> Curves:
        return Curves()

    def patch_model(self, name: str, **fields: Any) -> None:
        self._patched[name] = replace(self._patched.get(name, Model(name, "", "", {})), **fields)

    # Ledger
    def now(self) -> datetime:
        return self.time

    def read(self, project: Project, name: str, revision: str) -> Versioned | None:
        return self._records.get((name, revision))

    def history(self, project: Project, name: str) -> tuple[Versioned, ...]:
        return tuple(found for (owner, _), found in self._records.items() if owner == name)

    def heads(self, project: Project) -> tuple[Versioned, ...]:
        return tuple(self._records.values())

    def pointers(self, project: Project) -> tuple[()]:
        return ()

    def write(self, project: Project, versioned: Versioned) -> Versioned:
        self._writes += 1
        key = (versioned.record.name, versioned.record.revision)
        stored = self._records.get(key)
        if self._writes in self.conflicts or versioned.generation != (stored.generation if stored else 0):
            raise LedgerConflict("somebody else was faster")
        self._records[key] = Versioned(versioned.record, versioned.generation + 1, self.time)
        return self._records[key]

    # Clock
    def wait(self, seconds: float) -> bool:
        self.waits += 1
        assert self.waits < 2_000, "it waits for ever"
        self.time += timedelta(seconds=seconds)
        for index, job in enumerate(self.jobs):
            if job.state.ended:
                continue
            self._left[job.name] -= 1
            if self._left[job.name] <= 0:
                model = f"{PROJECT.parent}/models/{index + 1}"
                self.jobs[index] = replace(job, state=JobState.SUCCEEDED, model=f"{model}@1", ended=self.time)
        return self.waits >= self.stop_after

    # Listener
    def say(self, identity: Identity, text: str) -> None:
        self.said.append(f"{identity.name}: {text}")

    def progress(self, identity: Identity, progress: Progress) -> None:
        del identity, progress

    @property
    def created(self) -> list[str]:
        return [job.labels["tuneform-name"] for job in self.jobs]

    def record(self, name: str) -> Record:
        (found,) = self.history(PROJECT, name)
        return found.record

    def ports(self, most: int | None = None) -> Ports:
        """The ports of one process: one object plays all of them, but for what is never looked at."""
        both: Any = self
        reader: Any = _Reader(self)
        objects: Any = _Objects()
        return Ports(reader, both, both, objects, both, both, both, "here:1:run", 10.0, LAG, Turns(most))


class _Reader:
    """`jobs` is a port's method and the service's list."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.jobs = service.listed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)


class _Objects:
    """`ports.Objects` of buckets that hold what they are asked for."""

    def stored(self, prefix: str) -> tuple[()]:
        return ()

    def under(self, prefix: str) -> tuple[()]:
        return ()

    def copy(self, source: str, target: str) -> None: ...

    def delete(self, uri: str) -> None: ...

    def read(self, uri: str) -> bytes:
        return b""

    def exists(self, uri: str) -> bool:
        return True

    def put(self, uri: str, data: bytes, digest: str, note: str) -> bool:
        return True


def tunings(names: Sequence[str]) -> tuple[Tuning, ...]:
    return tuple(
        replace(
            TUNING, name=name, training=Content(f"gs://b/datasets/{name}/a.jsonl", f"sha256:{name}", 9, 9)
        )
        for name in names
    )


def applied(service: Service, names: Sequence[str], most: int | None = None, *, wait: bool = True) -> Outcome:
    return apply(service.ports(most), Desired(PROJECT, tunings(names)), wait=wait)


@settings(max_examples=40, deadline=None)
@given(
    names=st.permutations(NAMES),
    quota=st.integers(1, 6),
    most=st.none() | st.integers(1, 6),
    lengths=st.lists(st.integers(1, 6), min_size=5, max_size=5),
    conflicts=st.sets(st.integers(1, 60), max_size=2),
    retry_after=st.none() | st.floats(0.5, 4000),
)
def test_all_are_done_in_order_with_never_more_than_there_are_places_for_and_each_paid_once(
    *,
    names: list[str],
    quota: int,
    most: int | None,
    lengths: list[int],
    conflicts: set[int],
    retry_after: float | None,
) -> None:
    service = Service(quota, lengths, conflicts=conflicts, retry_after=retry_after)

    outcome = applied(service, names, most)

    assert (outcome.failures, outcome.queued) == ((), ())
    assert sorted(service.created) == sorted(names), "each is paid for once"
    assert all(job.state is JobState.SUCCEEDED for job in service.jobs)
    assert service.most_at_once <= min(quota, most or quota)
    if not conflicts:
        assert service.created == names, "in the order of the documents"
    for name in names:
        *refused, last = service.record(name).attempts
        assert all(attempt.state is AttemptState.REVOKED and not attempt.job for attempt in refused)
        assert conflicts or all(attempt.cause.startswith(QUEUED) for attempt in refused)
        assert last.state is AttemptState.SUCCEEDED


def test_the_rest_says_that_it_waits_and_behind_whom() -> None:
    service = Service(quota=1, lengths=[3, 3, 3])

    applied(service, NAMES[:3])

    assert service.said.count("bert: queued until a job of the project has ended: quota exceeded") == 1
    assert service.said.count("cleo: queued: it waits in line behind TuningJob bert") == 1
    assert service.created == list(NAMES[:3])


def test_who_is_behind_is_not_tried_while_the_head_of_the_line_waits() -> None:
    service = Service(quota=1, lengths=[30, 1, 1, 1])

    applied(service, NAMES[:4])

    assert set(service.refused) == {"bert", "cleo", "dora"}
    # bert asks when it is first refused and at lengthening intervals while the job runs, not at each of 30 looks.
    assert service.refused.count("bert") < 8
    assert service.refused.count("dora") == 1


def test_accepted_leaves_the_rest_in_line_and_another_run_goes_on_from_there() -> None:
    service = Service(quota=2, lengths=[50, 50])

    outcome = applied(service, NAMES[:4], wait=False)

    assert service.created == ["anna", "bert"]
    assert [(item.name, why) for item, why in outcome.queued] == [
        ("cleo", "quota exceeded"),
        ("dora", "it waits in line behind TuningJob cleo"),
    ]
    assert not outcome.failures
    assert [is_queued(service.record("cleo")), is_queued(service.record("anna"))] == [True, False]

    applied(service, NAMES[:4])
    assert service.created == list(NAMES[:4])


def test_a_limit_of_our_own_asks_the_service_for_no_more() -> None:
    service = Service(quota=99, lengths=[4, 2, 2])

    applied(service, NAMES, most=2)

    assert (service.most_at_once, service.refused, service.created) == (2, [], list(NAMES))
    assert "cleo: queued: 2 of the project's jobs are under way, which is max_jobs" in service.said


def test_a_part_of_a_project_counts_the_jobs_of_the_rest() -> None:
    service = Service(quota=99, lengths=[50])
    applied(service, NAMES[:1], wait=False)

    ports = service.ports(most=1)
    outcome = apply(ports, Desired(PROJECT, tunings(NAMES[1:2]), whole=False), wait=False)

    assert [item.name for item, _ in outcome.queued] == ["bert"]
    assert service.created == ["anna"]


def test_jobs_of_others_are_waited_for_a_few_tries_and_then_all_fail_with_what_the_service_said() -> None:
    service = Service(quota=1, others=1)

    outcome = applied(service, NAMES[:3])

    assert [(f.item.name, f.error.code, f.error.message) for f in outcome.failures] == [
        (name, "E510", "quota exceeded") for name in NAMES[:3]
    ]
    assert service.refused == ["anna"] * TRIES + ["bert", "cleo"]
    assert outcome.queued == ()


def test_a_wait_in_line_that_is_called_off_leaves_the_line() -> None:
    service = Service(quota=1, lengths=[50], stop_after=2)
    ports = service.ports()

    with pytest.raises(Interrupted):
        apply(ports, Desired(PROJECT, tunings(NAMES[:2])))

    service.stop_after, service.lengths = 10_000, [1]
    apply(ports, Desired(PROJECT, tunings(NAMES[:3])))
    assert service.created == list(NAMES[:3])
