"""Several projects, or one, being applied: side by side, stopped in order, and told of one below another."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from rich.console import Console
from rich.text import Text

from tuneform.entrypoints.cli.reconciling import planfile, results, several
from tuneform.entrypoints.cli.reconciling.connecting import Asked
from tuneform.entrypoints.cli.reconciling.progress import Followed
from tuneform.entrypoints.cli.reconciling.several import Failed, Planned
from tuneform.entrypoints.cli.reconciling.showing import print_json
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock, Stopped
from tuneform.reconcile.execute import Interrupted, Outcome
from tuneform.reconcile.execute import apply as perform
from tuneform.review import several as together

STOPPED = 130


@dataclass(frozen=True)
class Wish:
    """What a command line asks of `apply`. `plans` are those of the plan file to be applied, none for specs."""

    asked: Asked
    plans: tuple[planfile.PlanFile, ...]
    yes: bool
    wait: bool
    json: bool
    at_once: int

    def plan_of(self, project: str) -> planfile.PlanFile | None:
        """The plan that was saved of a project."""
        return next((plan for plan in self.plans if plan.project["name"] == project), None)


@dataclass(frozen=True)
class Ended:
    """A project that was worked on, with what each of its tunings has come to."""

    planned: Planned
    outcome: Outcome
    told: tuple[results.Line, ...]


def perform_each(
    plans: Sequence[Planned | Failed], wish: Wish, clock: StoppableClock, listener: Followed, where: Console
) -> list[Ended | Failed]:
    """Do it, side by side, and end the command where it was told to stop, once every project has come to rest."""

    def work(planned: Planned | Failed) -> Ended | Failed | None:
        if isinstance(planned, Failed):
            return planned
        if clock.stopped:
            return None
        found = planned.found
        try:
            outcome = perform(found.ports, found.desired, wait=wish.wait, supply=found.supply)
        except (Interrupted, Stopped):
            return None
        return Ended(planned, outcome, results.lines(found, planned.plan, outcome))

    with clock.listening(), listener.shown():
        ended = several.each(plans, lambda one: one.name, work, wish.at_once)
    if None in ended:
        _say_stopped(listener, wish, where)
        sys.exit(STOPPED)
    found = [one for one in ended if one is not None]
    if len(found) == 1 and isinstance(found[0], Failed):
        raise found[0].error
    return found


def _say_stopped(listener: Followed, wish: Wish, where: Console) -> None:
    where.print("\nStopped. Nothing that was begun is lost:" if listener.running else "\nStopped.")
    for identity, progress in sorted(listener.running.items()):
        if not progress.state.ended:
            where.print(f"  {identity}: {progress.job} goes on ({progress})", soft_wrap=True)
    again = f"tuneform apply {wish.asked.path or ''}".rstrip()
    where.print(f"To go on from there: {again}", soft_wrap=True)


def tell(ended: Sequence[Ended | Failed], wish: Wish, where: Console) -> None:
    """What became of each project, and of all of them."""
    many = len(ended) > 1
    for one in ended:
        if many:
            where.print("")
            several.heading(one.name if isinstance(one, Failed) else one.planned.name, where)
        if isinstance(one, Failed):
            several.show_failed(one, where)
        elif one.planned.plan.changes:
            if not many:
                where.print("")
            results.show(one.outcome, one.told, one.planned.found, where)
        elif many:
            where.print("Nothing was to be done.")
    if many:
        _tell_together(ended, where)
    if wish.json:
        shown = [
            (one.name, one.error)
            if isinstance(one, Failed)
            else (
                one.planned.name,
                results.as_object(one.outcome, one.planned.plan.stamp, one.told, one.planned.found),
            )
            for one in ended
        ]
        print_json(several.as_object(shown) if many else cast("Mapping[str, Any]", shown[0][1]))


def _tell_together(ended: Sequence[Ended | Failed], where: Console) -> None:
    """What was done in all projects, in a sentence."""
    done = [one for one in ended if isinstance(one, Ended)]
    bad = len(ended) - sum(not one.outcome.failures for one in done)
    counts = together.summed((results.summary(one.outcome) for one in done), bad)
    text = f"All {len(ended)} projects: {results.done_words(counts)}{together.failing(bad)}"
    where.print(Text(f"\n{text}", style="bold"), soft_wrap=True)
