"""Limits on cost, judged from documents and data alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.capabilities.prices import builtin, parse
from tuneform.errors import Diagnostic
from tuneform.review.spending import Size, check_limits
from tuneform.specs import load

SPECS = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: demo-project, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: words}
spec: {bucket: {ref: data}, training: gs://somewhere/words.jsonl}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: words}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: words}
  hyperParameters: {epochCount: 4}
  limits: LIMITS
"""
SIZE = Size(6_000, 5_000, 8_000)
PRICES = parse(
    '[prices."gemini-2.5-flash"]\ntraining = 5\nunit = "per million training tokens"\ncurrency = "USD"\n'
    'source = "our contract"\ndate = 2026-10-01\n',
    Path("prices.toml"),
)


def found(tmp_path: Path, limits: str, size: Size | None = SIZE, *, priced: bool = True) -> list[Diagnostic]:
    (tmp_path / "a.yaml").write_text(SPECS.replace("LIMITS", limits))
    sizes = {("demo", "words"): size} if size else {}
    return list(check_limits(load(tmp_path), sizes, PRICES if priced else builtin()))


@pytest.mark.parametrize(
    ("limits", "codes"),
    [
        ("{maxBillableTokens: 32_000, maxCost: 0.16 USD}", []),
        ("{maxBillableTokens: 31_999}", ["W171"]),
        ("{maxBillableTokens: 20_000}", ["W171"]),
        ("{maxBillableTokens: 19_999}", ["E171"]),
        ("{maxCost: 0.15 USD}", ["W171"]),
        ("{maxCost: 0.09 USD}", ["E171"]),
        ("{maxCost: 100 EUR}", ["E172"]),
        ("{maxBillableTokens: 10, maxCost: 0 USD}", ["E171", "E171"]),
    ],
)
def test_what_is_certain_is_an_error_and_what_may_be_is_a_warning(
    limits: str, codes: list[str], tmp_path: Path
) -> None:
    assert [one.code for one in found(tmp_path, limits)] == codes


def test_a_limit_on_cost_without_a_price_is_an_error_though_the_data_is_elsewhere(tmp_path: Path) -> None:
    (error,) = found(tmp_path, "{maxCost: 1000 USD, maxBillableTokens: 1}", None, priced=False)
    assert (error.code, error.severity) == ("E172", "error")
    assert error.render().endswith(
        "error[E172]: limits.maxCost 1,000.00 USD cannot be kept: the price of the base model is unknown\n"
        " 23 |   limits: {maxCost: 1000 USD, maxBillableTokens: 1}\n"
        "    |                     ^^^^^^^^\n"
        "   = hint: name a price table with the setting `prices`, or limit tokens with maxBillableTokens"
    )


def test_what_is_not_text_leaves_the_upper_end_open(tmp_path: Path) -> None:
    open_ = Size(6_000, 5_000, None)
    assert [one.code for one in found(tmp_path, "{maxBillableTokens: 10_000_000}", open_)] == ["W171"]
    assert [one.code for one in found(tmp_path, "{maxBillableTokens: 19_999}", open_)] == ["E171"]
