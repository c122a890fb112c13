"""A create call that arrives late: after its sender died, while somebody else takes over, at each of their steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from tests.faults.crash import Reference, Verdict, go_on, unreached
from tests.faults.endings import Complaint, ending
from tests.faults.judging import judge
from tests.faults.points import Point, points_of, reach
from tests.faults.scene import LOCATION, PROJECT_ID, STATE_BUCKET
from tests.faults.stage import APPLY, QUICK, Snapshot, Stage
from tests.faults.tally import Tally
from tests.faults.waiting import until

from tuneform_emulator.clock import ManualClock
from tuneform_emulator.services.vertex.resources import JOB
from tuneform_emulator.world import Settings

CREATE = {"method": "POST", "route": ".../tuningJobs"}
LAG = 0.6
"""Seconds that a job is missing from lists, where they lag; runs are told a little more."""
LEASE = timedelta(minutes=3)
"""How long a claim of another host's is respected (docs/decisions/attempts.md, tuneform.reconcile.holders)."""
PARENT = f"projects/{PROJECT_ID}/locations/{LOCATION}/tuningJobs"


@dataclass(frozen=True)
class World:
    """How the service behaves."""

    dataset_read: Any
    list_lag: float
    overtakes: bool
    """Whether the late job has run as far as it can before the second run goes on."""

    def __str__(self) -> str:
        pace = "first" if self.overtakes else "beside"
        return f"read at {self.dataset_read}, lists lag {self.list_lag:g} s, late job {pace}"

    @property
    def settings(self) -> Settings:
        return Settings(
            queued_seconds=QUICK.queued_seconds,
            pending_seconds=QUICK.pending_seconds,
            dataset_read=self.dataset_read,
            list_lag_seconds=self.list_lag,
        )


WORLDS = tuple(
    World(read, lag, overtakes)
    for read in ("run", "create")
    for lag in (0.0, LAG)
    for overtakes in (True, False)
)


@contextmanager
def _dead_sender(snapshot: Snapshot, world: World) -> Iterator[tuple[Stage, str]]:
    """A stage on which a run died with its create call on its way, and that call's id."""
    with snapshot.stage(settings=world.settings) as stage:
        if world.list_lag:
            stage.env["TUNEFORM_LIST_LAG"] = str(world.list_lag + 0.2)
        barrier = stage.control.hold("before", **CREATE)
        run = stage.start(*APPLY)
        held = reach(stage.control, run)
        assert held is not None, run.wait().text
        run.kill()
        yield stage, held.id
        stage.control.remove(barrier)


def _arrive(stage: Stage, call: str, world: World) -> None:
    """Let the late call through and see it answered; then, or not, let its job go as far as it can."""
    number = int(call.removeprefix("call-"))
    stage.control.release(call)
    until(lambda: any(c.number == number and c.status is not None for c in stage.control.log(number - 1)))
    if world.overtakes:
        until(lambda: all("endTime" in doc["resource"] for _, doc in stage.world.store.list(JOB)))


def _takeover(snapshot: Snapshot, world: World) -> tuple[Point, ...]:
    """What the second run calls when the first one's create never arrives."""
    with _dead_sender(snapshot, world) as (stage, call):
        known = stage.control.log()[-1].number
        stage.does(*APPLY)
        points = points_of(stage.control.log(known))
        stage.control.release(call, "drop")
    return tuple(points)


def _late_at(snapshot: Snapshot, world: World, reference: Reference) -> Callable[[Point], Verdict]:
    def strike(point: Point) -> Verdict:
        with _dead_sender(snapshot, world) as (stage, call):
            barrier = stage.control.hold(point.when, **point.calls)
            second = stage.start(*APPLY)
            held = reach(stage.control, second, besides=call)
            if held is None:
                return unreached(point, second)
            _arrive(stage, call, world)
            stage.control.release(held.id)
            stage.control.remove(barrier)
            ended = second.wait()
            bad = [Complaint("unfinished", f"the second run: {ended.text}")] if ended.code else []
            return Verdict(point, True, (*bad, *go_on(stage, reference.ending)))

    return strike


