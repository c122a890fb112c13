"""Statistics of a tuning dataset, as `tuningDataStats` reports them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tuneform_emulator.trainer.examples import MAX_TOKENS, Example, Preference
from tuneform_emulator.trainer.tokens import count_tokens
from tuneform_emulator.trainer.training import batch_size_for

_SAMPLES = 3
_SAMPLE_CHARACTERS = 400
_BUCKETS = 10


def data_stats(
    examples: Sequence[Example], epochs: int, dropped: Sequence[int] = (), batch_size: int = 0
) -> dict[str, Any]:
    """The SupervisedTuningDataStats JSON of a training set (aiplatform v1, discovery revision 20261106).

    int64 fields are strings. `totalBillableTokenCount` is input plus output tokens of one epoch, and samples
    are cut at 400 characters, both as in a real job's record of 2024-11-03. `dropped` are the numbers of examples that
    were too long (`fitting`), and are not among `examples`. Raises `ValueError` without examples.
    """
    if not examples:
        raise ValueError("statistics need at least one example")
    inputs = [count_tokens(example.prompt) for example in examples]
    outputs = [count_tokens(example.output) for example in examples]
    characters = sum(len(example.prompt) + len(example.output) for example in examples)
    steps = epochs * math.ceil(len(examples) / (batch_size or batch_size_for(len(examples))))
    return {
        "tuningDatasetExampleCount": str(len(examples)),
        "tuningStepCount": str(steps),
        "totalTuningCharacterCount": str(characters),
        "totalBillableCharacterCount": str(characters),
        "totalBillableTokenCount": str(sum(inputs) + sum(outputs)),
        "totalTruncatedExampleCount": str(len(dropped)),
        **_dropped("truncatedExampleIndices", dropped),
        "userInputTokenDistribution": _distribution(inputs, billable=True),
        "userOutputTokenDistribution": _distribution(outputs, billable=True),
        "userMessagePerExampleDistribution": _distribution([example.messages for example in examples]),
        "userDatasetExamples": [
            {"role": role, "parts": [{"text": _cut(text)}]}
            for example in examples[:_SAMPLES]
            for role, text in (("user", example.prompt), ("model", example.output))
        ],
    }


def preference_stats(
    preferences: Sequence[Preference], epochs: int, dropped: Sequence[int] = (), batch_size: int = 0
) -> dict[str, Any]:
    """The PreferenceOptimizationDataStats JSON of a training set (aiplatform v1, discovery revision 20261106).

    Billed are every prompt twice and both its completions ("About preference tuning for Gemini models", Google Cloud,
    as read on 2026-10-03). `dropped` as for `data_stats`.
    """
    inputs = [count_tokens(preference.prompt) for preference in preferences]
    outputs = [count_tokens(text) for p in preferences for text in (p.preferred, p.dispreferred)]
    steps = epochs * math.ceil(len(preferences) / (batch_size or batch_size_for(len(preferences))))
    return {
        "tuningDatasetExampleCount": str(len(preferences)),
        "tuningStepCount": str(steps),
        "totalBillableTokenCount": str(2 * sum(inputs) + sum(outputs)),
        **_dropped("droppedExampleIndices", dropped),
        "userInputTokenDistribution": _distribution(inputs, billable=True),
        "userOutputTokenDistribution": _distribution(outputs, billable=True),
        "scoresDistribution": _distribution([0, 1] * len(preferences)),
        "userDatasetExamples": [_sample(preference) for preference in preferences[:_SAMPLES]],
    }


def _dropped(field: str, numbers: Sequence[int]) -> dict[str, Any]:
    """A part of what was dropped, and why; the wording is ours."""
    if not numbers:
        return {}
    reason = f"The example has more than {MAX_TOKENS} tokens."
    shown = [str(number) for number in numbers[:_BUCKETS]]
    return {field: shown, "droppedExampleReasons": [reason] * len(shown)}


def _sample(preference: Preference) -> dict[str, Any]:
    scored = ((1, preference.preferred), (0, preference.dispreferred))
    return {
        "contents": [{"role": "user", "parts": [{"text": _cut(preference.prompt)}]}],
        "completions": [
            {"score": score, "completion": {"role": "model", "parts": [{"text": _cut(text)}]}}
            for score, text in scored
        ],
    }


def _distribution(values: Sequence[int], *, billable: bool = False) -> dict[str, Any]:
    array = np.array(values)
    p5, median, p95 = (float(value) for value in np.percentile(array, (5, 50, 95)))
    distribution: dict[str, Any] = {
        "sum": str(int(array.sum())),
        "min": int(array.min()),
        "max": int(array.max()),
        "mean": float(array.mean()),
        "median": median,
        "p5": p5,
        "p95": p95,
        "buckets": _buckets(array.tolist()),
    }
    if billable:
        distribution["billableSum"] = distribution["sum"]
    return distribution


def _buckets(values: list[int]) -> list[dict[str, int]]:
    """Ten ranges of equal width between the extremes, both ends included; one without values is left out."""
    low, high = min(values), max(values)
    edges = [low + math.ceil((high - low + 1) * number / _BUCKETS) for number in range(_BUCKETS + 1)]
    bounds = sorted(set(edges))
    counts, _ = np.histogram(values, bins=bounds)
    ranges = zip(counts.tolist(), bounds[:-1], bounds[1:], strict=True)
    return [{"count": count, "left": left, "right": right - 1} for count, left, right in ranges if count]


def _cut(text: str) -> str:
    return text if len(text) <= _SAMPLE_CHARACTERS else f"{text[:_SAMPLE_CHARACTERS]}..."
