"""What a new job would bill, by the estimate: the arithmetic of `reconcile.cost`, which a pack does not carry along.

A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tuneform.policy.shapes.values import UNKNOWN, part

_MILLION = Decimal(1_000_000)


def cost(training: Any, epochs: Any, price: Any) -> Any:
    """The variable `cost`, of the training split's counts, the epochs (None: Vertex AI chooses) and a price."""
    counts = [part(training, name) for name in ("tokens", "tokensLow", "tokensHigh")]
    tokens, low, high = counts
    if any(one is UNKNOWN for one in (*counts, epochs, price)) or tokens is None or low is None:
        return UNKNOWN
    billed = {
        "tokens": tokens * epochs if epochs else None,
        "tokensLow": low * (epochs or 1),
        "tokensHigh": high * epochs if epochs and high is not None else None,
    }
    return {**billed, "epochs": epochs, **_money(billed, price)}


def _money(billed: Mapping[str, Any], price: Any) -> dict[str, Any]:
    rate = part(price, "training")
    if rate is UNKNOWN or part(price, "currency") is UNKNOWN:
        return dict.fromkeys(("amount", "low", "high", "currency"), UNKNOWN)
    if rate is None:
        return {}
    names = {"amount": "tokens", "low": "tokensLow", "high": "tokensHigh"}
    amounts = {
        name: float(Decimal(str(rate)) * tokens / _MILLION)
        for name, count in names.items()
        if (tokens := billed[count]) is not None
    }
    return {"currency": price["currency"], **amounts}
