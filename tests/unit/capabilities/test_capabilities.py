from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

import pytest

from tuneform import capabilities
from tuneform.specs.meaning.limits import RANKS


@pytest.mark.parametrize("name", list(capabilities.models()))
def test_every_fact_has_a_dated_source(name: str) -> None:
    model = capabilities.models()[name]
    assert urlsplit(model.source.url).scheme == "https"
    assert date(2024, 1, 1) < model.source.updated < date(2100, 1, 1)
    assert model.source.title


@pytest.mark.parametrize("name", list(capabilities.models()))
def test_every_cell_is_a_fact_or_unknown(name: str) -> None:
    model = capabilities.models()[name]
    assert model.adapter_sizes == "unknown" or set(model.adapter_sizes) <= set(RANKS.values())
    assert model.tuning_locations == "unknown" or all("-" in place for place in model.tuning_locations)
    assert model.customer_managed_keys in {True, False, "unknown"}


def test_documented_adapter_sizes() -> None:
    flash, pro = capabilities.find("gemini-2.5-flash"), capabilities.find("gemini-2.5-pro")
    assert flash is not None
    assert pro is not None
    assert flash.adapter_sizes == (1, 2, 4, 8, 16)
    assert pro.adapter_sizes == (1, 2, 4, 8)


def test_a_model_is_found_by_its_long_name_too() -> None:
    assert capabilities.find("publishers/google/models/gemini-2.5-flash") is capabilities.find(
        "gemini-2.5-flash"
    )


def test_a_model_that_no_document_names_is_not_found() -> None:
    assert capabilities.find("gemini-9-flash") is None
