"""The mathematics of the adapter, checked against finite differences and by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tuneform_emulator.trainer.adapter import (
    LOSS_LIMIT,
    WEIGHT_LIMIT,
    Adam,
    Weights,
    gradient,
    log_softmax,
    logits,
    losses,
)


def mean_loss(weights: Weights, inputs: np.ndarray, targets: np.ndarray) -> float:
    return float(losses(log_softmax(logits(weights, inputs)), targets).mean())


@pytest.mark.parametrize("name", ["down", "up", "bias"])
def test_the_gradient_equals_finite_differences(name: str) -> None:
    rng = np.random.default_rng(5)
    weights = Weights(rng.normal(size=(7, 3)), rng.normal(size=(3, 4)), rng.normal(size=4))
    inputs, targets = rng.normal(size=(6, 7)), rng.integers(0, 4, 6)
    computed = getattr(gradient(weights, inputs, log_softmax(logits(weights, inputs)), targets), name)
    values = getattr(weights, name)
    for place in np.ndindex(values.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = values.copy()
            moved[place] += step
            sides.append(mean_loss(replace(weights, **{name: moved}), inputs, targets))
        assert computed[place] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-7)


def test_before_training_every_output_is_equally_likely() -> None:
    weights = Weights.initial(11, 2, 5, np.random.default_rng(0))
    scores = log_softmax(logits(weights, np.ones((3, 11), np.float32)))
    assert np.exp(scores) == pytest.approx(np.full((3, 5), 0.2))


def test_the_product_has_the_rank_of_the_adapter() -> None:
    weights = Weights.initial(50, 3, 20, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    optimizer = Adam(weights)
    for _ in range(20):
        inputs, targets = rng.normal(size=(8, 50)), rng.integers(0, 20, 8)
        optimizer.step(gradient(weights, inputs, log_softmax(logits(weights, inputs)), targets), 0.05)
    assert np.linalg.matrix_rank(weights.down @ weights.up) == 3


def test_an_unknown_output_costs_a_blind_guess() -> None:
    scores = np.log(np.array([[0.9, 0.05, 0.05], [0.25, 0.5, 0.25]]))
    assert losses(scores, np.array([-1, 1])) == pytest.approx([np.log(4), np.log(2)])


def test_a_loss_is_bounded() -> None:
    assert losses(np.array([[0.0, -1e30]]), np.array([1]))[0] == LOSS_LIMIT


def test_the_first_adam_step_moves_each_weight_by_the_rate_against_its_slope() -> None:
    weights = Weights(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(2))
    Adam(weights).step(Weights(np.array([[3.0]]), np.array([[-0.5]]), np.array([0.0, 7.0])), 0.1)
    assert weights.down[0, 0] == pytest.approx(-0.1)
    assert weights.up[0, 0] == pytest.approx(0.1)
    assert weights.bias == pytest.approx([0.0, -0.1])


def test_weights_saturate_instead_of_overflowing() -> None:
    weights = Weights.initial(4, 1, 2, np.random.default_rng(0))
    slope = Weights(*(np.full_like(array, -1.0) for array in weights.arrays()))
    Adam(weights).step(slope, 1e300)
    assert weights.bias == pytest.approx([WEIGHT_LIMIT, WEIGHT_LIMIT])
