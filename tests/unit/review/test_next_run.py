"""What to try next: words with the numbers they rest on, and the settings that they name."""

from __future__ import annotations

import json
import math
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.reconcile.builders import job

from tuneform.capabilities.prices import Price
from tuneform.reconcile.live import Curves, JobState, Points
from tuneform.review.next_run import NextRun, next_run

STEPS = 10
PRICE = Price("gemini-2.5-flash", "USD", Decimal(5), "our contract", date(2026, 10, 1))


def levels(*losses: float) -> Points:
    """A curve that stays at one loss for each epoch."""
    return tuple((step, losses[(step - 1) // STEPS]) for step in range(1, STEPS * len(losses) + 1))


def ends(*losses: float) -> Points:
    """One loss at the end of each epoch."""
    return tuple((STEPS * epoch, loss) for epoch, loss in enumerate(losses, 1))


def advice(train: Points, validated: Points = (), **more: Any) -> NextRun:
    epochs = len(train) // STEPS
    fields = {name: more.pop(name) for name in ("adapter_size", "learning_rate_multiplier") if name in more}
    made = job(epochs=epochs, steps=len(train), billable_tokens=22_800, **fields)
    found = next_run(made, Curves(train, eval_loss=validated), **more)
    assert found is not None
    return found


def test_a_plateau_names_the_epochs_that_would_do_and_what_they_save() -> None:
    found = advice(levels(2.0, 1.2, 0.7, 0.45, 0.44, 0.43), price=PRICE)
    assert found.text == (
        "plateau: the training loss hardly falls after epoch 4 (2 at first, 0.45 there, 0.43 at best later: 1% of the "
        "whole fall); epochCount: 4 would do, 2 epochs fewer, 46 k tokens (0.23 USD) less",
    )
    assert (found.epoch_count, found.adapter_size) == (4, None)


def test_a_loss_that_still_falls_names_more_epochs_and_what_each_bills() -> None:
    found = advice(levels(2.0, 1.5, 1.0, 0.5))
    assert found.text == (
        "still falling: the training loss went from 2 to 0.5 in 4 epochs, 33% of that in the last one; more may help: "
        "epochCount: 6; every epoch bills 23 k tokens more",
    )
    assert found.epoch_count == 6


def test_overfitting_names_where_validation_was_lowest() -> None:
    found = advice(levels(2.0, 1.0, 0.5, 0.2, 0.1), ends(1.5, 1.0, 0.8, 1.0, 1.2), examples=300)
    assert found.text == (
        "overfitting: the validation loss was lowest at epoch 3 (0.8) and is 1.2 at epoch 5, while the training loss "
        "went from 0.5 to 0.1; epochCount: 3 stops there, 2 epochs fewer, 46 k tokens less. More and more varied "
        "examples help further; there are 300",
    )
    assert (found.epoch_count, found.learning_rate_multiplier) == (3, None)


def test_few_examples_that_overfit_want_a_smaller_learning_rate() -> None:
    found = advice(levels(2.0, 1.0, 0.5), ends(1.0, 0.8, 1.0), examples=99, learning_rate_multiplier=0.5)
    assert found.text[1] == (
        "fewer than 100 examples want a smaller learning rate: learningRateMultiplier: 0.25"
    )
    assert found.learning_rate_multiplier == 0.25


def test_validation_that_never_fell_asks_for_a_look_at_the_data_not_for_fewer_epochs() -> None:
    found = advice(levels(2.0, 1.0, 0.5), ends(1.0, 1.1, 1.2))
    assert "See whether the answers follow from the questions" in found.text[0]
    assert found.epoch_count is None


def test_diverging_names_half_the_learning_rate() -> None:
    found = advice(levels(2.0, 1.0, 1.8), learning_rate_multiplier=3.0)
    assert found.text == (
        "diverging: the training loss rose from 1 at epoch 2 to 1.8 at epoch 3, and ended at 1.8; a lower "
        "learningRateMultiplier keeps it together: 1.5 is half of what it was",
    )
    assert found.learning_rate_multiplier == 1.5
    broken = advice(levels(2.0, 1.0, math.nan))
    assert "to something that is no number any more at epoch 3" in broken.text[0]


def test_a_loss_that_does_not_move_names_twice_the_learning_rate() -> None:
    found = advice(levels(2.08, 2.08, 2.07))
    assert found.text[0].startswith("flat: the training loss hardly moved in 3 epochs (2.08 to 2.07);")
    assert found.learning_rate_multiplier == 2.0


@pytest.mark.parametrize(
    ("size", "ranks", "larger"),
    [
        ("ADAPTER_SIZE_FOUR", (1, 2, 4, 8, 16), "ADAPTER_SIZE_EIGHT"),
        ("ADAPTER_SIZE_FOUR", (1, 4, 16), "ADAPTER_SIZE_SIXTEEN"),
        ("ADAPTER_SIZE_EIGHT", (1, 2, 4, 8), None),
        ("ADAPTER_SIZE_FOUR", (), None),
        ("", (1, 2, 4, 8), None),
    ],
)
def test_a_loss_that_stays_high_names_the_next_adapter_size_that_the_model_takes(
    size: str, ranks: tuple[int, ...], larger: str | None
) -> None:
    found = advice(levels(2.0, 1.5, 1.5, 1.5), adapter_size=size, ranks=ranks)
    assert (found.verdict, found.adapter_size) == ("plateau", larger)
    assert (f"adapterSize: {larger}" in found.text[-1]) == (larger is not None)
    low = advice(levels(2.0, 0.5, 0.5, 0.5), adapter_size=size, ranks=ranks)
    assert low.adapter_size is None


def test_too_few_epochs_say_so_and_nothing_else() -> None:
    found = advice(levels(2.0, 1.0))
    assert found.text == (
        "too few points: 2 epochs of training say nothing about the next run; 3 or more would",
    )
    assert found.as_object()["try"] == {}


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.FAILED, JobState.CANCELLED])
def test_a_job_without_a_model_gives_no_advice(state: JobState) -> None:
    assert next_run(job(state, epochs=3, steps=30), Curves(levels(2.0, 1.0, 0.5))) is None
    assert next_run(job(epochs=3, steps=30), Curves()) is None


def test_the_object_has_verdict_settings_numbers_and_source() -> None:
    shown = json.loads(json.dumps(advice(levels(2.0, 1.0, math.inf)).as_object(), allow_nan=False))
    assert list(shown) == ["verdict", "text", "try", "numbers", "source"]
    assert shown["verdict"] == "diverging"
    assert shown["try"] == {"learningRateMultiplier": 0.5}
    assert shown["numbers"]["trainingLoss"] == [2.0, 1.0, None]
    assert "Fine-tuning with the Gemini API" in shown["source"]
