"""Preference tuning: of two outputs for a prompt the preferred one becomes likelier than the other.

The loss is that of direct preference optimisation (Rafailov et al. 2023): -log sigmoid(beta * margin), where the margin
is by how much more the model tells the two apart than the one it started from did. `beta` holds it near that one.
Which algorithm the service uses is not documented; its API names the same parameter.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tuneform_emulator.trainer.adapter import Adam, Array, Weights, logits
from tuneform_emulator.trainer.checkpoint import Checkpoint
from tuneform_emulator.trainer.examples import Preference
from tuneform_emulator.trainer.features import EncodedTexts, centre
from tuneform_emulator.trainer.training import (
    EVALUATION_BATCH,
    Epoch,
    Settings,
    StepMetrics,
    batch_size_for,
    first_weights,
    known_outputs,
    learning_rate,
)

DEFAULT_BETA = 0.1
"""Ours: the service documents that there is a default, and not which."""


class PreferenceTraining:
    """A run of `settings.epochs` epochs, as `Training`; accuracy is how often the preferred output is the likelier.

    `start` is the checkpoint to go on from; without one the model finds all outputs equally likely at first.
    """

    def __init__(
        self,
        settings: Settings,
        train: Sequence[Preference],
        validation: Sequence[Preference] = (),
        start: Checkpoint | None = None,
        *,
        beta: float = DEFAULT_BETA,
    ) -> None:
        if not train:
            raise ValueError("training needs at least one example")
        self._settings, self._beta = settings, beta
        self._batch_size = settings.batch_size or batch_size_for(len(train))
        self._rng = np.random.default_rng(settings.seed)
        self._outputs = known_outputs(_texts(train), start)
        self._train = _Pairs(train, self._outputs)
        self._validation = _Pairs(validation, self._outputs) if validation else None
        self._mean = start.mean if start else self._train.texts.mean
        self._weights = first_weights(settings.rank, len(self._outputs), start, self._rng)
        self._before = Weights(*(array.copy() for array in self._weights.arrays()))
        self._optimizer = Adam(self._weights)
        self._epoch = self._step = 0
        self._total_steps = settings.epochs * math.ceil(len(train) / self._batch_size)

    def run_epoch(self) -> Epoch:
        """Train one epoch more and measure it. Raises `RuntimeError` when all epochs have run."""
        if self._epoch == self._settings.epochs:
            raise RuntimeError(f"all {self._settings.epochs} epochs have run")
        self._epoch += 1
        order = self._rng.permutation(len(self._train))
        batches = (
            order[first : first + self._batch_size] for first in range(0, len(order), self._batch_size)
        )
        steps = tuple(map(self._run_step, batches))
        checkpoint = Checkpoint.export(self._weights, self._mean, self._outputs)
        evaluation = self._evaluate(checkpoint, self._validation) if self._validation else None
        return Epoch(self._epoch, self._step, steps, evaluation, checkpoint)

    def _run_step(self, batch: NDArray[np.int64]) -> StepMetrics:
        features = centre(self._train.texts.counts(batch.tolist()), self._mean)
        margins = self._margins(self._weights, features, self._train, batch)
        rate = learning_rate(self._settings, self._step / self._total_steps)
        self._step += 1
        self._optimizer.step(self._slope(features, margins, batch), rate)
        return StepMetrics(
            self._step, float(_losses(margins).mean()), float((margins > 0).mean()), len(batch)
        )

    def _slope(self, features: Array, margins: Array, batch: NDArray[np.int64]) -> Weights:
        """The gradient of the mean loss: it pulls at the two outputs of a pair, and at no other."""
        error = np.zeros((len(batch), len(self._outputs)), np.float32)
        pull = (self._beta / (1 + np.exp(np.clip(margins, -30, 30))) / len(batch)).astype(np.float32)
        rows = np.arange(len(batch))
        error[rows, self._train.preferred[batch]] -= pull
        error[rows, self._train.dispreferred[batch]] += pull
        hidden = features @ self._weights.down
        return Weights(features.T @ (error @ self._weights.up.T), hidden.T @ error, error.sum(axis=0))

    def _margins(self, weights: Weights, features: Array, pairs: "_Pairs", rows: NDArray[np.int64]) -> Array:
        """beta times by how much more the weights prefer what is preferred than the first ones did."""
        gained = logits(weights, features) - logits(self._before, features)
        every = np.arange(len(rows))
        difference = gained[every, pairs.preferred[rows]] - gained[every, pairs.dispreferred[rows]]
        return np.asarray(self._beta * difference)

    def _evaluate(self, checkpoint: Checkpoint, data: "_Pairs") -> StepMetrics:
        loss = right = 0.0
        for first in range(0, len(data), EVALUATION_BATCH):
            rows = np.arange(first, min(first + EVALUATION_BATCH, len(data)))
            features = centre(data.texts.counts(rows.tolist()), checkpoint.mean)
            margins = self._margins(checkpoint.weights, features, data, rows)
            loss += float(_losses(margins).sum())
            right += float((margins > 0).sum())
        return StepMetrics(self._step, loss / len(data), right / len(data), len(data))


class _Pairs:
    """Preferences in the order of their content: encoded prompts, and the numbers of both outputs.

    An output beyond those that the model can learn counts as the first one, so that nothing is learned of two such.
    """

    def __init__(self, preferences: Sequence[Preference], outputs: tuple[str, ...]) -> None:
        ordered = sorted(preferences, key=Preference.content_key)
        numbers = {output: number for number, output in enumerate(outputs)}
        self.texts = EncodedTexts([preference.prompt for preference in ordered])
        self.preferred = np.array([numbers.get(p.preferred, 0) for p in ordered], dtype=np.int64)
        self.dispreferred = np.array([numbers.get(p.dispreferred, 0) for p in ordered], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.preferred)


def _texts(preferences: Iterable[Preference]) -> Iterable[str]:
    return (text for p in preferences for text in (p.preferred, p.dispreferred))


def _losses(margins: Array) -> Array:
    """-log sigmoid of each margin, in nats."""
    return np.asarray(np.logaddexp(0.0, -margins))
