"""What a job's loss curves come to: one verdict, and the numbers that it rests on.

Losses are taken epoch by epoch: of the training loss the mean over an epoch's steps, since single batches jump; of the
validation loss what was measured last in it. The validation loss decides where there is enough of it, because the
training loss falls on while a model learns its examples by heart. Thresholds are shares of the fall or of the loss
itself, so that the verdict does not depend on the unit of the loss. Google's guide ("Fine-tuning with the Gemini API",
recommended configurations) tells a plateau from a loss that still falls, and gives no numbers: the thresholds are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tuneform.reconcile.live import Curves, Points

Verdict = Literal["too few points", "diverging", "overfitting", "plateau", "still falling", "flat"]
SeriesName = Literal["validation loss", "training loss"]
Losses = Sequence[tuple[int, float]]
"""(epoch, loss), in the order of epochs."""

FEWEST = 3
"""Epochs without which nothing is said: two points are a line whatever the model does."""
LITTLE = 0.05
"""This share of the whole fall is not worth an epoch."""
RISE = 0.02
"""By this share of its lowest value a validation loss has risen, whatever it fell before."""
BACK = 0.25
"""When the training loss takes this share of its fall back, training has come apart."""
GROWTH = 0.1
"""So has it when an epoch's loss is above the first one's by this share of it, though it may come down again."""
STILL = 0.02
"""A loss that fell by no more than this share of itself has not learnt."""


@dataclass(frozen=True)
class Trend:
    """A verdict and its numbers, of the series that decided it.

    `first`, `before` and `last` are the losses of the first, the last but one and the last epoch; `lowest` is the
    least, at `lowest_epoch`; `settled` is the first epoch after which it hardly falls, with `settled_loss` there.
    `trained` holds the training loss at the first epoch, at `lowest_epoch` and at the last.
    """

    verdict: Verdict
    series: SeriesName
    epochs: int
    first: float
    before: float
    last: float
    lowest: float
    lowest_epoch: int
    settled: int
    settled_loss: float
    trained: tuple[float, float, float]
    rose: tuple[tuple[int, float], tuple[int, float]] | None = None
    """From which epoch and training loss to which it rose, where that is why it diverges."""

    @property
    def rest(self) -> float:
        """How much of the whole fall is left after the epoch where it settled, from 0 to 1."""
        fall = self.first - self.lowest
        return max(self.settled_loss - self.lowest, 0.0) / fall if fall > 0 else 0.0


def trend(curves: Curves, epochs: int, steps: int) -> Trend | None:
    """The verdict on a job's curves, None where there is no curve. `steps` is how many there are in all epochs."""
    trained = by_epoch(curves.train_loss, epochs, steps)
    if not trained:
        return None
    validated = _last_of(curves.eval_loss, epochs, steps)
    judged: tuple[SeriesName, Losses] = ("training loss", trained)
    if len(validated) >= FEWEST:
        judged = ("validation loss", validated)
    return _trend(*judged, trained, epochs)


def _trend(series: SeriesName, judged: Losses, trained: Losses, epochs: int) -> Trend:
    values = [loss for _, loss in judged]
    low = min(range(len(values)), key=lambda index: (_or_inf(values[index]), index))
    lowest = values[low]
    fall = values[0] - lowest
    # The first point from which nothing later is lower by more than a little.
    settled = next(
        (
            i
            for i, value in enumerate(values)
            if value - min(map(_or_inf, values[i:]), default=value) <= LITTLE * fall
        ),
        len(values) - 1,
    )
    rose = _rose(trained)
    return Trend(
        verdict=_verdict(series, values, len(trained), settled, diverges=rose is not None),
        rose=rose,
        series=series,
        epochs=epochs,
        first=values[0],
        before=values[-2] if len(values) > 1 else values[0],
        last=values[-1],
        lowest=lowest,
        lowest_epoch=judged[low][0],
        settled=judged[settled][0],
        settled_loss=values[settled],
        trained=(trained[0][1], _at(trained, judged[low][0]), trained[-1][1]),
    )


def _rose(trained: Losses) -> tuple[tuple[int, float], tuple[int, float]] | None:
    """Between which epochs the training loss came apart; None where it held together."""
    broken = next((point for point in trained if not math.isfinite(point[1])), None)
    if broken is not None:
        return trained[0], broken
    first, last = trained[0], trained[-1]
    highest = max(trained, key=lambda point: point[1])
    if highest[1] > (1 + GROWTH) * first[1]:
        return first, highest
    lowest = min(trained, key=lambda point: point[1])
    back = last[1] - lowest[1]
    return (lowest, last) if back > BACK * (first[1] - lowest[1]) + LITTLE * lowest[1] else None


def _verdict(
    series: SeriesName, values: Sequence[float], epochs: int, settled: int, *, diverges: bool
) -> Verdict:
    if epochs < FEWEST:
        return "too few points"
    if diverges or not all(map(math.isfinite, values)):
        return "diverging"
    lowest = min(values)
    fall, rise = values[0] - lowest, values[-1] - lowest
    if series == "validation loss" and rise > max(LITTLE * fall, RISE * lowest):
        return "overfitting"
    if fall <= STILL * values[0]:
        return "flat"
    return "plateau" if settled < len(values) - 1 else "still falling"


def by_epoch(points: Points, epochs: int, steps: int) -> list[tuple[int, float]]:
    """The mean of each epoch that has points."""
    found: dict[int, list[float]] = {}
    for step, value in points:
        found.setdefault(_epoch(step, epochs, steps or points[-1][0]), []).append(value)
    return [(epoch, sum(values) / len(values)) for epoch, values in sorted(found.items())]


def _last_of(points: Points, epochs: int, steps: int) -> list[tuple[int, float]]:
    found = {_epoch(step, epochs, steps or points[-1][0]): value for step, value in points if step > 0}
    return sorted(found.items())


def _epoch(step: int, epochs: int, steps: int) -> int:
    """The epoch that a step, counted from 1, belongs to."""
    return min(max(math.ceil(step * epochs / steps), 1), epochs) if steps and epochs else 1


def _at(losses: Losses, epoch: int) -> float:
    """The loss of an epoch, or of the last one before it."""
    return next((loss for at, loss in reversed(losses) if at <= epoch), losses[0][1])


def _or_inf(value: float) -> float:
    return value if math.isfinite(value) else math.inf
