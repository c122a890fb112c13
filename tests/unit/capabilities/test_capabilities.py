"""The built-in table: every cell has a source or says unknown, and every page of it is cited."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tuneform import capabilities
from tuneform.capabilities import Cell, columns
from tuneform.capabilities.reading import BUILT_IN
from tuneform.capabilities.words import page, rows
from tuneform.specs.meaning.limits import RANKS

KNOWN = capabilities.built_in()
FILE = tomllib.loads(BUILT_IN.read_text(encoding="utf-8"))
DOCS = Path(__file__).parents[3] / "docs"


def written(entry: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Every cell of a table of the file, as it is written, by its dotted name."""
    found: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, dict) and "value" not in value:
            found |= written(value, f"{path}{name}.")
        else:
            found[path + name] = value
    return found


CELLS = written({name: FILE[name] for name in FILE if name != "sources"})


def test_every_cell_has_a_source_or_says_unknown() -> None:
    assert len(CELLS) > 200
    wrong = {
        name: value
        for name, value in CELLS.items()
        if value != "unknown" and (not isinstance(value, dict) or value.get("source") not in FILE["sources"])
    }
    assert wrong == {}


def test_what_is_read_is_what_is_written() -> None:
    read: dict[str, Cell[Any]] = {}
    for name, model in KNOWN.models.items():
        section = "models" if name in FILE["models"] else "retired"
        read |= {f"{section}.{name}.{column}": cell for column, cell in rows(model)}
    read |= {f"vertex.{name}": cell for name, cell in KNOWN.vertex.items()}
    read |= {f"gemini-api.{name}": cell for name, cell in KNOWN.gemini_api.items()}
    assert {name for name, cell in read.items() if cell.source} == {
        name for name, value in CELLS.items() if value != "unknown"
    }
    assert all((cell.value is None) == (cell.source is None) for cell in read.values())


@pytest.mark.parametrize("name", list(FILE["models"]))
def test_every_model_states_every_cell_in_the_same_order(name: str) -> None:
    assert list(written(FILE["models"][name])) == [column.name for column in columns.MODEL]


def test_the_platforms_state_every_cell() -> None:
    assert set(FILE["vertex"]) == set(columns.VERTEX)
    assert set(FILE["gemini-api"]) == set(columns.GEMINI_API)


@pytest.mark.parametrize("key", list(FILE["sources"]))
def test_every_source_is_a_page_with_a_day_and_is_cited(key: str) -> None:
    source = FILE["sources"][key]
    assert urlsplit(source["url"]).scheme == "https"
    assert ("date" in source) != ("read" in source)
    assert date(2024, 1, 1) < (source.get("date") or source["read"]) < date(2100, 1, 1)
    assert any(isinstance(cell, dict) and cell["source"] == key for cell in CELLS.values())


def test_what_the_pages_say_of_some_models() -> None:
    flash, pro, newest = (
        KNOWN.models[name] for name in ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-3.5-flash")
    )
    assert flash.supervised.adapter_sizes.value == (1, 2, 4, 8, 16)
    assert pro.supervised.adapter_sizes.value == (1, 2, 4, 8)
    assert (flash.retirement.value, flash.retirement.at_least) == (date(2026, 10, 20), False)
    assert (newest.retirement.value, newest.retirement.at_least) == (date(2027, 5, 19), True)
    assert newest.customer_managed_keys.value is False
    assert flash.customer_managed_keys.value is None
    assert set(newest.serving_locations.value or ()) == {"us", "eu"}
    assert KNOWN.gemini_api["tunable_models"].value == ()


def test_ranks_have_names() -> None:
    assert tuple(RANKS.values()) == columns.RANKS


def test_a_model_is_found_by_its_long_name_too() -> None:
    assert KNOWN.find("publishers/google/models/gemini-2.5-flash") is KNOWN.find("gemini-2.5-flash")


def test_a_model_that_no_document_names_is_not_found() -> None:
    assert KNOWN.find("gemini-9-flash") is None


@pytest.mark.parametrize(
    ("training", "allowed"), [(10, 1000), (3334, 1000), (4000, 1200), (16_667, 5000), (10**6, 5000)]
)
def test_the_validation_rule(training: int, allowed: int) -> None:
    rule = KNOWN.models["gemini-2.5-flash"].supervised.validation_examples.value
    assert rule is not None
    assert rule.allowed(training) == allowed


def test_a_size_is_read_in_the_larger_of_two_ways() -> None:
    assert capabilities.size_in_bytes("1GB") == 2**30
    assert capabilities.size_in_bytes("4MB") == 4 * 2**20


def test_the_page_is_up_to_date() -> None:
    remedy = "run: python -m tuneform.specs.reference docs"
    assert (DOCS / "capabilities.md").read_text(encoding="utf-8") == page(), remedy