def _stages(points: tuple[Point, ...]) -> list[Point]:
    """Every step of the takeover: before its first call, and after each one that changes something."""
    first = [point for point in points if point.when == "before"][:1]
    return first + [point for point in points if point.writes and point.when == "after"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("half", [0, 1])
def test_late_while_the_attempt_is_taken_over_nothing_is_paid_twice(
    half: int,
    second_revision: Snapshot,
    undisturbed: Reference,
    subtests: pytest.Subtests,
    tally: Tally,
) -> None:
    """Every other step up to the second create in one world, the rest of them in the world that is most unlike it."""
    world = (WORLDS[0], WORLDS[-1])[half]
    points = _stages(_takeover(second_revision, world))
    upto = next(n for n, point in enumerate(points) if point.shown.endswith("/tuningJobs")) + 3
    judge("late create", points[half:upto:2], _late_at(second_revision, world, undisturbed), subtests, tally)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_late_at_any_step_of_the_takeover_nothing_is_paid_twice(
    world: World,
    second_revision: Snapshot,
    undisturbed: Reference,
    subtests: pytest.Subtests,
    tally: Tally,
) -> None:
    points = _stages(_takeover(second_revision, world))
    judge("late create", points, _late_at(second_revision, world, undisturbed), subtests, tally)


@pytest.mark.parametrize("world", [world for world in WORLDS if world.overtakes], ids=str)
def test_late_when_the_takeover_is_over_it_is_refused(
    world: World, second_revision: Snapshot, undisturbed: Reference, tally: Tally
) -> None:
    with _dead_sender(second_revision, world) as (stage, call):
        stage.does(*APPLY)
        _arrive(stage, call, world)
        answered = stage.control.log(int(call.removeprefix("call-")) - 1)[0]
        wrong = go_on(stage, undisturbed.ending)
        jobs = len(stage.world.store.list(JOB))
    tally("late create", points=1, disturbed=1, complaints=[wrong] if wrong else [])
    assert not wrong, "\n".join(map(str, wrong))
    assert answered.status in (400, 404)
    assert jobs == 2, "one of each revision"


@pytest.mark.parametrize("world", [world for world in WORLDS if world.overtakes], ids=str)
def test_a_job_that_was_made_before_the_kill_is_found_and_adopted(
    world: World, second_revision: Snapshot, undisturbed: Reference, tally: Tally
) -> None:
    with _dead_sender(second_revision, world) as (stage, call):
        number = int(call.removeprefix("call-"))
        stage.control.release(call)
        until(lambda: stage.control.log(number - 1)[0].status == 200)
        wrong = go_on(stage, undisturbed.ending)
        paid = len(ending(stage.world).jobs)
    tally("late create", points=1, disturbed=1, complaints=[wrong] if wrong else [])
    assert not wrong, "\n".join(map(str, wrong))
    assert paid == 2, "one of each revision"


def test_a_holder_on_another_host_is_waited_for_until_its_lease_is_over(
    second_revision: Snapshot, undisturbed: Reference, tally: Tally
) -> None:
    clock = ManualClock(datetime.now(UTC))
    with second_revision.stage(clock=clock) as stage:
        barrier = stage.control.hold("before", **CREATE)
        first = stage.start(*APPLY)
        held = reach(stage.control, first)
        assert held is not None
        first.kill()
        _on_another_host(stage)
        claims = _claims(stage)

        second = stage.start(*APPLY)
        _looks_again(stage)
        assert _claims(stage) == claims, "a claim that may be alive is left alone"
        clock.advance(LEASE - timedelta(seconds=10))
        _looks_again(stage)
        assert _claims(stage) == claims, "its lease is not over yet"

        clock.advance(timedelta(seconds=11))
        ended = second.wait()
        stage.control.release(held.id)
        stage.control.remove(barrier)
        until(lambda: all(call.status is not None for call in stage.control.log()))
        wrong = go_on(stage, undisturbed.ending)
    tally("late create", points=1, disturbed=1, complaints=[wrong] if wrong else [])
    assert ended.code == 0, ended.text
    assert not wrong, "\n".join(map(str, wrong))


def _looks_again(stage: Stage) -> None:
    """Let the run that is under way look at the jobs twice more from now on, so that one look began after now."""

    def looks() -> int:
        return sum(call.method == "GET" and call.path.endswith("/tuningJobs") for call in stage.control.log())

    enough = looks() + 3
    until(lambda: looks() >= enough)


def _records(stage: Stage) -> Any:
    return storage.Client(PROJECT_ID, AnonymousCredentials(), client_options={"api_endpoint": stage.endpoint})


def _on_another_host(stage: Stage) -> None:
    """Make every claim in the ledger one of a process that cannot be asked after."""
    client = _records(stage)
    for blob in client.list_blobs(STATE_BUCKET, prefix="ledger/"):
        record = json.loads(blob.download_as_bytes())
        last = record["attempts"][-1]
        if last["state"] != "sent":
            continue
        there = f"elsewhere:{last['holder'].partition(':')[2]}"
        metadata = {name: text.replace(last["holder"], there) for name, text in (blob.metadata or {}).items()}
        last["holder"] = there
        blob.metadata = metadata
        blob.upload_from_string(json.dumps(record), content_type="application/json")
    client.close()


def _claims(stage: Stage) -> list[str]:
    """The last attempts' states."""
    client = _records(stage)
    found = [
        json.loads(blob.download_as_bytes())["attempts"][-1]["state"]
        for blob in client.list_blobs(STATE_BUCKET, prefix="ledger/")
    ]
    client.close()
    return found
