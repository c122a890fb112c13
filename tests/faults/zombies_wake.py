"""A run that is paused at one of its calls, loses its lease, and wakes when another one has done its work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from tests.faults.endings import Complaint
from tests.faults.faults_bench import QUICK, Beginning
from tests.faults.points import Point

from tuneform.reconcile.holders import LEASE
from tuneform_emulator.traffic.calls import Calls
from tuneform_emulator.world import Settings


@dataclass(frozen=True)
class Woken:
    """What came of one pause. `reached` is False when the run ended without coming to the call."""

    point: Point
    reached: bool
    wrong: tuple[Complaint, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.point), *map(str, self.wrong)])


def pause(begin: Beginning, point: Point, settings: Settings = QUICK) -> Woken:
    """Pause a run at a call, let its lease pass and another run go to its end; then wake it."""
    with begin.bench(settings) as bench:
        barriers = bench.controls.barriers
        sleeper = bench.applier(begin.wanted)
        place = Calls(method=point.method, path=point.path, nth=point.nth, caller=sleeper.caller)
        key = barriers.set_up(place, point.when)
        sleeper.start()
        bench.until(lambda: bool(barriers.held()) or sleeper.is_over())
        reached = bool(barriers.held())
        bench.clock.ahead += LEASE + timedelta(seconds=1)
        other = bench.apply(begin.wanted)
        wrong = [] if other.well else [Complaint("unfinished", f"the other one stopped: {other.errors}")]
        barriers.remove(key)
        wrong += [*sleeper.wait().complaints(), *begin.complaints(bench)]
    return Woken(replace(point), reached, tuple(wrong))
