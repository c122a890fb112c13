"""What a plan costs: the object of each action, and the totals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

from tuneform.capabilities.prices import Price
from tuneform.reconcile.actions import Action, Create, Measure, Promote, Wait
from tuneform.reconcile.cost import Cost, Questions
from tuneform.review import costs

COST = Cost("gemini-2.5-flash", 300_000, 250_000, 400_000, 4)
PRICE = Price("gemini-2.5-flash", "USD", Decimal(5), "our contract", date(2026, 10, 1))
PRICED = replace(COST, price=PRICE)
ASKED = Questions(200, 9_000)


def create(cost: Cost) -> Create:
    return Create("r1-aa", 1, "first", cost)


def test_without_a_price_money_is_null_and_the_tokens_have_their_ends() -> None:
    assert costs.as_object(create(COST)) == {
        "tokens": 1_200_000,
        "usd": None,
        "low": None,
        "high": None,
        "basis": "estimate from the dataset; price unknown",
        "tokensLow": 1_000_000,
        "tokensHigh": 1_600_000,
        "tokensPerEpoch": 300_000,
        "epochs": 4,
        "exact": False,
        "price": None,
        "money": None,
    }


def test_with_a_price_money_has_its_ends_and_the_price_its_source() -> None:
    shown = json.loads(json.dumps(costs.as_object(create(PRICED))))
    assert [shown[name] for name in ("usd", "low", "high")] == [6.0, 5.0, 8.0]
    assert shown["basis"] == (
        "estimate from the dataset; 5 USD per million training tokens (our contract, 2026-10-01)"
    )
    assert shown["price"] == {
        "perMillionTrainingTokens": 5.0,
        "currency": "USD",
        "source": "our contract",
        "date": "2026-10-01",
    }
    assert shown["money"] == {"currency": "USD", "amount": 6.0, "low": 5.0, "high": 8.0}


def test_another_currency_is_not_called_dollars() -> None:
    shown = costs.as_object(create(replace(COST, price=replace(PRICE, currency="EUR"))))
    assert [shown[name] for name in ("usd", "low", "high")] == [None, None, None]
    assert shown["money"]["currency"] == "EUR"


def test_what_nobody_knows_is_null() -> None:
    shown = costs.as_object(create(replace(PRICED, epochs=None)))
    assert [shown[name] for name in ("tokens", "tokensLow", "tokensHigh", "epochs")] == [
        None,
        250_000,
        None,
        None,
    ]
    assert [shown[name] for name in ("usd", "low", "high")] == [None, 1.25, None]
    assert "Vertex AI chooses the number of epochs" in shown["basis"]


def test_what_the_gate_asks_is_a_cost_of_its_own() -> None:
    for action in (Promote("r1-aa", "j", "1", "why", questions=ASKED), Measure("r1-aa", "1", "why", ASKED)):
        shown = costs.as_object(action)
        assert (shown["tokens"], shown["questions"], shown["questionTokens"]) == (0, 200, 9_000)
        assert shown["usd"] is None
    priced = replace(ASKED, price=replace(PRICE, input=Decimal(1), output=Decimal(10)))
    shown = costs.as_object(Promote("r1-aa", "j", "1", "why", questions=priced))
    assert (shown["low"], shown["high"]) == (0.009, 0.09)


def test_what_trains_and_asks_nothing_costs_nothing() -> None:
    for action in (Wait("r1-aa", "j"), Promote("r1-aa", "j", "1", "put back", gated=False)):
        assert costs.as_object(action) == {
            "tokens": 0,
            "usd": 0.0,
            "low": 0.0,
            "high": 0.0,
            "basis": "nothing is trained",
        }


def totals(*actions: Action) -> str:
    return str(costs.totals(actions))


def test_totals_add_up_what_all_jobs_bill() -> None:
    assert totals(Wait("r", "j")) == ""
    assert totals(create(COST), create(COST)) == (
        "About 2.4 M tokens to train on (2.0 M to 3.2 M); the price of gemini-2.5-flash is unknown."
    )
    assert totals(create(PRICED), create(PRICED)) == (
        "About 2.4 M tokens to train on (2.0 M to 3.2 M); about 12.00 USD (10.00 USD to 16.00 USD)."
    )


def test_totals_keep_currencies_apart_and_name_what_has_no_price() -> None:
    euros = replace(COST, price=replace(PRICE, currency="EUR", training=Decimal(4)))
    other = replace(COST, model="gemini-2.5-pro")
    assert totals(create(euros), create(PRICED), create(other)).endswith(
        "; about 4.80 EUR (4.00 EUR to 6.40 EUR) and about 6.00 USD (5.00 USD to 8.00 USD) "
        "and the price of gemini-2.5-pro is unknown."
    )


def test_totals_that_are_exact_say_no_about() -> None:
    counted = Cost("gemini-2.5-flash", 300_000, 300_000, 300_000, 4, counted=True, price=PRICE)
    assert totals(create(counted)) == "1.2 M tokens to train on; 6.00 USD."


def test_totals_say_whose_epochs_are_open() -> None:
    opened = replace(PRICED, epochs=None)
    assert totals(create(opened)) == (
        "About 300 k tokens to train on (at least 250 k). Its number of epochs is Vertex AI's choice, and one is "
        "counted here; at least 1.25 USD."
    )
    assert "Of 1, the number of epochs is Vertex AI's choice" in totals(create(opened), create(COST))


def test_totals_count_what_gates_ask() -> None:
    promote = Promote("r1-aa", "j", "1", "why", questions=ASKED)
    assert totals(promote, promote) == "Gates ask 400 questions, about 18 k tokens."


def test_totals_as_an_object() -> None:
    shown = json.loads(json.dumps(costs.totals([create(PRICED), create(COST)]).as_object()))
    assert shown == {
        "jobs": 2,
        "tokens": 2_400_000,
        "usd": 6.0,
        "low": 5.0,
        "high": 8.0,
        "tokensLow": 2_000_000,
        "tokensHigh": 3_200_000,
        "money": [{"currency": "USD", "amount": 6.0, "low": 5.0, "high": 8.0}],
        "priceUnknown": ["gemini-2.5-flash"],
        "epochsOpen": 0,
        "questions": 0,
        "questionTokens": 0,
    }
