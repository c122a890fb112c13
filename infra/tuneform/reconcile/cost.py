"""What a paid attempt costs: the tokens that are billed, between what and what, and their price where it is known.

Tokens of one pass are an estimate with bounds (`datasets.tokens`), or exact where a job on the same data with the same
base model has run before: Vertex AI then says how many it counted. It bills them once for every epoch ("About
supervised fine-tuning for Gemini models", 2026-09-25). That page also says that it chooses a number of epochs by the
size of the dataset where none is set, and no document says by what rule, or up to how many: then only the cost of one
epoch is known, and no limit can be kept.

Limits are judged by the upper end. They are there to prevent a bill, so that stopping a job which would have fitted is
the lesser harm: the limit can be raised, money does not come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tuneform.capabilities import PUBLISHER
from tuneform.capabilities.prices import MILLION, Money, Price

if TYPE_CHECKING:  # `check` needs none of it, and is to be quick
    from tuneform.reconcile.desired import Content, Gate, Limits, Tuning
    from tuneform.reconcile.observe import ObservedTuning


@dataclass(frozen=True)
class Cost:
    """Tokens of one pass, between `low` and `high` (None: no upper end is known), and how many passes are made.

    `model` is the base model. `epochs` is None where Vertex AI chooses; `counted` says that Vertex AI counted the
    tokens, so that the three are one; `price` is None where it is unknown.
    """

    model: str
    tokens: int
    low: int
    high: int | None
    epochs: int | None
    counted: bool = False
    price: Price | None = None

    @property
    def billed(self) -> int | None:
        """The tokens that would be billed, as estimated or known."""
        return self.tokens * self.epochs if self.epochs else None

    @property
    def least(self) -> int:
        """The fewest tokens that may be billed: there is one epoch at least."""
        return self.low * (self.epochs or 1)

    @property
    def most(self) -> int | None:
        """The most tokens that may be billed; None where nobody knows."""
        return self.high * self.epochs if self.epochs and self.high is not None else None

    def money(self, tokens: int | None) -> Money | None:
        """What so many tokens cost, where their price is known."""
        return None if self.price is None or tokens is None else self.price.of(tokens)

    def __str__(self) -> str:
        return f"{self._tokens()}, {self._money()}"

    def _tokens(self) -> str:
        if self.epochs is None:
            about = f"{self.tokens:,}" if self.counted else f"about {short(self.tokens)}"
            return f"{about} tokens an epoch{self._between(1)}, and Vertex AI chooses how many epochs"
        if self.counted:
            once = f"{self.tokens:,} an epoch × {self.epochs}, as Vertex AI counted them before"
            return f"{self.tokens * self.epochs:,} tokens ({once})"
        return f"about {short(self.tokens * self.epochs)} tokens{self._between(self.epochs)}"

    def _between(self, epochs: int) -> str:
        if self.counted:
            return ""
        if self.high is None:
            return f" (at least {short(self.low * epochs)}; what is not text is not counted)"
        return f" ({short(self.low * epochs)} to {short(self.high * epochs)})"

    def _money(self) -> str:
        money = self.money(self.billed)
        if self.price is None:
            return "price unknown"
        if money is None:
            return f"{self.price.of(self.tokens)} an epoch"
        least, most = self.money(self.least), self.money(self.most)
        if self.counted or least is None:
            return str(money)
        return f"about {money} ({least} to {most})" if most else f"about {money} (at least {least})"


def cost(tuning: Tuning, observed: ObservedTuning) -> Cost:
    """What the next attempt at a tuning costs."""
    data, epochs, price = tuning.training, tuning.hyper_parameters.epoch_count, tuning.price
    counted = _counted(tuning, observed)
    model = _model(tuning.base_model) or "an unknown base model"
    if counted is not None:
        return Cost(model, counted, counted, counted, epochs, counted=True, price=price)
    return Cost(model, data.tokens, data.tokens_low, data.tokens_high, epochs, price=price)


def _counted(tuning: Tuning, observed: ObservedTuning) -> int | None:
    """The tokens of one pass as Vertex AI counted them for an earlier job with the same data and base model."""
    base, file = _model(tuning.base_model), _file(tuning.training.uri)
    for job in observed.jobs:
        record = observed.records.get(job.revision)
        same = record is not None and _file(record.training) == file and _model(job.base_model) == base
        if same and job.billable_tokens:
            return job.billable_tokens
    return None


def _model(name: str) -> str:
    return name.removeprefix(PUBLISHER)


def _file(uri: str) -> str:
    """The last part of a dataset object's name, which is the digest of what it holds."""
    return uri.rpartition("/")[2]


