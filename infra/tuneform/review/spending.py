"""Limits on cost as far as they can be judged from documents and data alone: no network, nothing live.

What Vertex AI has counted before is not known here, so that only what is over its limit by the low end of the estimate
is an error. What may be over it is a warning: the plan, which knows, holds the upper end against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tuneform.capabilities.prices import Money, PriceTable
from tuneform.datasets import Split
from tuneform.errors import Diagnostic
from tuneform.reconcile.cost import Cost, over_money, over_tokens
from tuneform.specs import Document, Tree, TuningJob
from tuneform.specs.lineage import base_model, parents


@dataclass(frozen=True)
class Size:
    """How many tokens one pass over a dataset's training examples is, between what and what."""

    tokens: int
    low: int
    high: int | None

    @classmethod
    def of(cls, split: Split) -> Size:
        """The size of a split."""
        return cls(split.tokens, *split.token_bounds)


def check_limits(
    tree: Tree, sizes: Mapping[tuple[str, str], Size], prices: PriceTable
) -> Iterator[Diagnostic]:
    """What is wrong with the limits of the TuningJobs; `sizes` has the datasets that could be read."""
    for job in tree.of(TuningJob):
        size = sizes.get((job.project, job.spec.dataset.ref))
        base = base_model(job.spec, parents(tree, job.project)) or ""
        price = prices.find(base)
        # An unknown size stands for none at all, which is over no limit: what is said then is about the price.
        cost = Cost(
            model=base,
            tokens=size.tokens if size else 0,
            low=size.low if size else 0,
            high=size.high if size else 0,
            epochs=job.spec.hyper_parameters.epoch_count,
            price=price,
        )
        yield from _judge(job, cost)


def _judge(job: Document[TuningJob], cost: Cost) -> Iterator[Diagnostic]:
    if cost.epochs is None:
        return  # said of the document itself (E170)
    tokens, money = job.spec.limits.max_billable_tokens, job.spec.limits.max_cost
    if (excess := over_tokens(cost, tokens)) is not None:
        code = "E171" if over_tokens(_least(cost), tokens) else "W171"
        yield _diagnostic(job, code, excess, "maxBillableTokens")
    most = Money.parse(money) if money else None
    if most is not None and (excess := over_money(cost, most)) is not None:
        no_price = cost.price is None or cost.price.currency != most.currency
        code = "E172" if no_price else "E171" if over_money(_least(cost), most) else "W171"
        yield _diagnostic(job, code, excess, "maxCost")


def _least(cost: Cost) -> Cost:
    """What it comes to at the very least."""
    return replace(cost, tokens=cost.low, high=cost.low)


def _diagnostic(job: Document[TuningJob], code: str, excess: tuple[str, str], limit: str) -> Diagnostic:
    reason, remedy = excess
    severity = "error" if code.startswith("E") else "warning"
    return job.diagnostic(code, reason, "spec", "limits", limit, hint=remedy, severity=severity)
