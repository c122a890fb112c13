"""`tuneform up`, with the real engine, killed whole at calls that change something.

A run costs twenty times an apply's, so the points are a selection, spread evenly over all writing calls of two runs:
the first `up` of a project (its infrastructure comes from the gcp plugin), and one that replaces a revision.
"""

from __future__ import annotations

import pytest
from tests.faults.crash import Verdict
from tests.faults.judging import judge
from tests.faults.points import Point
from tests.faults.scene import Scene
from tests.faults.tally import Tally
from tests.faults.ups import crash_up, prepare_up, reference_up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

POINTS = 20
"""Of each run; about five minutes on two cores."""


@pytest.mark.parametrize("first", [None, Scene()], ids=["the first up", "another revision"])
def test_killed_at_a_writing_call_the_next_up_ends_as_if_nothing_had_happened(
    first: Scene | None,
    tmp_path_factory: pytest.TempPathFactory,
    subtests: pytest.Subtests,
    tally: Tally,
) -> None:
    snapshot = prepare_up(tmp_path_factory.mktemp("ups"), first, Scene().second())
    undisturbed = reference_up(snapshot)
    writes = [point for point in undisturbed.points if point.writes]
    points = [writes[len(writes) * place // POINTS] for place in range(min(POINTS, len(writes)))]

    def strike(point: Point) -> Verdict:
        return crash_up(snapshot, point, undisturbed.ending)

    judge("crash: up", points, strike, subtests, tally)
