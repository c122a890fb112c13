"""Price tables: what is documented and what is not, and what is wrong with one that somebody wrote."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tuneform import capabilities
from tuneform.capabilities.prices import Money, Price, builtin, parse
from tuneform.errors import PriceErrors

PATH = Path("prices.toml")
ENTRY = """\
[prices."gemini-2.5-flash"]
training = 5.00
unit = "per million training tokens"
currency = "USD"
source = "our contract"
date = 2026-10-01
"""


def wrong(text: str) -> list[str]:
    with pytest.raises(PriceErrors) as caught:
        parse(text, PATH)
    return [f"{found.position}: {found.message}" for found in caught.value.diagnostics]


def test_no_document_states_a_price_so_none_is_built_in() -> None:
    # Whoever adds one here names its source and date, and changes this test.
    assert dict(builtin().prices) == {}
    assert all(builtin().find(name) is None for name in capabilities.built_in().models)


def test_an_entry_says_what_it_costs_in_what_and_who_says_so() -> None:
    price = parse(ENTRY, PATH).find("publishers/google/models/gemini-2.5-flash")
    assert price == Price("gemini-2.5-flash", "USD", Decimal("5.00"), "our contract", date(2026, 10, 1))
    assert str(price) == "5.00 USD per million training tokens (our contract, 2026-10-01)"
    assert price.of(1_500_000) == Money(Decimal("7.5"), "USD")


def test_the_users_table_extends_and_corrects_another() -> None:
    first = parse(ENTRY + ENTRY.replace("gemini-2.5-flash", "gemini-2.5-pro"), PATH)
    both = first.extended(parse(ENTRY.replace("5.00", "6"), PATH))
    found = {name: price.training for name, price in both.prices.items()}
    assert found == {"gemini-2.5-flash": 6, "gemini-2.5-pro": 5}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("training = 5.00\n", "", "prices.toml:1:1: gemini-2.5-flash: training is missing"),
        ("5.00", '"5.00"', "prices.toml:2:1: gemini-2.5-flash: training is not a number, such as 5.00"),
        ("5.00", "-1", "prices.toml:2:1: gemini-2.5-flash: training is not a number, such as 5.00"),
        ("5.00", "nan", "prices.toml:2:1: gemini-2.5-flash: training is not a number, such as 5.00"),
        ("5.00", "true", "prices.toml:2:1: gemini-2.5-flash: training is not a number, such as 5.00"),
        (
            "per million training tokens",
            "per thousand tokens",
            "prices.toml:3:1: gemini-2.5-flash: unit is not 'per million training tokens', the only unit there is",
        ),
        (
            '"USD"',
            '"$"',
            "prices.toml:4:1: gemini-2.5-flash: currency is not three capital letters, such as 'USD'",
        ),
        (
            '"our contract"',
            '" "',
            "prices.toml:5:1: gemini-2.5-flash: source is not a text that says where the price comes from",
        ),
        (
            "2026-10-01",
            '"2026-10-01"',
            "prices.toml:6:1: gemini-2.5-flash: date is not a date without quotes, such as 2026-10-01",
        ),
        (
            "2026-10-01",
            "2026-10-01T00:00:00Z",
            "prices.toml:6:1: gemini-2.5-flash: date is not a date without quotes, such as 2026-10-01",
        ),
        ("source =", "sorce =", "prices.toml:5:1: gemini-2.5-flash: unknown field 'sorce'"),
        ('[prices."gemini', '[price."gemini', "prices.toml:1:1: 'price' is not known here"),
        ("5.00", "5.00 USD", "prices.toml:2:17: not TOML: Expected newline or end of document after a statement"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, said: str) -> None:
    assert said in wrong(ENTRY.replace(old, new))


def test_a_table_on_one_line_has_its_places_too() -> None:
    text = "[prices]\n'gemini-2.5-flash' = {training = 5, unit = 'per token'}\n"
    assert wrong(text)[0] == (
        "prices.toml:2:1: gemini-2.5-flash: unit is not 'per million training tokens', the only unit there is"
    )


def test_all_that_is_wrong_is_said_at_once_with_the_line_and_a_hint() -> None:
    with pytest.raises(PriceErrors) as caught:
        parse(ENTRY.replace("currency", "curency"), PATH)
    assert caught.value.render() == (
        "prices.toml:4:1: error[E185]: gemini-2.5-flash: unknown field 'curency'\n"
        " 4 | curency = \"USD\"\n   | ^^^^^^^\n   = hint: did you mean 'currency'?\n\n"
        "prices.toml:1:1: error[E185]: gemini-2.5-flash: currency is missing\n"
        ' 1 | [prices."gemini-2.5-flash"]\n   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n'
        "   = hint: it is three capital letters, such as 'USD'"
    )


@pytest.mark.parametrize(
    "text", ["25", "25USD", "25 usd", "USD 25", "25.001 USD", "-1 USD", "1e3 USD", "25 $"]
)
def test_what_is_no_amount_of_money(text: str) -> None:
    assert Money.parse(text) is None


def test_money_is_said_to_the_cent_and_never_less_than_it_is() -> None:
    assert str(Money.parse("1200.5 EUR")) == "1,200.50 EUR"
    assert str(Money(Decimal("0.001"), "USD")) == "0.01 USD"
