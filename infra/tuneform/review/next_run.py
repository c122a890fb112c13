"""What to try in the next run, from the curve of the last one: in words with numbers, and as an object."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tuneform.capabilities import Capabilities
from tuneform.capabilities.prices import Price
from tuneform.reconcile.cost import short
from tuneform.reconcile.live import Curves, Job
from tuneform.review.trend import FEWEST, Trend, Verdict, trend

GUIDE = 'Gemini API, "Fine-tuning with the Gemini API": recommended configurations'
FEW_EXAMPLES = 100
HIGH = 0.5
"""Where so much of the first training loss is left at the end, a larger adapter may learn more."""
SIZES = (
    "ADAPTER_SIZE_ONE",
    "ADAPTER_SIZE_TWO",
    "ADAPTER_SIZE_FOUR",
    "ADAPTER_SIZE_EIGHT",
    "ADAPTER_SIZE_SIXTEEN",
    "ADAPTER_SIZE_THIRTY_TWO",
)


@dataclass(frozen=True)
class NextRun:
    """Advice about the next run of a tuning. A setting of None is left as it is."""

    trend: Trend
    text: tuple[str, ...]
    epoch_count: int | None = None
    learning_rate_multiplier: float | None = None
    adapter_size: str | None = None

    @property
    def verdict(self) -> Verdict:
        """What the curve does."""
        return self.trend.verdict

    def as_object(self) -> dict[str, Any]:
        """The same for programs."""
        seen = self.trend
        return {
            "verdict": self.verdict,
            "text": list(self.text),
            "try": {
                name: value
                for name, value in (
                    ("epochCount", self.epoch_count),
                    ("learningRateMultiplier", self.learning_rate_multiplier),
                    ("adapterSize", self.adapter_size),
                )
                if value is not None
            },
            "numbers": {
                "series": seen.series,
                "epochs": seen.epochs,
                "first": _finite(seen.first),
                "last": _finite(seen.last),
                "lowest": _finite(seen.lowest),
                "lowestEpoch": seen.lowest_epoch,
                "settledEpoch": seen.settled,
                "settledLoss": _finite(seen.settled_loss),
                "trainingLoss": [_finite(loss) for loss in seen.trained],
            },
            "source": GUIDE,
        }


def next_run(
    job: Job,
    curves: Curves,
    *,
    examples: int | None = None,
    price: Price | None = None,
    ranks: Sequence[int] = (),
) -> NextRun | None:
    """What to try next, from the curves of a job that has succeeded; None where there is nothing to go by.

    `examples` is how many there are to train on, None where that is not known; `price` is the base model's, if it is
    known; `ranks` are the adapter sizes that it is documented to take, none where that is unknown.
    """
    if not job.succeeded:
        return None
    seen = trend(curves, job.epochs, job.steps)
    if seen is None:
        return None
    return _Advice(job, seen, examples, price, tuple(ranks)).made()


def ranks_of(known: Capabilities, base_model: str, method: str = "SUPERVISED") -> tuple[int, ...]:
    """The adapter sizes that a base model is documented to take, none where that is unknown."""
    model = known.find(base_model)
    return (model.method(method).adapter_sizes.value or ()) if model is not None else ()


@dataclass(frozen=True)
class _Advice:
    job: Job
    seen: Trend
    examples: int | None
    price: Price | None
    ranks: tuple[int, ...]

    def made(self) -> NextRun:
        seen = self.seen
        match seen.verdict:
            case "too few points":
                return NextRun(seen, (self._few(),))
            case "diverging":
                return NextRun(seen, (self._diverging(),), learning_rate_multiplier=self._rate(0.5))
            case "overfitting":
                few = self.examples is not None and self.examples < FEW_EXAMPLES
                rate = self._rate(0.5) if few else None
                return NextRun(
                    seen,
                    tuple(self._overfitting(rate)),
                    epoch_count=seen.lowest_epoch if seen.lowest_epoch > 1 else None,
                    learning_rate_multiplier=rate,
                )
            case "flat":
                return NextRun(seen, (self._flat(),), learning_rate_multiplier=self._rate(2))
            case "plateau":
                size = self._larger()
                return NextRun(seen, tuple(self._plateau(size)), epoch_count=seen.settled, adapter_size=size)
            case "still falling":
                more = seen.epochs + max(1, math.ceil(seen.epochs / 2))
                return NextRun(seen, (self._falling(more),), epoch_count=more)

    def _few(self) -> str:
        seen = self.seen
        return (
            f"too few points: {_epochs(seen.epochs)} of training say nothing about the next run; "
            f"{FEWEST} or more would"
        )

    def _diverging(self) -> str:
        seen = self.seen
        what = f"the {seen.series} is no number any more"
        if seen.rose is not None:
            (one, before), (other, after) = seen.rose
            to = f"{after:.3g}" if math.isfinite(after) else "something that is no number any more"
            what = f"the training loss rose from {before:.3g} at epoch {one} to {to} at epoch {other}"
        return (
            f"diverging: {what}, and ended at {seen.trained[2]:.3g}; a lower learningRateMultiplier keeps it "
            f"together: {self._rate(0.5):g} is half of what it was"
        )

    def _overfitting(self, rate: float | None) -> Iterator[str]:
        seen = self.seen
        _, then, last = seen.trained
        meanwhile = f"while the training loss went from {then:.3g} to {last:.3g}"
        there = f"; there are {self.examples:,}" if self.examples is not None else ""
        more = f"More and more varied examples help further{there}"
        if seen.lowest_epoch == 1:
            yield (
                f"overfitting: the {seen.series} rose from {seen.lowest:.3g} at epoch 1 to {seen.last:.3g} at epoch "
                f"{seen.epochs}, {meanwhile}: the examples are learnt by heart, and nothing that holds for others. "
                f"See whether the answers follow from the questions. {more}"
            )
        else:
            yield (
                f"overfitting: the {seen.series} was lowest at epoch {seen.lowest_epoch} ({seen.lowest:.3g}) and is "
                f"{seen.last:.3g} at epoch {seen.epochs}, {meanwhile}; epochCount: {seen.lowest_epoch} stops "
                f"there{self._saved(seen.lowest_epoch)}. {more}"
            )
        if rate is not None:
            yield (
                f"fewer than {FEW_EXAMPLES} examples want a smaller learning rate: "
                f"learningRateMultiplier: {rate:g}"
            )

    def _flat(self) -> str:
        seen = self.seen
        return (
            f"flat: the {seen.series} hardly moved in {_epochs(seen.epochs)} ({seen.first:.3g} to {seen.last:.3g}); "
            "see whether the answers follow from the questions, then try a higher learningRateMultiplier: "
            f"{self._rate(2):g} is twice what it was"
        )

    def _plateau(self, size: str | None) -> Iterator[str]:
        seen = self.seen
        yield (
            f"plateau: the {seen.series} hardly falls after epoch {seen.settled} ({seen.first:.3g} at first, "
            f"{seen.settled_loss:.3g} there, {seen.lowest:.3g} at best later: {seen.rest:.0%} of the whole fall); "
            f"epochCount: {seen.settled} would do{self._saved(seen.settled)}"
        )
        if size is not None:
            first, _, last = seen.trained
            yield (
                f"the training loss stayed high ({last:.3g}, {last / first:.0%} of what it began with): on a complex "
                f"task a larger adapter may learn more than further epochs would: adapterSize: {size}"
            )

    def _falling(self, more: int) -> str:
        seen = self.seen
        share = (seen.before - seen.last) / (seen.first - seen.last)
        each = self._tokens(1)
        cost = f"; every epoch bills {each} more" if each else ""
        return (
            f"still falling: the {seen.series} went from {seen.first:.3g} to {seen.last:.3g} in "
            f"{_epochs(seen.epochs)}, {share:.0%} of that in the last one; more may help: epochCount: {more}{cost}"
        )

    def _saved(self, epochs: int) -> str:
        fewer = self.seen.epochs - epochs
        tokens = self._tokens(fewer)
        saved = f", {tokens} less" if tokens else ""
        return f", {_epochs(fewer)} fewer{saved}" if fewer > 0 else ""

    def _tokens(self, epochs: int) -> str:
        """What so many epochs bill, with the money where its price is known."""
        if not self.job.billable_tokens:
            return ""
        billed = self.job.billable_tokens * epochs
        money = f" ({self.price.of(billed)})" if self.price else ""
        return f"{short(billed)} tokens{money}"

    def _rate(self, times: float) -> float:
        return (self.job.learning_rate_multiplier or 1.0) * times

    def _larger(self) -> str | None:
        """The next adapter size, where the training loss stayed high and the model takes a larger one."""
        first, _, last = self.seen.trained
        now = self.job.adapter_size
        if last <= HIGH * first or now not in SIZES:
            return None
        larger = [size for size in SIZES[SIZES.index(now) + 1 :] if 2 ** SIZES.index(size) in self.ranks]
        return larger[0] if larger else None


def _epochs(count: int) -> str:
    return f"{count} epoch" if count == 1 else f"{count} epochs"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
