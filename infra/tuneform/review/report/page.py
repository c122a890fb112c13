"""The page: the data through jinja2 templates that lie beside this module. Whatever is not ours is escaped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tuneform.errors import Diagnostic
from tuneform.review.report import words
from tuneform.review.report.data import CheckpointPart, Picture, Report, TuningPart

if TYPE_CHECKING:  # loaded where a page is made
    from jinja2 import Environment

SYMBOLS = {"good": "✓", "busy": "…", "warn": "!", "bad": "✗", "quiet": "○"}
"""What goes before a state, for those who do not see its colour. It repeats the word, so that no one hears it."""


@dataclass(frozen=True)
class Column:
    """A column of measurements: its head, the field of a checkpoint that it shows, and how."""

    title: str
    field: str
    worded: Callable[[float | None], str]

    def text(self, one: CheckpointPart) -> str:
        """What it says of a checkpoint."""
        return self.worded(getattr(one, self.field))


COLUMNS = (
    Column("Training loss", "train_loss", words.figure),
    Column("Training accuracy", "train_accuracy", words.share),
    Column("Validation loss", "eval_loss", words.figure),
    Column("Validation accuracy", "eval_accuracy", words.share),
    Column("Exact match", "exact_match", words.share),
)


def columns_of(tuning: TuningPart) -> list[Column]:
    """The columns in which anything is measured."""
    return [
        column
        for column in COLUMNS
        if any(getattr(one, column.field) is not None for one in tuning.checkpoints)
    ]


def grouped(warnings: Iterable[Diagnostic]) -> list[tuple[Diagnostic, list[str]]]:
    """Each warning once, with all the places that it is about."""
    found: dict[tuple[str, str, str], tuple[Diagnostic, list[str]]] = {}
    for one in warnings:
        _, places = found.setdefault((one.code, one.message, one.hint), (one, []))
        if one.position is not None:
            places.append(f"{one.position}")
    return list(found.values())


def page(report: Report, drawn: Iterable[Picture]) -> str:
    """One HTML page that needs nothing else: no script, no network, no other file."""
    by_tuning: dict[tuple[str, str], list[Picture]] = defaultdict(list)
    for picture in drawn:
        by_tuning[picture.project, picture.tuning].append(picture)
    attention = [(p, t) for p in report.projects for t in p.tunings if t.standing.wants_a_look]
    attention.sort(key=lambda one: one[1].standing.tone != "bad")
    template = _environment().get_template("page.html")
    made = template.render(
        report=report,
        pictures=by_tuning,
        attention=attention,
        broken=len(report.judged.blocking) if report.judged else 0,
        warnings=grouped(report.warnings),
    )
    return "\n".join(line.rstrip() for line in made.splitlines() if line.strip()) + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    made = Environment(
        loader=PackageLoader("tuneform.review.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["symbols"] = SYMBOLS
    made.globals["not_known"] = words.NOT_KNOWN
    made.globals["columns_of"] = columns_of
    made.filters |= {
        "figure": words.figure,
        "share": words.share,
        "moment": words.moment,
        "lasting": words.lasting,
        "sentence": words.sentence,
        "thousands": _thousands,
        # Of SVG alone, which is made with an XML writer.
        "drawn": lambda picture: Markup(picture.svg),  # noqa: S704
    }
    return made


def _thousands(count: Any) -> str:
    return words.NOT_KNOWN if count is None else f"{count:,}"
