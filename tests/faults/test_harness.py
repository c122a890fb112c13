"""The shortcuts of the sweeps are none: a forked run is the installed command, a point is struck where it says."""

from __future__ import annotations

import re

import pytest
from tests.faults.appliers import Forked, Installed
from tests.faults.crash import Reference
from tests.faults.endings import Complaint, Ending, complaints, ending
from tests.faults.points import MADE_UP, Point, bounded, points_of, reach, states
from tests.faults.stage import APPLY, Snapshot, Stage

JOB_LINE = re.compile(r".*(?:QUEUED|PENDING|RUNNING|SUCCEEDED).*\n")
"""What is seen of a job under way is a matter of when one looks."""


def done(stage: Stage, first: int) -> set[tuple[str, str]]:
    """What a run changed: methods and paths, without ids. How often it notes something depends on the moment."""
    points = points_of(stage.control.log(first), "before")
    return {(point.method, point.path) for point in points if point.writes}


def test_a_forked_run_does_and_says_what_the_installed_command_does_and_says(
    second_revision: Snapshot, appliers: Forked
) -> None:
    seen = []
    for runs in (appliers, Installed()):
        with second_revision.stage() as stage:
            ended = stage.start(*APPLY, appliers=runs).wait()
            said = JOB_LINE.sub("", MADE_UP.sub("…", ended.text))
            seen.append((ended.code, said, done(stage, 0), ending(stage.world)))
            assert {call.run for call in stage.control.log()} - {""}
    assert seen[0] == seen[1]


def test_two_forked_runs_are_two_to_the_ledger(second_revision: Snapshot) -> None:
    with second_revision.stage() as stage:
        stage.does(*APPLY)
        stage.does(*APPLY)
        names = {call.run for call in stage.control.log() if call.run}
    assert len(names) == 2


def test_a_run_that_failed_is_seen_to_have_failed(second_revision: Snapshot) -> None:
    with second_revision.stage() as stage:
        ended = stage.run("plan", "no-such-folder")
        assert ended.code == 1
        assert "no-such-folder" in ended.text


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_is_killed_where_the_point_says(
    second_revision: Snapshot, undisturbed: Reference, when: str
) -> None:
    create = next(p for p in undisturbed.points if p.shown.endswith("/tuningJobs") and p.writes)
    point = Point(create.number, create.of, create.method, create.path, create.shown, 1, when)  # type: ignore[arg-type]
    with second_revision.stage() as stage:
        jobs = stage.control.log()
        assert not jobs
        stage.control.hold(point.when, **point.calls)
        run = stage.start(*APPLY)
        held = reach(stage.control, run)
        assert held is not None
        assert held.path == create.shown
        assert run.kill().code == -9
        stage.control.release(held.id, "drop" if when == "before" else "proceed")
        last = stage.control.log()[-1]
        assert last.path == create.shown
        assert last.handled is (when == "after")


def test_the_bounded_selection_has_every_call_that_writes_and_some_that_read(undisturbed: Reference) -> None:
    chosen = bounded(undisturbed.points, 5)
    assert [p for p in undisturbed.points if p.writes] == [p for p in chosen if p.writes]
    assert len([p for p in chosen if not p.writes]) == 5
    verbs = {point.shown.rpartition(":")[2] for point in chosen if point.writes}
    assert {"deployModel", "undeployModel"} <= verbs


def test_the_states_that_a_killed_run_may_leave_are_one_for_each_write_and_the_beginning(
    undisturbed: Reference,
) -> None:
    writes = {point.number for point in undisturbed.points if point.writes}
    chosen = [point for point in states(undisturbed.points, 4) if point.writes]
    assert {point.number for point in chosen if point.when == "after"} == writes
    assert [point.number for point in chosen if point.when == "before"] == [min(writes)]


def test_an_ending_that_is_not_the_reference_is_complained_about(undisturbed: Reference) -> None:
    found = undisturbed.ending
    assert complaints(found, found) == []

    twice = Ending(**{**vars(found), "jobs": (*found.jobs, found.jobs[-1])})
    more = Ending(**{**vars(found), "endpoints": (*found.endpoints, {"id": "colours-gate", "deployed": []})})
    copied = Ending(**{**vars(found), "attempts": ("bucket/attempts/1.jsonl",)})
    other = Ending(**{**vars(found), "ledger": {}})

    assert kinds(complaints(twice, found)) == {"second attempt", "divergence"}
    assert kinds(complaints(more, found)) == {"orphan", "divergence"}
    assert kinds(complaints(copied, found)) == {"orphan"}
    assert kinds(complaints(other, found)) == {"divergence"}


def kinds(found: list[Complaint]) -> set[str]:
    return {complaint.kind for complaint in found}
