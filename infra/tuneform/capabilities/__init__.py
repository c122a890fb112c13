"""What is documented about base models, as dated and sourced data (models.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

Unknown = Literal["unknown"]
"""No document says. Not the same as no."""

PUBLISHER = "publishers/google/models/"
ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class Source:
    """A page that a fact comes from; `updated` is the page's own date."""

    title: str
    url: str
    updated: date

    def __str__(self) -> str:
        return f"{self.title!r}, {self.updated.isoformat()}, {self.url}"


@dataclass(frozen=True)
class Model:
    """A base model that can be tuned. `adapter_sizes` are ranks, smallest first."""

    name: str
    source: Source
    adapter_sizes: tuple[int, ...] | Unknown
    tuning_locations: tuple[str, ...] | Unknown
    customer_managed_keys: bool | Unknown


@cache
def models() -> Mapping[str, Model]:
    """Every model that a document names, by its short name (`gemini-2.5-flash`)."""
    data = tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))
    sources = {
        name: Source(title=entry["title"], url=entry["url"], updated=entry["date"])
        for name, entry in data["sources"].items()
    }
    return {name: _model(name, entry, sources) for name, entry in data["models"].items()}


def find(name: str) -> Model | None:
    """The model of that name, short or as `publishers/google/models/…`; None when no document names it."""
    return models().get(name.removeprefix(PUBLISHER))


def _model(name: str, entry: Mapping[str, Any], sources: Mapping[str, Source]) -> Model:
    return Model(
        name=name,
        source=sources[entry["source"]],
        adapter_sizes=_listed(entry["adapter_sizes"]),
        tuning_locations=_listed(entry["tuning_locations"]),
        customer_managed_keys=entry["customer_managed_keys"],
    )


def _listed(value: list[ValueT] | Unknown) -> tuple[ValueT, ...] | Unknown:
    return tuple(value) if isinstance(value, list) else value
