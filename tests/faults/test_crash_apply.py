"""`tuneform apply`, killed at every remote call: before it is sent, and when its answer is on its way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.faults.appliers import Forked, Installed
from tests.faults.crash import Reference, Verdict, crash, late, reference
from tests.faults.judging import Strike, judge
from tests.faults.points import Point, bounded, states
from tests.faults.scene import Scene
from tests.faults.stage import Snapshot, prepare
from tests.faults.tally import Tally

READS = 4
"""So many calls that only look are taken into the bounded sweep."""
POINTER = Scene(serving="pointer")
OTHERS = {
    "the first one": (None, Scene()),
    "serving by pointer": (POINTER, POINTER.second()),
    "another checkpoint": (Scene(), replace(Scene(), checkpoint="1")),
}


@pytest.mark.timeout(900)
def test_killed_at_any_writing_call_the_next_apply_ends_as_if_nothing_had_happened(
    second_revision: Snapshot, undisturbed: Reference, subtests: pytest.Subtests, tally: Tally
) -> None:
    points = states(undisturbed.points, READS)
    judge("crash: apply", points, _killed(second_revision, undisturbed), subtests, tally)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_any_call_at_all(
    second_revision: Snapshot, undisturbed: Reference, subtests: pytest.Subtests, tally: Tally
) -> None:
    chosen = {str(point) for point in states(undisturbed.points, READS)}
    points = [point for point in undisturbed.points if str(point) not in chosen]
    judge("crash: apply", points, _killed(second_revision, undisturbed), subtests, tally)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("other", OTHERS)
def test_other_runs_killed_at_any_writing_call(
    other: str,
    tmp_path: Path,
    appliers: Forked,
    subtests: pytest.Subtests,
    tally: Tally,
) -> None:
    snapshot = prepare(tmp_path / "stages", appliers, *OTHERS[other])
    undisturbed = reference(snapshot)
    judge(
        "crash: other applies",
        bounded(undisturbed.points, 0),
        _killed(snapshot, undisturbed),
        subtests,
        tally,
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_call_that_arrives_after_the_next_apply_changes_nothing_that_lasts(
    second_revision: Snapshot, undisturbed: Reference, subtests: pytest.Subtests, tally: Tally
) -> None:
    points = [point for point in undisturbed.points if point.writes and point.when == "before"]

    def strike(point: Point) -> Verdict:
        return late(second_revision, point, undisturbed.ending)

    judge("late call: apply", points, strike, subtests, tally)


def test_the_installed_command_killed_at_the_same_points_ends_the_same(
    second_revision: Snapshot, undisturbed: Reference, subtests: pytest.Subtests, tally: Tally
) -> None:
    writes = [point for point in undisturbed.points if point.writes]
    points = [writes[len(writes) * place // 4] for place in range(4)]

    def strike(point: Point) -> Verdict:
        return crash(second_revision, point, undisturbed.ending, Installed())

    judge("crash: apply", points, strike, subtests, tally)


def _killed(snapshot: Snapshot, undisturbed: Reference) -> Strike:
    return lambda point: crash(snapshot, point, undisturbed.ending)
