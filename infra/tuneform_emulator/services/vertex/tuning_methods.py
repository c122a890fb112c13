"""The ways of tuning that the emulator knows: supervised, and by preference.

Sources: the API's discovery documents (aiplatform v1 and v1beta1, revision 20261106) for the fields, and Google's
"Prepare preference tuning data for Gemini models" for what a preference dataset holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuneform_emulator import trainer
from tuneform_emulator.services.vertex.base_models import ADAPTER_SIZES
from tuneform_emulator.services.vertex.resources import Json


@dataclass(frozen=True)
class Method:
    """One way of tuning: the field of a job that says how, and what reads its data and trains on it."""

    field: str
    path: str
    hyper_parameters: tuple[str, ...]
    tune_type: str
    """The label `tune-type` of its models. `sft` was seen on real ones; the other's is not known, and ours."""
    parse: Callable[[bytes], Sequence[Any]]
    stats_field: str
    stats: Callable[[Sequence[Any], int, Sequence[int]], Json]
    """Of the examples, for so many epochs, with the numbers of those that were dropped."""
    series: Mapping[str, str]
    """What is measured of an epoch, by the name of its TensorBoard series; `{kind}` is `train` or `eval`."""
    own: tuple[str, ...] = ()
    """Fields of the spec that other methods do not have."""
    beta_only: tuple[str, ...] = ()
    """Fields of the spec that v1 does not have."""


_SHARED = ("epochCount", "adapterSize", "learningRateMultiplier")

SUPERVISED = Method(
    field="supervisedTuningSpec",
    path="tuning_job.supervised_tuning_spec",
    hyper_parameters=_SHARED,
    tune_type="sft",
    parse=trainer.parse_jsonl,
    stats_field="supervisedTuningDataStats",
    stats=trainer.data_stats,
    series={
        "/{kind}_total_loss": "loss",
        "/{kind}_fraction_of_correct_next_step_preds": "accuracy",
        "/{kind}_num_predictions": "predictions",
    },
    own=("evaluationConfig",),
    beta_only=("tuningMode",),
)

PREFERENCE = Method(
    field="preferenceOptimizationSpec",
    path="tuning_job.preference_optimization_spec",
    hyper_parameters=(*_SHARED, "beta"),
    tune_type="preference",
    parse=trainer.parse_preferences,
    stats_field="preferenceOptimizationDataStats",
    stats=trainer.preference_stats,
    # One public job has the training loss under this name; the other one's is made like it.
    series={"/preference_optimization_{kind}_loss": "loss"},
)

METHODS = (SUPERVISED, PREFERENCE)


def of(job: Mapping[str, Any]) -> tuple[Method, Json]:
    """How a job tunes, and its spec for that."""
    method = next(method for method in METHODS if method.field in job)
    spec: Json = job[method.field]
    return method, spec


def training(
    method: Method,
    hyper: Json,
    examples: tuple[Sequence[Any], Sequence[Any]],
    start: trainer.Checkpoint | None,
    seed: int,
) -> trainer.Training | trainer.PreferenceTraining:
    """A run over (training, validation) examples."""
    settings = trainer.Settings(
        epochs=int(hyper["epochCount"]),
        rank=ADAPTER_SIZES[hyper["adapterSize"]],
        learning_rate_multiplier=float(hyper["learningRateMultiplier"]),
        seed=seed,
    )
    if method is PREFERENCE:
        return trainer.PreferenceTraining(settings, *examples, start, beta=float(hyper["beta"]))
    return trainer.Training(settings, *examples, start)