def over(cost: Cost, limits: Limits) -> tuple[str, str] | None:
    """Why an attempt would not keep to its limits, with a remedy; None where it does."""
    return over_tokens(cost, limits.max_billable_tokens) or over_money(cost, limits.max_cost)


def over_tokens(cost: Cost, limit: int | None) -> tuple[str, str] | None:
    """The same of `limits.maxBillableTokens` alone."""
    if limit is None:
        return None
    name = f"limits.maxBillableTokens {limit:,}"
    if cost.most is None:
        return _unbounded(cost, name)
    if cost.most <= limit:
        return None
    if cost.counted:
        return f"it would bill {cost.most:,} tokens, over {name}", _LESS
    billed = cost.tokens * (cost.epochs or 1)
    words = f"it would bill about {billed:,} tokens and up to {cost.most:,}, over {name}"
    return words, _LESS if cost.least > limit else f"{_LESS}; a limit is held against the upper end"


def over_money(cost: Cost, limit: Money | None) -> tuple[str, str] | None:
    """The same of `limits.maxCost` alone."""
    if limit is None:
        return None
    name = f"limits.maxCost {limit}"
    if cost.price is None:
        return f"{name} cannot be kept: the price of the base model is unknown", _PRICE
    if cost.price.currency != limit.currency:
        there = f"{name} cannot be kept: the price is known in {cost.price.currency}"
        return there, f"write the limit in {cost.price.currency}, or give a price in {limit.currency}"
    money = cost.money(cost.most)
    if money is None:
        return _unbounded(cost, name)
    if money.amount <= limit.amount:
        return None
    least = cost.money(cost.least)
    upto = "" if cost.counted else "up to "
    certain = cost.counted or (least is not None and least.amount > limit.amount)
    words = f"it would cost {upto}{money}, over {name}"
    return words, _LESS if certain else f"{_LESS}; a limit is held against the upper end"


_LESS = "raise the limit, or train on less data or for fewer epochs"
_PRICE = "name a price table with the setting `prices`, or limit tokens with maxBillableTokens"


def _unbounded(cost: Cost, name: str) -> tuple[str, str]:
    if cost.epochs is None:
        why = "Vertex AI chooses the number of epochs where none is set, and no document says up to how many"
        return f"{name} cannot be kept: {why}", "set hyperParameters.epochCount"
    why = "no upper end of its tokens is known, since images, audio and documents are not counted"
    return (
        f"{name} cannot be kept: {why}",
        "leave the limit out for the first job; then Vertex AI has counted them",
    )


@dataclass(frozen=True)
class Questions:
    """What a gate asks a tuned model: how many questions, and about how many tokens they and their answers are."""

    asked: int
    tokens: int
    price: Price | None = None

    @property
    def money(self) -> tuple[Money, Money] | None:
        """Between what and what they cost: how many of the tokens are answers is not known beforehand."""
        price = self.price
        if price is None or price.input is None or price.output is None:
            return None
        ends = sorted((price.input, price.output))
        low, high = (Money(Decimal(self.tokens) * each / MILLION, price.currency) for each in ends)
        return low, high

    def __str__(self) -> str:
        money = "price unknown" if self.money is None else f"{self.money[0]} to {self.money[1]}"
        return f"{self.asked:,} questions, about {short(self.tokens)} tokens, {money}"


def questions(gate: Gate, test: Content | None, price: Price | None) -> Questions | None:
    """What one measurement of a gate asks; None where it asks nothing."""
    others = (gate.eval_loss_at_most, gate.eval_accuracy_at_least)
    compares = gate.no_worse_than_serving and others == (None, None)
    if not (compares or gate.exact_match_at_least is not None) or test is None or not test.examples:
        return None
    asked = min(gate.exact_match_examples or test.examples, test.examples)
    return Questions(asked, round(test.tokens * asked / test.examples), price)


def short(count: int) -> str:
    """A count for people: 950, 12 k, 1.2 M."""
    if count < 1_000:
        return str(count)
    if count < 1_000_000:
        return f"{count / 1_000:.0f} k"
    return f"{count / 1_000_000:.1f} M"
