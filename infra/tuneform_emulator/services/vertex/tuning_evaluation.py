"""evaluationConfig: the evaluation service measures the checkpoints of a job that has succeeded.

The emulator computes exact matches, on the validation examples, and refuses other metrics by name. It writes no files.
That an evaluation runs after the job, in us-central1 alone, is documented ("Tune Gemini models with supervised
fine-tuning", Google Cloud); that it takes the validation data, and what it says without any, is not, and is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tuneform_emulator import trainer, wire
from tuneform_emulator.services.vertex import fields
from tuneform_emulator.services.vertex.resources import Json, Place
from tuneform_emulator.world import World

REGION = "us-central1"
FAILED_PRECONDITION = 9
_FIELD = "tuning_job.supervised_tuning_spec.evaluation_config"
_CONFIG = ("metrics", "outputConfig")


def check(place: Place, config: Json) -> Json:
    """The configuration as the job will show it; an absent one is empty.

    Raises:
        ApiError: 400 for a region without evaluation, and for what is missing; 501 for what is not computed here.
    """
    if not config:
        return {}
    if place.location != REGION:
        raise wire.ApiError.failed_precondition(
            f"Evaluation is available in {REGION}, not in {place.location}."
        )
    given = fields.known(config, "EvaluationConfig", read=_CONFIG)
    metrics = given.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        raise wire.ApiError.invalid("metrics is required.", (f"{_FIELD}.metrics", "Required."))
    for metric in metrics:
        known = fields.known(metric, "Metric", read=("exactMatchSpec", "aggregationMetrics"))
        if "exactMatchSpec" not in known or known.get("aggregationMetrics", ["AVERAGE"]) != ["AVERAGE"]:
            raise wire.ApiError.unimplemented(
                "tuneform-emulator computes the average of exactMatchSpec alone"
            )
    output = fields.message(fields.message(given, "outputConfig"), "gcsDestination")
    if not fields.string(output, "outputUriPrefix").startswith("gs://"):
        reason = "output_config needs a folder in Cloud Storage."
        raise wire.ApiError.invalid(reason, (f"{_FIELD}.output_config", reason))
    return given


def runs(
    world: World, config: Json, validation: Sequence[trainer.Example], blobs: Iterable[tuple[str, str]]
) -> list[Json]:
    """What is measured of each checkpoint, given as (id, key of its blob in the store)."""
    folder = config["outputConfig"]["gcsDestination"]["outputUriPrefix"]
    found = []
    for key, blob in blobs:
        run: Json = {"checkpointId": key} if key else {}
        if not validation:
            why = "There is no validation dataset to evaluate on."
            found.append({**run, "error": {"code": FAILED_PRECONDITION, "message": why}})
            continue
        checkpoint = trainer.Checkpoint.from_bytes(world.store.get_blob(blob) or b"")
        result = {
            "aggregationMetric": "AVERAGE",
            "exactMatchMetricValue": {"score": _matches(checkpoint, validation)},
        }
        response = {
            "aggregationOutput": {"aggregationResults": [result] * len(config["metrics"])},
            "outputInfo": {"gcsOutputDirectory": folder},
        }
        found.append({**run, "evaluateDatasetResponse": response})
    return found


def _matches(checkpoint: trainer.Checkpoint, examples: Sequence[trainer.Example]) -> float:
    best = checkpoint.log_probabilities([example.prompt for example in examples]).argmax(axis=1)
    right = sum(checkpoint.outputs[int(i)] == e.output for i, e in zip(best, examples, strict=True))
    return right / len(examples)


def shown(job: Mapping[str, Any]) -> Json:
    """A job's configuration, empty where it has none."""
    config: Json = job.get("supervisedTuningSpec", {}).get("evaluationConfig", {})
    return config
