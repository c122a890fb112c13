"""Epochs over a dataset: batches, a falling learning rate, measured losses, a checkpoint after each."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneform_emulator.trainer.adapter import (
    Adam,
    Array,
    Weights,
    gradient,
    log_softmax,
    logits,
    losses,
    strongest,
)
from tuneform_emulator.trainer.checkpoint import Checkpoint
from tuneform_emulator.trainer.examples import Example
from tuneform_emulator.trainer.features import DIMENSIONS, EncodedTexts, centre
from tuneform_emulator.trainer.tokens import tokenize

MAX_RANK = 32
# Distinct outputs a model can learn; the rarest beyond it stay unknown. It bounds memory and time for a
# dataset whose outputs all differ.
MAX_OUTPUTS = 8192
_LEARNING_RATE = 0.02
_FINAL_RATE = 0.1  # of the first: the rate falls linearly to it
EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Settings:
    """Hyperparameters. `batch_size` 0: chosen from the data. Raises `ValueError` when out of range."""

    epochs: int
    rank: int
    learning_rate_multiplier: float = 1.0
    batch_size: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, not {self.epochs}")
        if not 1 <= self.rank <= MAX_RANK:
            raise ValueError(f"the adapter size must be between 1 and {MAX_RANK}, not {self.rank}")
        if not (math.isfinite(self.learning_rate_multiplier) and self.learning_rate_multiplier > 0):
            raise ValueError(
                f"the learning rate multiplier must be above 0, not {self.learning_rate_multiplier}"
            )
        if self.batch_size < 0:
            raise ValueError(f"the batch size must not be negative, not {self.batch_size}")


@dataclass(frozen=True)
class StepMetrics:
    """Mean cross-entropy in nats, the fraction of output tokens predicted right, and their number."""

    step: int
    loss: float
    accuracy: float
    predictions: int


@dataclass(frozen=True)
class Epoch:
    """One pass over the data; `step` is the last of its steps, counted from 1 over the whole run."""

    number: int
    step: int
    train: tuple[StepMetrics, ...]
    evaluation: StepMetrics | None
    checkpoint: Checkpoint


class Training:
    """A run of `settings.epochs` epochs; the same data in any order and the same settings give the same run.

    With `start` it goes on from that checkpoint: outputs it knew are kept, a larger adapter grows new directions, and
    a smaller one keeps the strongest. Raises `ValueError` without examples.
    """

    def __init__(
        self,
        settings: Settings,
        train: Sequence[Example],
        validation: Sequence[Example] = (),
        start: Checkpoint | None = None,
    ) -> None:
        if not train:
            raise ValueError("training needs at least one example")
        self._settings = settings
        self._batch_size = settings.batch_size or batch_size_for(len(train))
        self._rng = np.random.default_rng(settings.seed)
        self._outputs = known_outputs((example.output for example in train), start)
        self._train = _Labelled(train, self._outputs)
        self._validation = _Labelled(validation, self._outputs) if validation else None
        self._mean = start.mean if start else self._train.texts.mean
        self._weights = first_weights(settings.rank, len(self._outputs), start, self._rng)
        self._optimizer = Adam(self._weights)
        self._epoch = 0
        self._step = 0
        self._total_steps = settings.epochs * math.ceil(len(train) / self._batch_size)

    def run_epoch(self) -> Epoch:
        """Train one epoch more and measure it. Raises `RuntimeError` when all epochs have run."""
        if self._epoch == self._settings.epochs:
            raise RuntimeError(f"all {self._settings.epochs} epochs have run")
        self._epoch += 1
        order = self._rng.permutation(len(self._train))
        steps = tuple(
            self._run_step(order[start : start + self._batch_size])
            for start in range(0, len(order), self._batch_size)
        )
        checkpoint = Checkpoint.export(self._weights, self._mean, self._outputs)
        evaluation = self._evaluate(checkpoint, self._validation) if self._validation else None
        return Epoch(self._epoch, self._step, steps, evaluation, checkpoint)

    def _run_step(self, batch: NDArray[np.int64]) -> StepMetrics:
        features = centre(self._train.texts.counts(batch.tolist()), self._mean)
        scores = log_softmax(logits(self._weights, features))
        targets = self._train.targets[batch]
        known = targets >= 0
        rate = learning_rate(self._settings, self._step / self._total_steps)
        self._step += 1
        if known.any():
            self._optimizer.step(
                gradient(self._weights, features[known], scores[known], targets[known]), rate
            )
        loss = float(losses(scores, targets).mean())
        correct, predictions = self._train.score(batch.tolist(), scores)
        return StepMetrics(self._step, loss, correct / max(predictions, 1), predictions)

    def _evaluate(self, checkpoint: Checkpoint, data: "_Labelled") -> StepMetrics:
        loss, correct, predictions = 0.0, 0, 0
        for start in range(0, len(data), EVALUATION_BATCH):
            rows = list(range(start, min(start + EVALUATION_BATCH, len(data))))
            features = centre(data.texts.counts(rows), checkpoint.mean)
            scores = log_softmax(logits(checkpoint.weights, features))
            loss += float(losses(scores, data.targets[rows]).sum())
            right, total = data.score(rows, scores)
            correct, predictions = correct + right, predictions + total
        return StepMetrics(self._step, loss / len(data), correct / max(predictions, 1), predictions)


class _Labelled:
    """Examples in the order of their content: encoded prompts, and the number of each output or -1."""

    def __init__(self, examples: Sequence[Example], outputs: tuple[str, ...]) -> None:
        ordered = sorted(examples, key=Example.content_key)
        numbers = {output: number for number, output in enumerate(outputs)}
        self.texts = EncodedTexts([example.prompt for example in ordered])
        self.targets = np.array([numbers.get(example.output, -1) for example in ordered], dtype=np.int64)
        self._pieces = [tokenize(output) for output in outputs]
        unknown = {example.output for example in ordered} - numbers.keys()
        self._unknown = {output: tokenize(output) for output in unknown}
        self._output_of = [example.output for example in ordered] if unknown else []

    def __len__(self) -> int:
        return len(self.targets)

    def score(self, rows: Sequence[int], scores: Array) -> tuple[int, int]:
        """Tokens of the likeliest outputs that equal the expected one at the same place, and tokens expected.

        An unknown output counts as wrong as a whole: the model cannot say it.
        """
        correct = predictions = 0
        for row, guess in zip(rows, scores.argmax(axis=1).tolist(), strict=True):
            target = int(self.targets[row])
            if target < 0:
                predictions += len(self._unknown[self._output_of[row]])
                continue
            expected = self._pieces[target]
            predictions += len(expected)
            if guess == target:
                correct += len(expected)
            else:
                correct += sum(a == b for a, b in zip(self._pieces[guess], expected, strict=False))
        return correct, predictions


def default_epochs(examples: int) -> int:
    """Epochs when the job names none: fewer for more data, between 5 and 40.

    The service "automatically adjusts the default value to your training dataset size" (About supervised
    fine-tuning, 2026-09-25) and publishes no rule. One public job with 166 examples ran 40 epochs, which the
    rule here repeats; 5 is the default of the Gemini API's tuning guide.
    """
    return min(40, max(5, round(6640 / max(examples, 1))))


def batch_size_for(examples: int) -> int:
    """The batch size when none is given: 4, as in the Gemini API's tuning guide, up to 64 for many rows."""
    return max((size for size in (8, 16, 32, 64) if examples >= 256 * size), default=4)


