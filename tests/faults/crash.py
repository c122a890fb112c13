"""A run killed at one of its calls, then a plain re-run, and what is wrong afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.faults.appliers import Appliers, Run
from tests.faults.endings import Complaint, Ending, complaints, ending, sound
from tests.faults.points import Point, points_of, reach
from tests.faults.stage import APPLY, Snapshot, Stage

SIDE_BY_SIDE = 3
"""Points tried at once: most of a point's time is waiting."""


@dataclass(frozen=True)
class Reference:
    """An undisturbed run: every point of it, and where it ends."""

    points: tuple[Point, ...]
    ending: Ending


@dataclass(frozen=True)
class Verdict:
    """What came of one point. `reached` is False when the run ended without coming there."""

    point: Point
    reached: bool
    wrong: tuple[Complaint, ...] = ()

    def __str__(self) -> str:
        return "\n".join([str(self.point), *map(str, self.wrong)])


def reference(snapshot: Snapshot) -> Reference:
    """Run once, undisturbed; fails unless that ends as it should."""
    with snapshot.stage() as stage:
        stage.does(*APPLY)
        points = points_of(stage.control.log())
        unsettled = settled(stage)
        found = ending(stage.world)
        wrong = [*unsettled, *sound(found, snapshot.wanted.endpoint)]
        assert not wrong, "\n".join(map(str, wrong))
    return Reference(tuple(points), found)


def settled(stage: Stage) -> list[Complaint]:
    """What is wrong unless a plan has nothing to do."""
    plan = stage.plan()
    return [] if plan.code == 0 else [Complaint("unfinished", f"plan says {plan.code}: {plan.text}")]


def go_on(stage: Stage, wanted: Ending) -> list[Complaint]:
    """Run again, and say what is wrong then."""
    again = stage.apply()
    if again.code != 0:
        return [Complaint("unfinished", f"the re-run ended with {again.code}: {again.text}")]
    return [*settled(stage), *complaints(ending(stage.world), wanted)]


def crash(snapshot: Snapshot, point: Point, wanted: Ending, appliers: Appliers | None = None) -> Verdict:
    """Kill a run at a point (before: the call never happens; after: its answer never arrives), and run again."""
    with snapshot.stage() as stage:
        control = stage.control
        barrier = control.hold(point.when, **point.calls)
        run = stage.start(*APPLY, appliers=appliers)
        held = reach(control, run)
        if held is None:
            return unreached(point, run)
        run.kill()
        control.release(held.id, "drop" if point.when == "before" else "proceed")
        control.remove(barrier)
        return Verdict(point, True, tuple(go_on(stage, wanted)))


def late(snapshot: Snapshot, point: Point, wanted: Ending) -> Verdict:
    """Kill a run while a call is on its way, run again, let the call arrive, and run once more."""
    with snapshot.stage() as stage:
        control = stage.control
        barrier = control.hold("before", **point.calls)
        run = stage.start(*APPLY)
        held = reach(control, run)
        if held is None:
            return unreached(point, run)
        run.kill()
        before = stage.apply()
        control.release(held.id)
        control.remove(barrier)
        wrong = [*_ended_well(before.code, before.text), *go_on(stage, wanted)]
        return Verdict(point, True, tuple(wrong))


def _ended_well(code: int, text: str) -> Iterator[Complaint]:
    if code != 0:
        yield Complaint("unfinished", f"the re-run ended with {code}: {text}")


def unreached(point: Point, run: Run) -> Verdict:
    """The run ended without such a call: how often one looks at a job, and so what one sees to do, is a matter of time.

    It has to have ended well; how many points may be missed is `judging`'s to say.
    """
    ended = run.wait()
    wrong = f"the run ended with {ended.code} before {point}: …{ended.text[-600:]}"
    return Verdict(point, False, (Complaint("unfinished", wrong),) if ended.code else ())


def sweep(points: Sequence[Point], strike: Callable[[Point], Verdict]) -> Iterator[Verdict]:
    """Try every point, a few side by side; the verdicts come in the points' order. A run that hangs is one too."""

    def bounded(point: Point) -> Verdict:
        try:
            return strike(point)
        except TimeoutError as error:
            return Verdict(point, True, (Complaint("unfinished", str(error)),))

    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        yield from pool.map(bounded, points)
    finally:
        pool.shutdown(cancel_futures=True)
