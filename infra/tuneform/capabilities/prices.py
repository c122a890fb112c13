"""What training costs, as dated and sourced data: the built-in table (prices.toml), or one that a user keeps.

A price that nobody documents is not there: it is unknown, which is another thing than nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_UP, Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from tuneform.capabilities.lines import position
from tuneform.capabilities.values import PUBLISHER
from tuneform.errors import Diagnostic, Position, PriceErrors, SettingsError

UNIT = "per million training tokens"
MILLION = Decimal(1_000_000)
MONEY = re.compile(r"(?P<amount>[0-9]{1,12}(?:\.[0-9]{1,2})?) (?P<currency>[A-Z]{3})")
_CURRENCY = re.compile("[A-Z]{3}")
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Money:
    """An amount in a currency, named by its three letters (ISO 4217)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """To the cent, rounded up: what is charged is never said to be less."""
        return f"{self.amount.quantize(_CENT, ROUND_UP):,} {self.currency}"

    @classmethod
    def parse(cls, text: str) -> Money | None:
        """What `25 USD` or `12.50 EUR` says; None for anything else."""
        match = MONEY.fullmatch(text)
        return cls(Decimal(match["amount"]), match["currency"]) if match else None


@dataclass(frozen=True)
class Price:
    """What a million training tokens of a base model cost, who says so, and when that was.

    `input` and `output` are of a million tokens that its tuned models are asked with and answer with, None where
    unknown.
    """

    model: str
    currency: str
    training: Decimal
    source: str
    date: date
    input: Decimal | None = None
    output: Decimal | None = None

    def of(self, tokens: int) -> Money:
        """What training on so many tokens costs."""
        return Money(self.training * tokens / MILLION, self.currency)

    def __str__(self) -> str:
        return f"{self.training:,f} {self.currency} {UNIT} ({self.source}, {self.date.isoformat()})"


@dataclass(frozen=True)
class PriceTable:
    """Prices by base model."""

    prices: Mapping[str, Price]

    def find(self, model: str) -> Price | None:
        """The price of a base model, named shortly or as `publishers/google/models/…`; None where it is unknown."""
        return self.prices.get(model.removeprefix(PUBLISHER))

    def extended(self, more: PriceTable) -> PriceTable:
        """The table with entries of another added, which win."""
        return PriceTable({**self.prices, **more.prices})


@cache
def builtin() -> PriceTable:
    """The prices that come with tuneform."""
    path = Path(__file__).with_name("prices.toml")
    return parse(path.read_text(encoding="utf-8"), path)


def read(file: Path) -> PriceTable:
    """The table in a file.

    Raises:
        SettingsError: the file cannot be read.
        PriceErrors: everything that is wrong with it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"the price table {str(file)!r} cannot be read: {why}",
            remedy="name a TOML file with --prices, TUNEFORM_PRICES or the setting `prices`",
        ) from error
    return parse(text, file)


def parse(text: str, path: Path) -> PriceTable:
    """A price table from TOML; `path` is where errors say that it lies.

    Raises:
        PriceErrors: everything that is wrong with it.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (1, 1)
        message, excerpt = f"not TOML: {str(error).partition(' (at ')[0]}", text.splitlines()[line - 1 : line]
        place = Position(path, line, column)
        raise PriceErrors([Diagnostic("E185", message, place, "", "".join(excerpt))]) from error
    table = _Table(text, path)
    prices = dict(table.read(data))
    if table.found:
        raise PriceErrors(table.found)
    return PriceTable(prices)


class _Table:
    """Reads the entries of a table and gathers what is wrong with them."""

    def __init__(self, text: str, path: Path) -> None:
        self.found: list[Diagnostic] = []
        self._text, self._path = text, path

    def read(self, data: Mapping[str, Any]) -> Iterator[tuple[str, Price]]:
        for name in sorted(data.keys() - {"prices"}):
            self._report(f"{name!r} is not known here", name, hint="entries are [prices.MODEL] tables")
        entries = data.get("prices", {})
        if not isinstance(entries, dict):
            self._report("prices is a table of tables", "prices", hint='write [prices."gemini-2.5-flash"]')
            return
        for name, entry in entries.items():
            if not isinstance(entry, dict):
                self._report(f"{name}: an entry is a table", "prices", name, hint=f'write [prices."{name}"]')
                continue
            price = self._entry(name, entry)
            if price is not None:
                yield name, price

    def _entry(self, model: str, entry: Mapping[str, Any]) -> Price | None:
        before = len(self.found)
        for name in entry:
            if name not in _FIELDS:
                near = get_close_matches(name, _FIELDS, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(_FIELDS)}"
                self._report(f"{model}: unknown field {name!r}", "prices", model, name, hint=hint)
        values: dict[str, Any] = {}
        for name, field in _FIELDS.items():
            if name not in entry:
                if field.required:
                    self._report(f"{model}: {name} is missing", "prices", model, hint=f"it is {field.form}")
                continue
            values[name] = field.read(entry[name])
            if values[name] is None:
                self._report(f"{model}: {name} is not {field.form}", "prices", model, name)
        if len(self.found) > before:
            return None
        del values["unit"]
        return Price(model=model, **values)

    def _report(self, message: str, *path: str, hint: str = "") -> None:
        place, line, length = position(self._path, self._text, path)
        self.found.append(Diagnostic("E185", message, place, hint, line, length))


@dataclass(frozen=True)
class _Field:
    """A field of an entry: what it must be, in words, and what reads it (None for what it must not be)."""

    form: str
    read: Callable[[Any], Any]
    required: bool = True


def _amount(value: Any) -> Decimal | None:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return Decimal(value) if number and Decimal(value).is_finite() and value >= 0 else None


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


_FIELDS: Mapping[str, _Field] = {
    "training": _Field("a number, such as 5.00", _amount),
    "unit": _Field(f"{UNIT!r}, the only unit there is", lambda value: value if value == UNIT else None),
    "currency": _Field(
        "three capital letters, such as 'USD'",
        lambda value: value if isinstance(value, str) and _CURRENCY.fullmatch(value) else None,
    ),
    "source": _Field(
        "a text that says where the price comes from",
        lambda value: value if isinstance(value, str) and value.strip() else None,
    ),
    "date": _Field("a date without quotes, such as 2026-10-01", _day),
    "input": _Field("a number, such as 0.30", _amount, required=False),
    "output": _Field("a number, such as 2.50", _amount, required=False),
}
