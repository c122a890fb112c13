"""How plans are shown: for people on a terminal or in a pipe, as Markdown, as one JSON object."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from tuneform.entrypoints.cli.reconciling.scope import Scope
from tuneform.reconcile.actions import Blocked
from tuneform.reconcile.data_changes import DatasetDifference
from tuneform.reconcile.plan import Plan
from tuneform.review import dataset_differences
from tuneform.review import plan as review
from tuneform.review.fitting import GITHUB, GITLAB
from tuneform.review.pull_request import Review, markdown

Format = Literal["text", "json", "markdown"]


def console(*, stderr: bool = False) -> Console:
    """A console that knows whether it is a terminal, and about NO_COLOR."""
    return Console(stderr=stderr, highlight=False)


def print_json(value: Mapping[str, Any]) -> None:
    """One object to stdout, and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def show_plan(
    plan: Plan,
    scope: Scope,
    where: Console,
    advised: Sequence[str] = (),
    datasets: Sequence[DatasetDifference] = (),
) -> None:
    """A plan in words, with what differs in its datasets, its warnings, and advice."""
    review.show(plan, scope.place, where)
    for difference in datasets:
        where.print(Text(review.shortened(dataset_differences.sentence(difference))), soft_wrap=True)
    show_warnings(plan, where)
    for text in advised:
        where.print(Text(f"advice: {text}"), soft_wrap=True)


def comment(reviews: Sequence[Review], path: Path) -> str:
    """The plans for a pull request, marked with the path of the specs, by which the comment is found again."""
    limit = GITLAB if os.environ.get("GITLAB_CI") else GITHUB
    return markdown(reviews, about=path.as_posix(), limit=limit)


def show_warnings(plan: Plan, where: Console) -> None:
    """What is questionable about a plan."""
    for warning in review.renames(plan):
        where.print(Text(f"warning: {warning}", style="yellow"), soft_wrap=True)


def is_blocked(plan: Plan) -> bool:
    """Whether some of what is asked for cannot be done."""
    return any(isinstance(entry.action, Blocked) for entry in review.entries(plan))
