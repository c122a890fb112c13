"""The verdicts of a sweep as subtests, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from tests.faults.crash import Verdict, sweep
from tests.faults.points import Point
from tests.faults.tally import Tally

Strike = Callable[[Point], Verdict]


def judge(
    name: str, points: Sequence[Point], strike: Strike, subtests: pytest.Subtests, tally: Tally
) -> None:
    """Try the points, one subtest each; calls that were not needed this time are skipped, and may not be many."""
    assert points
    verdicts = []
    for verdict in sweep(points, strike):
        verdicts.append(verdict)
        with subtests.test(msg=str(verdict.point)):
            if not verdict.reached and not verdict.wrong:
                pytest.skip("this time the run made fewer such calls")
            assert not verdict.wrong, str(verdict)
    reached = sum(verdict.reached for verdict in verdicts)
    tally(name, points=len(points), disturbed=reached, complaints=[v.wrong for v in verdicts if v.wrong])
    assert reached >= 0.9 * len(points), "most of the points are reached"
