"""What an attempt costs, and which limits it keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reconcile.builders import COST, REVISION, TUNING, job, record, with_epochs

from tuneform.capabilities.prices import Money, Price
from tuneform.reconcile.cost import Cost, Questions, cost, over, questions, short
from tuneform.reconcile.desired import Content, Gate, HyperParameters, Limits
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.observe import ObservedTuning

PRICE = Price("gemini-2.5-flash", "USD", Decimal(5), "our contract", date(2026, 10, 1))
BEFORE = ObservedTuning(
    (job(base_model="gemini-2.5-flash", billable_tokens=5_511),),
    {},
    {REVISION: record(AttemptState.SUCCEEDED)},
)
"""An earlier job on the same data, of which Vertex AI has counted the tokens."""


def test_the_first_job_is_estimated_with_its_error() -> None:
    found = cost(TUNING, ObservedTuning())
    assert found == COST
    assert (found.least, found.billed, found.most) == (20_000, 24_000, 32_000)


def test_once_vertex_ai_has_counted_the_same_data_the_cost_is_exact() -> None:
    found = cost(with_epochs(6), BEFORE)
    assert (found.least, found.billed, found.most) == (33_066, 33_066, 33_066)
    words = "33,066 tokens (5,511 an epoch × 6, as Vertex AI counted them before), price unknown"
    assert str(found) == words


@pytest.mark.parametrize(
    "other",
    [
        replace(with_epochs(6), base_model="gemini-2.5-pro"),
        replace(
            with_epochs(6), training=Content("gs://demo-data/datasets/intents/bb.jsonl", "sha256:bb", 9, 90)
        ),
    ],
)
def test_a_count_of_other_data_or_for_another_model_says_nothing(other: object) -> None:
    assert not cost(other, BEFORE).counted  # type: ignore[arg-type]


def test_a_job_whose_tokens_nobody_counted_yet_says_nothing() -> None:
    running = replace(BEFORE, jobs=(job(base_model="gemini-2.5-flash"),))
    assert not cost(with_epochs(6), running).counted


def test_a_dataset_in_another_bucket_is_the_same_data() -> None:
    moved = replace(TUNING.training, uri="gs://elsewhere/datasets/renamed/aa.jsonl")
    assert cost(replace(with_epochs(6), training=moved), BEFORE).counted


def test_where_vertex_ai_chooses_the_epochs_one_is_all_that_is_known() -> None:
    found = cost(replace(TUNING, hyper_parameters=HyperParameters()), ObservedTuning())
    assert (found.least, found.billed, found.most) == (5_000, None, None)
    assert str(found) == (
        "about 6 k tokens an epoch (5 k to 8 k), and Vertex AI chooses how many epochs, price unknown"
    )
    assert str(replace(found, price=PRICE)).endswith("chooses how many epochs, 0.03 USD an epoch")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (COST, "about 24 k tokens (20 k to 32 k), price unknown"),
        (
            replace(COST, price=PRICE),
            "about 24 k tokens (20 k to 32 k), about 0.12 USD (0.10 USD to 0.16 USD)",
        ),
        (replace(COST, high=None), "about 24 k tokens (at least 20 k; what is not text is not counted), price unknown"),
        (
            Cost("m", 6_000, 6_000, 6_000, 4, counted=True, price=PRICE),
            "24,000 tokens (6,000 an epoch × 4, as Vertex AI counted them before), 0.12 USD",
        ),
    ],
)  # fmt: skip
def test_a_cost_in_words(what: Cost, said: str) -> None:
    assert str(what) == said


def usd(text: str) -> Limits:
    return Limits(max_cost=Money.parse(text))


@pytest.mark.parametrize(
    ("limits", "what", "said"),
    [
        (Limits(max_billable_tokens=31_999), COST, "up to 32,000, over limits.maxBillableTokens 31,999"),
        (Limits(max_billable_tokens=10), replace(COST, epochs=None), "no document says up to how many"),
        (Limits(max_billable_tokens=10**9), replace(COST, high=None), "no upper end of its tokens is known"),
        (
            Limits(max_billable_tokens=23_999),
            Cost("m", 6_000, 6_000, 6_000, 4, counted=True),
            "it would bill 24,000 tokens",
        ),
        (usd("1000 USD"), COST, "limits.maxCost 1,000.00 USD cannot be kept: the price of the base model is unknown"),
        (usd("1000 EUR"), replace(COST, price=PRICE), "cannot be kept: the price is known in USD"),
        (usd("0.15 USD"), replace(COST, price=PRICE), "up to 0.16 USD, over limits.maxCost 0.15 USD"),
        (usd("9 USD"), replace(COST, price=PRICE, epochs=None), "no document says up to how many"),
        (usd("0 USD"), replace(COST, price=PRICE), "over limits.maxCost 0.00 USD"),
    ],
)  # fmt: skip
def test_a_limit_that_is_not_kept_says_why(limits: Limits, what: Cost, said: str) -> None:
    found = over(what, limits)
    assert found is not None
    assert said in found[0]
    assert found[1]


@pytest.mark.parametrize(
    "limits",
    [
        Limits(),
        Limits(max_billable_tokens=32_000),
        usd("0.16 USD"),
        replace(usd("1 USD"), max_billable_tokens=32_000),
    ],
)
def test_a_limit_that_is_kept(limits: Limits) -> None:
    assert over(replace(COST, price=PRICE), limits) is None


@given(
    st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 100), st.integers(1, 10**12)
)  # fmt: skip
def test_what_is_let_through_bills_no_more_than_the_limit_at_its_upper_end(
    tokens: int, below: int, above: int, epochs: int, limit: int
) -> None:
    what = Cost("m", tokens, max(tokens - below, 0), tokens + above, epochs, price=PRICE)
    kept = over(what, Limits(max_billable_tokens=limit)) is None
    assert kept == ((tokens + above) * epochs <= limit)
    money = Money(Decimal(limit), "USD")
    assert (over(what, Limits(max_cost=money)) is None) == (
        Decimal(5) * (tokens + above) * epochs <= limit * 1_000_000
    )


TEST = Content("gs://b/t", "sha256:t", 400, 12_000)


def test_a_gate_asks_as_many_of_the_test_examples_as_it_says() -> None:
    assert questions(Gate(exact_match_at_least=0.8, exact_match_examples=100), TEST, None) == Questions(
        100, 3_000
    )
    assert questions(Gate(exact_match_at_least=0.8, exact_match_examples=900), TEST, None) == Questions(
        400, 12_000
    )
    assert questions(Gate(no_worse_than_serving=True), TEST, None) == Questions(400, 12_000)


@pytest.mark.parametrize(
    "gate", [Gate(), Gate(eval_loss_at_most=1.0), Gate(eval_loss_at_most=1.0, no_worse_than_serving=True)]
)
def test_a_gate_that_vertex_ai_measures_asks_nothing(gate: Gate) -> None:
    assert questions(gate, TEST, None) is None


def test_questions_are_priced_between_questions_and_answers() -> None:
    full = replace(PRICE, input=Decimal(1), output=Decimal(10))
    assert str(Questions(100, 300_000, full)) == "100 questions, about 300 k tokens, 0.30 USD to 3.00 USD"
    assert str(Questions(100, 3_000, PRICE)) == "100 questions, about 3 k tokens, price unknown"


def test_counts_for_people() -> None:
    assert [short(count) for count in (950, 12_400, 1_240_000)] == ["950", "12 k", "1.2 M"]
