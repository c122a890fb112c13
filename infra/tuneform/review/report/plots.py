"""Curves as matplotlib figures. The same data gives the same bytes: no dates, no random ids, nobody's settings.

Lines differ in shape as well as in colour: training is a plain line in the band between its lowest and highest values,
validation is dashed with dots, and the chosen checkpoint is a star on a line of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from tuneform.reconcile.live import Points
from tuneform.review.report.data import CheckpointPart, TuningPart

if TYPE_CHECKING:  # a second to load
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure = Literal["loss", "accuracy"]
DRAWN = 120
"""Points of a line: of more, means of consecutive ones are drawn."""
SIZE = (5.2, 2.9)
DPI = 160
SALT = "tuneform"
TICK = 2
"""matplotlib's name for a mark that stands upon its place."""
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": SALT,
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "path.simplify_threshold": 0.2,
}


@dataclass(frozen=True)
class Palette:
    """The colours of a figure, as `#rrggbb`."""

    ink: str
    faint: str
    training: str
    validation: str
    chosen: str
    paper: str


PRINTED = Palette("#1b2430", "#d5dae1", "#1d5fb8", "#b3440c", "#1b2430", "#ffffff")
"""For files: dark on white."""


@dataclass(frozen=True)
class Line:
    """A line with the scatter around it, and where it cannot be drawn left out."""

    at: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


def draws(part: TuningPart, measure: Measure) -> bool:
    """Whether there is anything to draw."""
    return any(math.isfinite(value) for line in _points(part, measure) for _, value in line)


def as_svg(part: TuningPart, measure: Measure, palette: Palette) -> str:
    """The figure as SVG, its text as text."""
    made = BytesIO()
    with _own_settings():
        drawn = _figure(part, measure, palette, title="")
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawn.savefig(made, format="svg", transparent=True, metadata=nothing)
    return made.getvalue().decode()


def as_png(part: TuningPart, measure: Measure) -> bytes:
    """The figure as a PNG, with a title, since it goes about alone."""
    made = BytesIO()
    with _own_settings():
        title = (
            f"{part.name}: {measure}  ({part.seen.wanted})" if part.seen.wanted else f"{part.name}: {measure}"
        )
        drawn = _figure(part, measure, PRINTED, title=title)
        drawn.savefig(made, format="png", dpi=DPI, facecolor=PRINTED.paper, metadata={"Software": None})
    return made.getvalue()


@contextmanager
def _own_settings() -> Iterator[None]:
    """matplotlib as it comes, whatever the user's settings file says, with ours over it; put back afterwards."""
    import warnings  # noqa: PLC0415

    import matplotlib  # noqa: PLC0415

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # names may be in any script
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def _figure(part: TuningPart, measure: Measure, palette: Palette, *, title: str) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    training, validation = _points(part, measure)
    _axes(axes, part, measure, palette)
    _band(axes, _line(part, training), palette)
    _dots(axes, _line(part, validation), palette)
    _limits(axes, measure)
    for one in part.checkpoints:
        _checkpoint(axes, part, one, palette, measure)
    if axes.get_legend_handles_labels()[0]:
        place: dict[str, Any] = {
            "loc": "outside upper left",
            "ncols": 3,
            "frameon": False,
            "alignment": "left",
        }
        shape: dict[str, Any] = {
            "fontsize": 9,
            "columnspacing": 1.4,
            "handlelength": 2.2,
            "title_fontsize": 11,
        }
        legend = figure.legend(**place, **shape, labelcolor=palette.ink, title=title or None)
        legend.get_title().set_color(palette.ink)
    return figure


def _points(part: TuningPart, measure: Measure) -> tuple[Points, Points]:
    curves = part.curves
    if measure == "loss":
        return curves.train_loss, curves.eval_loss
    return curves.train_accuracy, curves.eval_accuracy


def _line(part: TuningPart, points: Points) -> Line:
    finite = [point for point in points if math.isfinite(point[1])]
    size = max(1, math.ceil(len(finite) / DRAWN))
    groups = [finite[start : start + size] for start in range(0, len(finite), size)]
    values = [[value for _, value in group] for group in groups]
    return Line(
        at=[_x(part, sum(step for step, _ in group) / len(group)) for group in groups],
        mean=[sum(group) / len(group) for group in values],
        low=[min(group) for group in values],
        high=[max(group) for group in values],
    )


def _x(part: TuningPart, step: float) -> float:
    """Epochs, where they are settled: people set those. Else steps."""
    return step * part.epochs / part.steps if part.epochs and part.steps else step


def _axes(axes: Axes, part: TuningPart, measure: Measure, palette: Palette) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # noqa: PLC0415

    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.ink)
    axes.grid(axis="y", color=palette.faint, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="both", colors=palette.ink, length=0, pad=5)
    axes.set_xlabel("epoch" if part.epochs and part.steps else "step", color=palette.ink)
    axes.set_ylabel(measure, color=palette.ink)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    if measure == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _band(axes: Axes, line: Line, palette: Palette) -> None:
    if not line.at:
        return
    axes.fill_between(line.at, line.low, line.high, color=palette.training, alpha=0.18, linewidth=0)
    dot = "o" if len(line.at) == 1 else ""
    axes.plot(line.at, line.mean, color=palette.training, linewidth=2, marker=dot, label="training")


def _dots(axes: Axes, line: Line, palette: Palette) -> None:
    if line.at:
        style: dict[str, Any] = {"linestyle": (0, (4, 2)), "marker": "o", "markersize": 5}
        axes.plot(line.at, line.mean, color=palette.validation, linewidth=1.6, label="validation", **style)


def _limits(axes: Axes, measure: Measure) -> None:
    """Both measures begin at nothing, so that a small change does not look like a large one."""
    highest = 1.0 if measure == "accuracy" else max(axes.get_ylim()[1], 1e-6)
    axes.set_ylim(0, highest * 1.04)
    left, right = axes.get_xlim()
    axes.set_xlim(min(0.0, left), right)


def _checkpoint(
    axes: Axes, part: TuningPart, one: CheckpointPart, palette: Palette, measure: Measure
) -> None:
    at = _x(part, one.step)
    if not one.chosen:
        axes.plot([at], [0], marker=TICK, color=palette.ink, markersize=5, clip_on=False)
        return
    values = (one.eval_loss, one.train_loss) if measure == "loss" else (one.eval_accuracy, one.train_accuracy)
    value = next((value for value in values if value is not None and math.isfinite(value)), None)
    axes.axvline(at, color=palette.chosen, linewidth=1, linestyle=(0, (1, 2)))
    label = f"chosen: checkpoint {one.id}" if one.id else "chosen"
    spot = [value] if value is not None else [0.0]
    axes.plot(
        [at], spot, marker="*", markersize=15, color=palette.chosen, linestyle="none", label=label,
        markeredgecolor=palette.paper, markeredgewidth=1, clip_on=False, zorder=5,
    )  # fmt: skip
