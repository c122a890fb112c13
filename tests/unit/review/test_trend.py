"""What loss curves come to: on curves by formula, on curves of the emulator's trainer, whatever unit and noise."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.reconcile.live import Curves, Points
from tuneform.review.trend import FEWEST, Trend, Verdict, trend
from tuneform_emulator.trainer import Example, Settings, Training

STEPS = 12  # an epoch


def curve(loss: Callable[[float], float], epochs: int) -> Points:
    """The loss at each step, as a formula gives it for the epochs passed."""
    return tuple((step, loss(step / STEPS)) for step in range(1, epochs * STEPS + 1))


def ends(loss: Callable[[float], float], epochs: int) -> Points:
    """The loss at the end of each epoch."""
    return tuple((epoch * STEPS, loss(epoch)) for epoch in range(1, epochs + 1))


def seen(curves: Curves, epochs: int) -> Trend:
    found = trend(curves, epochs, epochs * STEPS)
    assert found is not None
    return found


FALLS: Callable[[float], float] = lambda epoch: 2.0 - 0.2 * epoch  # noqa: E731
SETTLES: Callable[[float], float] = lambda epoch: 0.4 + 1.6 * math.exp(-1.5 * epoch)  # noqa: E731
BY_HEART = Curves(
    curve(lambda e: 2 * math.exp(-e / 2), 8), eval_loss=ends(lambda e: 1 + (e - 3) ** 2 / 10, 8)
)
CASES: dict[str, tuple[Curves, int, Verdict]] = {
    "a straight fall": (Curves(curve(FALLS, 6)), 6, "still falling"),
    "an exponential that has settled": (Curves(curve(SETTLES, 6)), 6, "plateau"),
    "the same, validated": (Curves(curve(SETTLES, 6), eval_loss=ends(SETTLES, 6)), 6, "plateau"),
    "validation that rises while training falls": (BY_HEART, 8, "overfitting"),
    "validation that never fell": (
        Curves(curve(FALLS, 6), eval_loss=ends(lambda e: 1 + e / 10, 6)),
        6,
        "overfitting",
    ),
    "validation decides where training still falls": (
        Curves(curve(FALLS, 6), eval_loss=ends(SETTLES, 6)),
        6,
        "plateau",
    ),
    "a fall that is taken back": (Curves(curve(lambda e: 1 + (e - 2) ** 2 / 4, 6)), 6, "diverging"),
    "a loss that only grows": (Curves(curve(lambda e: 1 + e, 4)), 4, "diverging"),
    "a loss that jumps and comes back": (
        Curves(curve(lambda e: 2 + 4 * math.exp(-((e - 2) ** 2)) - e / 4, 6)),
        6,
        "diverging",
    ),
    "a loss that is no number": (Curves(curve(lambda e: 2 - e if e < 3 else math.nan, 5)), 5, "diverging"),
    "a loss without end": (Curves(curve(lambda e: 2 if e < 3 else math.inf, 5)), 5, "diverging"),
    "a loss that does not move": (Curves(curve(lambda e: 2.08 - e / 1_000, 6)), 6, "flat"),
    "two epochs": (Curves(curve(FALLS, 2)), 2, "too few points"),
    "one step": (Curves(((1, 2.0),)), 1, "too few points"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_curve_has_its_verdict(name: str) -> None:
    curves, epochs, verdict = CASES[name]
    assert seen(curves, epochs).verdict == verdict


def test_the_guides_curve_flat_from_four_to_six_settles_at_four() -> None:
    losses = [0.0, 2.0, 1.2, 0.7, 0.45, 0.44, 0.43]
    found = seen(Curves(curve(lambda e: losses[math.ceil(e)], 6)), 6)
    assert (found.verdict, found.settled, found.lowest_epoch) == ("plateau", 4, 6)
    assert found.settled_loss == pytest.approx(0.45)
    assert found.rest == pytest.approx(0.02 / 1.57)


def test_the_numbers_of_a_verdict_are_those_of_the_curve() -> None:
    found = seen(BY_HEART, 8)
    assert (found.series, found.lowest_epoch, found.lowest, found.last) == ("validation loss", 3, 1.0, 3.5)
    assert found.first == pytest.approx(1.4)
    assert found.before == pytest.approx(2.6)
    assert found.trained[0] > found.trained[1] > found.trained[2]


def test_without_any_point_there_is_nothing_to_say() -> None:
    assert trend(Curves(), 4, 48) is None


def test_a_job_whose_steps_nobody_told_ends_with_its_last_point() -> None:
    curves = Curves(curve(SETTLES, 6))
    assert trend(curves, 6, 0) == trend(curves, 6, 6 * STEPS)


def test_validation_that_was_measured_now_and_then_is_read_where_it_was() -> None:
    # More than 10 epochs have about 10 checkpoints: an epoch may have no validation loss.
    some = tuple((epoch * STEPS, SETTLES(epoch)) for epoch in (2, 4, 6, 8, 10, 12))
    found = seen(Curves(curve(SETTLES, 12), eval_loss=some), 12)
    assert (found.verdict, found.series, found.settled) == ("plateau", "validation loss", 4)


SCALES = st.sampled_from([2.0**power for power in range(-20, 21, 5)])
"""Powers of two, which change no digit of a loss."""


@pytest.mark.parametrize("name", CASES)
@given(scale=SCALES)
@settings(max_examples=10)
def test_the_unit_of_the_loss_does_not_matter(name: str, scale: float) -> None:
    curves, epochs, verdict = CASES[name]

    def scaled(points: Points) -> Points:
        return tuple((step, loss * scale) for step, loss in points)

    found = seen(Curves(scaled(curves.train_loss), eval_loss=scaled(curves.eval_loss)), epochs)
    assert found.verdict == verdict
    assert found.settled == seen(curves, epochs).settled


@pytest.mark.parametrize("name", CASES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_a_little_noise_does_not_turn_a_verdict(name: str, seed: int) -> None:
    curves, epochs, verdict = CASES[name]
    rng = random.Random(seed)

    def noisy(points: Points) -> Points:
        return tuple((step, loss * (1 + rng.uniform(-0.004, 0.004))) for step, loss in points)

    assert (
        seen(Curves(noisy(curves.train_loss), eval_loss=noisy(curves.eval_loss)), epochs).verdict == verdict
    )


@given(
    st.lists(st.floats(0, 1e6) | st.just(math.nan) | st.just(math.inf), min_size=1, max_size=60),
    st.lists(st.floats(0, 1e6) | st.just(math.nan), max_size=12),
    st.integers(0, 12),
)
def test_whatever_is_measured_there_is_a_verdict(
    train: list[float], validated: list[float], epochs: int
) -> None:
    curves = Curves(tuple(enumerate(train, 1)), eval_loss=tuple(enumerate(validated, 1)))
    found = trend(curves, epochs, len(train))
    assert found is not None
    assert (found.verdict == "too few points") == (min(epochs or 1, len(train)) < FEWEST)
    assert 1 <= found.settled <= max(epochs, 1)


# --- curves of the emulator's trainer ------------------------------------------------------------------------

ANIMALS = ("cat", "dog", "hen", "owl", "fox", "cow", "bee", "ant")
WISHES = ("feed the {} now", "the {} is hungry", "wash that {}", "is my {} ill?", "where does a {} sleep")
DATA = tuple(Example(wish.format(animal), f"about_{animal}") for animal in ANIMALS for wish in WISHES)
HELD_OUT = tuple(Example(f"please look after this {animal} today", f"about_{animal}") for animal in ANIMALS)


def at_random(examples: tuple[Example, ...], seed: int) -> tuple[Example, ...]:
    """The same questions with answers that do not follow from them."""
    rng = random.Random(seed)
    return tuple(replace(example, output=f"about_{rng.choice(ANIMALS)}") for example in examples)


@cache
def trained(epochs: int, rate: float = 1.0, *, nonsense: bool = False, rank: int = 8) -> Curves:
    """The curves of a real run."""
    data, held_out = (at_random(DATA, 1), at_random(HELD_OUT, 2)) if nonsense else (DATA, HELD_OUT)
    training = Training(Settings(epochs, rank, rate), data, held_out)
    ran = [training.run_epoch() for _ in range(epochs)]
    return Curves(
        train_loss=tuple((step.step, step.loss) for epoch in ran for step in epoch.train),
        eval_loss=tuple((epoch.step, epoch.evaluation.loss) for epoch in ran if epoch.evaluation),
    )


@pytest.mark.parametrize(
    ("epochs", "rate", "verdict"),
    [
        (2, 1.0, "too few points"),
        (6, 0.02, "flat"),
        (4, 1.0, "still falling"),
        (6, 10.0, "plateau"),
        (20, 1.0, "plateau"),
        (8, 3_000.0, "diverging"),
    ],
)
def test_a_real_run_has_the_verdict_that_its_learning_rate_and_epochs_bring_about(
    epochs: int, rate: float, verdict: Verdict
) -> None:
    curves = trained(epochs, rate)
    found = trend(curves, epochs, curves.train_loss[-1][0])
    assert found is not None
    assert found.verdict == verdict


def test_a_real_run_on_answers_that_follow_from_nothing_overfits() -> None:
    curves = trained(8, nonsense=True)
    found = trend(curves, 8, curves.train_loss[-1][0])
    assert found is not None
    assert (found.verdict, found.lowest_epoch) == ("overfitting", 1)
    assert found.trained[2] < found.trained[0]


def test_as_many_epochs_as_a_real_run_settled_after_bring_it_most_of_the_way() -> None:
    # Not all of it: the trainer's learning rate falls over the run, and sooner in a shorter one.
    whole = trained(20)
    found = trend(whole, 20, whole.train_loss[-1][0])
    assert found is not None
    again = trained(found.settled)
    assert again.eval_loss[-1][1] - found.lowest < 0.2 * (found.first - found.lowest)


def test_the_epochs_that_a_real_run_still_falls_after_bring_it_lower() -> None:
    assert trained(6).eval_loss[-1][1] < 0.95 * trained(4).eval_loss[-1][1]
