"""Loss curves for a terminal.

Importing this module imports plotext, which takes a few tenths of a second: import it where a curve is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

import plotext

Points = Sequence[tuple[float, float]]

NARROWEST, LOWEST = 24, 8  # below, axes and labels leave no room for a curve
_BLOCKS = "▁▂▃▄▅▆▇█"
# Told apart by shape, so that they are without colour as well: the first is drawn as a line, the others as marks.
_LINE_SYMBOL = "⠤"
_MARKS = ("x", "o", "+")
_COLOURS = ("blue", "orange", "green", "red")
_ANSI = {"blue": 34, "orange": 33, "green": 32, "red": 31}
_COLUMNS_PER_TICK = 12


def loss_curve(series: Mapping[str, Points], *, width: int, height: int, colour: bool) -> str:
    """A plot of loss over steps, with a legend: lines of at most `width` characters, `height` of them.

    `series` maps a name to (step, loss) points; points that are not finite are left out. The first series is drawn
    as a line, the others as marks. With `colour` the text holds ANSI codes, else none. Where there is no room for
    axes, each series becomes a line with a sparkline and its last value; without any point the text says so.
    """
    finite = {
        name: [point for point in points if all(map(math.isfinite, point))] for name, points in series.items()
    }
    drawn = {name: sorted(points) for name, points in finite.items() if points}
    if not drawn:
        return "no loss recorded yet"
    if width < NARROWEST or height < LOWEST:
        return _lines(drawn, width)
    return f"{_legend(list(drawn), width, colour=colour)}\n{_plot(drawn, width, height - 1, colour=colour)}"


def sparkline(values: Sequence[float]) -> str:
    """One character per value, from the lowest block for the smallest to the full block for the largest.

    Values that are not finite are spaces; values that are all the same are all lowest.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return " " * len(values)
    low = min(finite)
    # Halved, because the difference of two finite floats may not be finite.
    half_span = max(finite) / 2 - low / 2
    return "".join(_block(value, low, half_span) for value in values)


def _block(value: float, low: float, half_span: float) -> str:
    if not math.isfinite(value):
        return " "
    part = (value / 2 - low / 2) / half_span if half_span > 0 else 0.0
    return _BLOCKS[round(part * (len(_BLOCKS) - 1))]


def _plot(drawn: Mapping[str, Points], width: int, height: int, *, colour: bool) -> str:
    # The size is the caller's to choose: stdout may be a file, and a terminal another than the process's own.
    plotext.terminal.limit(width=False, height=False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    styles = zip(_COLOURS, (None, *_MARKS), strict=True)
    for points, (hue, mark) in zip(drawn.values(), cycle(styles), strict=False):
        steps, losses = [step for step, _ in points], [loss for _, loss in points]
        marker = plotext.marker(mark or "braille", pixel=hue)
        figure.draw(figure.signal(steps, losses, marker=marker).lines(mark is None))
    figure.label("step")
    figure.ruler("x").ticks(_ticks(drawn, width))
    text: str = figure.build().string(colorless=not colour)
    figure.clear()
    return "\n".join(line.rstrip() for line in text.splitlines())


def _ticks(drawn: Mapping[str, Points], width: int) -> list[int]:
    """Whole steps, evenly over the range: a step has no fraction."""
    steps = [step for points in drawn.values() for step, _ in points]
    first, last = math.floor(min(steps)), math.ceil(max(steps))
    gaps = max(1, min(last - first, width // _COLUMNS_PER_TICK))
    return sorted({first + (last - first) * index // gaps for index in range(gaps + 1)})


def _legend(names: Sequence[str], width: int, *, colour: bool) -> str:
    """What each symbol stands for, cut to `width` before colour is put on."""
    shown, room = ["loss"], width - len("loss")
    for name, hue, symbol in zip(names, cycle(_COLOURS), cycle((_LINE_SYMBOL, *_MARKS)), strict=False):
        entry = f"  {symbol} {name}"[:room]
        room -= len(entry)
        shown.append(f"\x1b[{_ANSI[hue]}m{entry}\x1b[0m" if colour and entry else entry)
    return "".join(shown)


def _lines(drawn: Mapping[str, Points], width: int) -> str:
    rows = []
    for name, points in drawn.items():
        head, tail = f"{name} ", f" {points[-1][1]:.4g}"
        room = max(1, width - len(head) - len(tail))
        stride = math.ceil(len(points) / room)
        rows.append(
            f"{head}{sparkline([loss for _, loss in points[::-stride]][::-1])}{tail}"[: max(width, 1)]
        )
    return "\n".join(rows)
