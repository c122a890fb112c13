"""What a page says: curves in words for those who do not see them; numbers and times for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from tuneform.reconcile.live import Points
from tuneform.review.report.data import TuningPart

NOT_KNOWN = "–"


def figure(value: float | None) -> str:
    """A measurement: three digits are what can be compared."""
    if value is None:
        return NOT_KNOWN
    if not math.isfinite(value):
        return "not finite"
    return f"{value:.3f}" if abs(value) < 1_000 else f"{value:.3g}"


def share(value: float | None) -> str:
    """A share of one, in percent."""
    if value is None or not math.isfinite(value):
        return figure(value)
    return f"{value:.1%}"


def moment(when: datetime | None) -> str:
    """A time, to the minute."""
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else NOT_KNOWN


def lasting(took: timedelta | None) -> str:
    """A length of time."""
    if took is None:
        return NOT_KNOWN
    seconds = max(0, int(took.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def sentence(text: str) -> str:
    """A text that begins and ends as sentences do."""
    stripped = text.strip()
    is_address = "://" in stripped.rpartition(" ")[2]
    ended = stripped if is_address or stripped.endswith((".", "!", "?")) else f"{stripped}."
    return f"{stripped[:1].upper()}{ended[1:]}" if stripped else ""


def curve(part: TuningPart, measure: str) -> str:
    """A curve as it would be told over the telephone: first, best and last of each line, and what is chosen."""
    loss = measure == "loss"
    worded = figure if loss else share
    curves = part.curves
    lines = (
        ("training", curves.train_loss if loss else curves.train_accuracy),
        ("validation", curves.eval_loss if loss else curves.eval_accuracy),
    )
    said = [f"{measure.capitalize()} of {part.name} by {'epoch' if part.epochs and part.steps else 'step'}."]
    for name, points in lines:
        said += _line(part, name, points, loss=loss)
    chosen = next((one for one in part.checkpoints if one.chosen), None)
    if chosen is not None:
        value = chosen.eval_loss if loss else chosen.eval_accuracy
        measured = "" if value is None else f", validation {measure} {worded(value)}"
        said.append(f"Chosen: checkpoint {chosen.id}, epoch {chosen.epoch}{measured}.")
    return " ".join(said)


def _line(part: TuningPart, name: str, points: Points, *, loss: bool) -> Iterator[str]:
    worded = figure if loss else share
    finite = [point for point in points if math.isfinite(point[1])]
    if not points:
        yield f"There is no {name} line."
    if finite:
        best = min(finite, key=lambda point: point[1]) if loss else max(finite, key=lambda point: point[1])
        yield (
            f"{name.capitalize()}: {worded(finite[0][1])} at first, {'lowest' if loss else 'highest'} "
            f"{worded(best[1])} at {at(part, best[0])}, {worded(finite[-1][1])} at last."
        )
    if len(finite) < len(points):
        yield f"{len(points) - len(finite):,} of {len(points):,} {name} values are not finite and are not drawn."


def at(part: TuningPart, step: int) -> str:
    """Where a step is."""
    if not (part.epochs and part.steps):
        return f"step {step:,}"
    return f"epoch {step * part.epochs / part.steps:.3g}"
