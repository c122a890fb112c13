"""The part that learns: a low-rank adapter on the frozen features, and the Adam steps that train it."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Weights saturate here, as they would in half precision: a diverging run stays finite and is seen to be bad.
WEIGHT_LIMIT = 10_000.0
# The most one example may cost, in nats, for the same reason.
LOSS_LIMIT = 50.0
# How far the first random weights spread, in units of 1/sqrt(features). Measured: smaller wastes the first
# epochs of a small set, larger costs accuracy on a large one.
_FIRST_SPREAD = 8

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Weights:
    """logits = features @ down @ up + bias: down (features, rank), up (rank, outputs), bias (outputs,)."""

    down: Array
    up: Array
    bias: Array

    @classmethod
    def initial(cls, features: int, rank: int, outputs: int, rng: np.random.Generator) -> "Weights":
        """A small random `down` and a zero `up`, as in LoRA: at first every output is equally likely."""
        down = rng.standard_normal((features, rank), dtype=np.float32)
        down *= _FIRST_SPREAD / np.float32(np.sqrt(features))
        return cls(down, np.zeros((rank, outputs), np.float32), np.zeros(outputs, np.float32))

    def arrays(self) -> tuple[Array, ...]:
        """The three arrays in the order of their declaration."""
        return tuple(getattr(self, field.name) for field in fields(self))


def logits(weights: Weights, features: Array) -> Array:
    """Scores of every output, shape (examples, outputs)."""
    return (features @ weights.down) @ weights.up + weights.bias


def log_softmax(scores: Array) -> Array:
    """Log probabilities along the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def losses(log_probabilities: Array, targets: NDArray[np.int64]) -> Array:
    """Cross-entropy of each example in nats, at most `LOSS_LIMIT`; a target of -1 is an output not known.

    A model cannot say an output it never saw. It is charged what a blind guess among the known outputs and
    one more would cost, log(outputs + 1).
    """
    known = -log_probabilities[np.arange(len(targets)), np.maximum(targets, 0)]
    unknown = np.log(log_probabilities.shape[1] + 1)
    return np.minimum(np.where(targets >= 0, known, unknown), LOSS_LIMIT)


def gradient(
    weights: Weights, features: Array, log_probabilities: Array, targets: NDArray[np.int64]
) -> Weights:
    """The gradient of the mean cross-entropy over a batch whose targets are all known."""
    error = np.exp(log_probabilities)
    error[np.arange(len(targets)), targets] -= 1
    error /= len(targets)
    hidden = features @ weights.down
    return Weights(features.T @ (error @ weights.up.T), hidden.T @ error, error.sum(axis=0))


def strongest(down: Array, up: Array, rank: int) -> tuple[Array, Array]:
    """The product `down @ up` as nearly as an adapter of a smaller rank can have it (truncated SVD)."""
    basis, inner = np.linalg.qr(down)
    left, sizes, right = np.linalg.svd(inner @ up, full_matrices=False)
    root = np.sqrt(sizes[:rank])
    return basis @ left[:, :rank] * root, root[:, None] * right[:rank]


class Adam:
    """Adam (Kingma and Ba 2014), the variant of SGD used here, in place on the weights it is given."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._means = tuple(np.zeros_like(array) for array in weights.arrays())
        self._squares = tuple(np.zeros_like(array) for array in weights.arrays())
        self._steps = 0

    def step(self, slope: Weights, rate: float) -> None:
        """Move every weight against its slope by about `rate`."""
        self._steps += 1
        scale = min(rate, WEIGHT_LIMIT) / (1 - 0.9**self._steps)
        correction = 1 / (1 - 0.999**self._steps)
        for value, change, mean, square in zip(
            self._weights.arrays(), slope.arrays(), self._means, self._squares, strict=True
        ):
            mean += 0.1 * (change - mean)  # noqa: PLW2901 - in place: `mean` is the stored array
            square += 0.001 * (change * change - square)  # noqa: PLW2901 - in place as well
            value -= scale * mean / (np.sqrt(square * correction) + 1e-8)  # noqa: PLW2901 - in place as well
            np.clip(value, -WEIGHT_LIMIT, WEIGHT_LIMIT, out=value)
