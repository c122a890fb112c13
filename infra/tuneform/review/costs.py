"""What a plan costs, for people and programs: each action's tokens and money, and the totals of the project."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tuneform.capabilities.prices import Money
from tuneform.reconcile.actions import Action, Create, Measure, Promote
from tuneform.reconcile.cost import Cost, Questions, short

_NOTHING = {"tokens": 0, "usd": 0.0, "low": 0.0, "high": 0.0, "basis": "nothing is trained"}


def as_object(action: Action) -> dict[str, Any]:
    """What one action costs. `usd`, `low` and `high` are money in US dollars, and null where that is not known.

    Of a training, and of what a gate asks, more is said: the bounds of the tokens, and money in its own currency.
    """
    match action:
        case Create(cost=cost):
            return _training(cost)
        case Promote(questions=Questions() as asked) | Measure(questions=Questions() as asked):
            return _asking(asked)
        case _:
            return dict(_NOTHING)


def _training(cost: Cost) -> dict[str, Any]:
    money, least, most = (cost.money(tokens) for tokens in (cost.billed, cost.least, cost.most))
    return {
        "tokens": cost.billed,
        **_dollars(money, least, most),
        "basis": _basis(cost),
        "tokensLow": cost.least,
        "tokensHigh": cost.most,
        "tokensPerEpoch": cost.tokens,
        "epochs": cost.epochs,
        "exact": cost.counted and cost.epochs is not None,
        "price": _price(cost),
        "money": _amounts(money, least, most),
    }


def _basis(cost: Cost) -> str:
    parts = [
        "tokens as Vertex AI counted them for an earlier job on the same data"
        if cost.counted
        else "estimate from the dataset"
    ]
    if cost.high is None:
        parts.append("what is not text is not counted")
    if cost.epochs is None:
        parts.append("Vertex AI chooses the number of epochs, so that only one epoch is known")
    parts.append("price unknown" if cost.price is None else str(cost.price))
    return "; ".join(parts)


def _price(cost: Cost) -> dict[str, Any] | None:
    price = cost.price
    if price is None:
        return None
    per = {"perMillionTrainingTokens": float(price.training), "currency": price.currency}
    return {**per, "source": price.source, "date": price.date.isoformat()}


def _asking(asked: Questions) -> dict[str, Any]:
    low, high = asked.money or (None, None)
    known = "price unknown" if asked.money is None else str(asked.price)
    basis = (
        f"nothing is trained; {asked.asked:,} questions of the gate, about {asked.tokens:,} tokens; {known}"
    )
    return {
        "tokens": 0,
        **_dollars(None, low, high),
        "basis": basis,
        "questions": asked.asked,
        "questionTokens": asked.tokens,
        "money": _amounts(None, low, high),
    }


def _dollars(*money: Money | None) -> dict[str, float | None]:
    amounts = (float(m.amount) if m is not None and m.currency == "USD" else None for m in money)
    return dict(zip(("usd", "low", "high"), amounts, strict=True))


def _amounts(*money: Money | None) -> dict[str, Any] | None:
    known = [m for m in money if m is not None]
    if not known:
        return None
    amounts = (None if m is None else float(m.amount) for m in money)
    return {"currency": known[0].currency, **dict(zip(("amount", "low", "high"), amounts, strict=True))}


@dataclass(frozen=True)
class Totals:
    """What all new jobs of a plan cost together. Where Vertex AI chooses the epochs of a job, one is counted.

    `least` and `most` are tokens, `most` None where no upper end is known; `money` is by currency, and of those jobs
    whose price is known; `unpriced` are the base models of the others, `chosen` how many leave their epochs open.
    """

    jobs: int
    tokens: int
    least: int
    most: int | None
    money: Mapping[str, tuple[Money, Money, Money | None]]
    unpriced: tuple[str, ...]
    chosen: int
    questions: int
    question_tokens: int

    def as_object(self) -> dict[str, Any]:
        """The same for programs; of money in US dollars the sum of what has a price in them."""
        return {
            "jobs": self.jobs,
            "tokens": self.tokens,
            **_dollars(*self.money.get("USD", (None, None, None))),
            "tokensLow": self.least,
            "tokensHigh": self.most,
            "money": [_amounts(*ends) for ends in self.money.values()],
            "priceUnknown": list(self.unpriced),
            "epochsOpen": self.chosen,
            "questions": self.questions,
            "questionTokens": self.question_tokens,
        }

    def __str__(self) -> str:
        """One or two sentences; empty where nothing is paid for."""
        sentences = [f"{self._training()}; {self._money()}."] if self.jobs else []
        if self.questions:
            sentences.append(
                f"Gates ask {self.questions:,} questions, about {short(self.question_tokens)} tokens."
            )
        return " ".join(sentences)

    def _training(self) -> str:
        exact = self.most == self.least and not self.chosen
        span = "" if exact else f" (at least {short(self.least)})"
        if self.most is not None and not exact:
            span = f" ({short(self.least)} to {short(self.most)})"
        chosen = ""
        if self.chosen:
            which = "Its" if self.jobs == 1 else f"Of {self.chosen:,}, the"
            chosen = f". {which} number of epochs is Vertex AI's choice, and one is counted here"
        return f"{'' if exact else 'About '}{short(self.tokens)} tokens to train on{span}{chosen}"

    def _money(self) -> str:
        parts = [
            f"{money}" if low == high else f"about {money} ({low} to {high})" if high else f"at least {low}"
            for money, low, high in self.money.values()
        ]
        if self.unpriced:
            parts.append(f"the price of {', '.join(self.unpriced)} is unknown")
        return " and ".join(parts)


def totals(actions: Iterable[Action]) -> Totals:
    """The totals of a plan's actions, with what is foreseen."""
    found = list(actions)
    created = [action.cost for action in found if isinstance(action, Create)]
    asking = [a.questions for a in found if isinstance(a, Promote | Measure) and a.questions]
    ends = [cost.most for cost in created]
    return Totals(
        jobs=len(created),
        tokens=sum(cost.billed or cost.tokens for cost in created),
        least=sum(cost.least for cost in created),
        most=None if None in ends else sum(end for end in ends if end is not None),
        money=_sums([cost for cost in created if cost.price is not None]),
        unpriced=tuple(sorted({cost.model for cost in created if cost.price is None})),
        chosen=sum(cost.epochs is None for cost in created),
        questions=sum(questions.asked for questions in asking),
        question_tokens=sum(questions.tokens for questions in asking),
    )


def _sums(costs: Iterable[Cost]) -> dict[str, tuple[Money, Money, Money | None]]:
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    open_: set[str] = set()
    for cost in costs:
        assert cost.price is not None
        currency = cost.price.currency
        ends = (cost.billed or cost.tokens, cost.least, cost.most)
        for index, tokens in enumerate(ends):
            if tokens is None:
                open_.add(currency)
            else:
                sums[currency][index] += cost.price.of(tokens).amount
    return {
        currency: (
            Money(amount, currency),
            Money(low, currency),
            None if currency in open_ else Money(high, currency),
        )
        for currency, (amount, low, high) in sorted(sums.items())
    }
