"""The projects of a tree, each looked at, planned and worked on by itself, side by side, and shown in one order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console
from rich.text import Text

from tuneform.entrypoints.cli.beside import side_by_side
from tuneform.entrypoints.cli.reconciling import judging
from tuneform.entrypoints.cli.reconciling.connecting import Opened, Opening
from tuneform.entrypoints.cli.reconciling.showing import show_plan
from tuneform.entrypoints.doors.telling import Judgement
from tuneform.errors import SpecErrors, TuneformError
from tuneform.reconcile.data_changes import DatasetDifference
from tuneform.reconcile.plan import Plan
from tuneform.review import several as review

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Planned:
    """A project that was looked at, with its plan, advice on it, and what policies say of it where that is shown."""

    found: Opened
    plan: Plan
    advised: tuple[str, ...] = ()
    judgement: Judgement | None = None
    datasets: tuple[DatasetDifference, ...] = ()

    @property
    def name(self) -> str:
        """The Project's name."""
        return self.plan.project.name

    @property
    def denied(self) -> bool:
        """Whether policies forbid what it would do."""
        return self.judgement is not None and bool(self.judgement.denied)


@dataclass(frozen=True)
class Failed:
    """A project that something is wrong with; the others go on."""

    name: str
    error: TuneformError


def each(
    things: Sequence[T], name: Callable[[T], str], work: Callable[[T], R], at_once: int
) -> list[R | Failed]:
    """What the work comes to for each of the things, in their order; one that fails stops no other."""
    waits = side_by_side([lambda thing=thing: work(thing) for thing in things], at_once)  # type: ignore[misc]
    results: list[R | Failed] = []
    for thing, wait in zip(things, waits, strict=True):
        try:
            results.append(wait())
        except TuneformError as error:
            results.append(Failed(name(thing), error))
    return results


def plans(
    openings: Sequence[Opening], plan: Callable[[Opening], Planned], at_once: int
) -> list[Planned | Failed]:
    """Plan each project. What is wrong with the only one is raised.

    Raises:
        TuneformError: there is one project, and this is wrong with it.
    """
    results = each(openings, lambda opening: opening.name, plan, at_once)
    if len(results) == 1 and isinstance(results[0], Failed):
        raise results[0].error
    return results


def forbidden(planned: Planned | Failed) -> Planned | Failed:
    """The project as failed where policies forbid what it would do: nothing is done in it."""
    if isinstance(planned, Failed) or planned.judgement is None or not planned.denied:
        return planned
    return Failed(planned.name, SpecErrors(planned.judgement.denied))


def heading(name: str, where: Console) -> None:
    """The line above what is about one project."""
    where.print(Text(f"Project {name}", style="bold underline"))


def show_failed(failed: Failed, where: Console) -> None:
    """What is wrong with a project, as a person sees it."""
    where.print(failed.error.render(), markup=False, soft_wrap=True)


def show_plans(results: Sequence[Planned | Failed], where: Console) -> None:
    """The plans in words, one project below another; of several with what they come to together."""
    for result in results:
        if len(results) > 1:
            heading(result.name, where)
        if isinstance(result, Failed):
            show_failed(result, where)
        else:
            show_plan(result.plan, result.found.scope, where, result.advised, result.datasets)
            if result.judgement is not None:
                judging.show(result.judgement, where)
        if len(results) > 1:
            where.print("")
    if len(results) > 1:
        made = [result.plan for result in results if isinstance(result, Planned)]
        text = review.sentence(made, len(results) - len(made))
        where.print(Text(text, style="bold"), soft_wrap=not where.is_terminal)


def as_object(
    results: Sequence[tuple[str, Mapping[str, Any] | TuneformError]],
) -> dict[str, Any]:
    """Several projects for programs: what one alone would be, with its name, or its error."""
    shown = [
        {"project": name, "error": review.error_object(found)}
        if isinstance(found, TuneformError)
        else {"project": name, **found}
        for name, found in results
    ]
    summaries = [found["summary"] for _, found in results if not isinstance(found, TuneformError)]
    return {"projects": shown, "summary": review.summed(summaries, len(results) - len(summaries))}