def checkpoint_epochs(epochs: int) -> tuple[int, ...]:
    """The epochs whose checkpoints are kept: every one up to 10, else 10 spread evenly, the last always.

    Source: "Use checkpoints in tuning" (Vertex AI): about one an epoch below 10 epochs, about 10 above.
    """
    if epochs <= 10:
        return tuple(range(1, epochs + 1))
    return tuple(round(number * epochs / 10) for number in range(1, 11))


def learning_rate(settings: Settings, progress: float) -> float:
    """The rate of a step; `progress` is how much of the run is behind it, 0 to 1."""
    return _LEARNING_RATE * settings.learning_rate_multiplier * (1 - (1 - _FINAL_RATE) * progress)


def known_outputs(given: Iterable[str], start: Checkpoint | None) -> tuple[str, ...]:
    """The outputs that a model learns to choose among: those it knew, then the commonest of those given."""
    counts = Counter(given)
    before = start.outputs if start else ()
    for output in before:
        counts.pop(output, None)
    common = sorted(counts, key=lambda output: (-counts[output], output))[: max(MAX_OUTPUTS - len(before), 0)]
    return (*before, *sorted(common))


def first_weights(rank: int, outputs: int, start: Checkpoint | None, rng: np.random.Generator) -> Weights:
    """The weights that training begins with: those of `start` where it has some, small random ones elsewhere."""
    weights = Weights.initial(DIMENSIONS, rank, outputs, rng)
    if start is None:
        return weights
    down, up = start.weights.down, start.weights.up
    if start.rank > rank:
        down, up = strongest(down, up, rank)
    weights.down[:, : down.shape[1]] = down
    weights.up[: up.shape[0], : len(start.outputs)] = up
    weights.bias[: len(start.outputs)] = start.weights.bias
    return weights
