"""What a tuning job leaves behind: weights that answer prompts, small enough to keep one for every epoch."""

import io
import json
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneform_emulator.trainer.adapter import Array, Weights, log_softmax, logits
from tuneform_emulator.trainer.features import DIMENSIONS, Floats, centre, encode

_FORMAT = 1
_CANDIDATES = 5
_READING = threading.Lock()
"""numpy reads what precedes an array with `ast`, whose depth CPython 3.11 counts for all threads together: of two that
read at once, one may end in a SystemError (python/cpython issue 106905)."""


@dataclass(frozen=True)
class Candidate:
    """An output and its log probability in nats."""

    text: str
    log_probability: float


@dataclass(frozen=True)
class Answer:
    """The output chosen, its log probability before temperature, and the likeliest outputs, best first."""

    text: str
    log_probability: float
    candidates: tuple[Candidate, ...]


class CheckpointError(ValueError):
    """Bytes that are not a checkpoint of this trainer."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained adapter in half precision, the mean text it was centred on, and the outputs it can give."""

    weights: Weights
    mean: Floats
    outputs: tuple[str, ...]

    @classmethod
    def export(cls, weights: Weights, mean: Floats, outputs: tuple[str, ...]) -> "Checkpoint":
        """Copy the weights, rounded to what `to_bytes` keeps, so that what is measured is what is served."""
        rounded = (array.astype(np.float16).astype(np.float32) for array in weights.arrays())
        return cls(Weights(*rounded), mean.copy(), outputs)

    @property
    def rank(self) -> int:
        """The adapter size."""
        return int(self.weights.down.shape[1])

    def to_bytes(self) -> bytes:
        """An npz archive, weights as float16, no pickle. Equal checkpoints have equal bytes."""
        header = json.dumps({"format": _FORMAT, "outputs": self.outputs}).encode()
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            header=np.frombuffer(header, dtype=np.uint8),
            down=self.weights.down.astype(np.float16),
            up=self.weights.up.astype(np.float16),
            bias=self.weights.bias.astype(np.float16),
            mean=self.mean,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Checkpoint":
        """Read what `to_bytes` wrote. Raises `CheckpointError` on anything else."""
        try:
            with _READING, np.load(io.BytesIO(data), allow_pickle=False) as stored:
                header = json.loads(stored["header"].tobytes())
                down, up, bias, mean = (
                    stored[name].astype(np.float32) for name in ("down", "up", "bias", "mean")
                )
                outputs = tuple(header["outputs"])
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"not a checkpoint of this trainer: {error}") from error
        if header.get("format") != _FORMAT or down.shape[0] != DIMENSIONS or up.shape[1] != len(outputs):
            raise CheckpointError("a checkpoint of another version of this trainer")
        return cls(Weights(down, up, bias), mean, outputs)

    def log_probabilities(self, prompts: Sequence[str]) -> Array:
        """Log probability of every output for every prompt, shape (prompts, outputs), in nats."""
        return log_softmax(logits(self.weights, centre(encode(prompts), self.mean)))

    def answer(
        self,
        prompt: str,
        *,
        temperature: float = 0.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
    ) -> Answer:
        """Choose an output: the likeliest at temperature 0, else drawn after top-k, then top-p, by `seed`.

        Any prompt gets an answer, an empty one or one with not a single known word too: like a model that
        was tuned for one task, it knows no other outputs.
        """
        scores = self.log_probabilities([prompt])[0]
        ranked = np.argsort(-scores, kind="stable")
        chosen = int(ranked[0])
        if temperature > 0:
            kept = ranked if top_k is None else ranked[: max(top_k, 1)]
            chosen = int(kept[_draw(scores[kept], temperature, top_p, seed)])
        best = tuple(Candidate(self.outputs[i], float(scores[i])) for i in ranked[:_CANDIDATES])
        return Answer(self.outputs[chosen], float(scores[chosen]), best)


def _draw(scores: Array, temperature: float, top_p: float | None, seed: int) -> int:
    """The place drawn among `scores`, which fall: from the fewest whose probabilities sum to `top_p`."""
    weights = np.exp(log_softmax(scores.astype(np.float64) / temperature))
    if top_p is not None:
        weights = weights[: int(np.searchsorted(np.cumsum(weights), top_p)) + 1]
    return int(np.random.default_rng(seed).choice(len(weights), p=weights / weights.sum()))
