"""All pictures of a report: inline SVG for the page, PNG for files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneform.review.report import plots, svg, words
from tuneform.review.report.data import Picture, Report, TuningPart

_MEASURES: tuple[plots.Measure, ...] = ("loss", "accuracy")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def pictures(report: Report, *, png: bool = False) -> tuple[Picture, ...]:
    """The curves of every tuning that has some, in the order of the page; as files too, with `png`."""
    return tuple(
        picture
        for number, project in enumerate(report.projects, 1)
        for index, tuning in enumerate(project.tunings, 1)
        for picture in _of(project.name, tuning, f"c{number}-{index}", png=png)
    )


def _of(project: str, tuning: TuningPart, prefix: str, *, png: bool) -> Iterator[Picture]:
    for measure in _MEASURES:
        if not plots.draws(tuning, measure):
            continue
        said = words.curve(tuning, measure)
        drawn = plots.as_svg(tuning, measure, svg.MARKERS)
        yield Picture(
            project=project,
            tuning=tuning.name,
            measure=measure,
            title=f"{measure.capitalize()} of {tuning.name}",
            words=said,
            svg=svg.inline(drawn, prefix=f"{prefix}-{measure}", words=said),
            png=plots.as_png(tuning, measure) if png else b"",
        )


def file_name(picture: Picture) -> str:
    """A name for its file. Names hold no dots, so that no two pictures of a report share one."""
    parts = (picture.project, picture.tuning, picture.measure)
    return ".".join(_UNSAFE.sub("_", part) for part in parts) + ".png"
