"""From protobuf messages to the core's frozen data.

The messages are bare ones, without proto-plus around them, which takes several times as long to read; a project may
have ten thousand jobs. Unset fields read as their defaults, so that an absent message reads as an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from google.protobuf import json_format

from tuneform.platforms.vertex import slim
from tuneform.reconcile.live import (
    Checkpoint,
    Deployed,
    Endpoint,
    Evaluation,
    Job,
    JobState,
    Model,
    bare,
    version,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Messages:
    """Reads the messages of one project.

    Google writes a project in resource names by its id or by its number (the reference, section 0, rule 8); here it
    is always the id, so that a name from a list is the name that we would make.
    """

    project_id: str

    def job(self, raw: Any) -> Job:
        """A tuning job."""
        spec, tuned = raw.supervised_tuning_spec, raw.tuned_model
        hyper, stats = spec.hyper_parameters, raw.tuning_data_stats.supervised_tuning_data_stats
        return Job(
            name=self.own(raw.name),
            state=_states().get(raw.state, JobState.UNSPECIFIED),
            labels=dict(raw.labels),
            base_model=raw.base_model or raw.pre_tuned_model.base_model,
            pre_tuned=self.own(raw.pre_tuned_model.tuned_model_name),
            pre_tuned_checkpoint=raw.pre_tuned_model.checkpoint_id,
            training_uri=spec.training_dataset_uri,
            epochs=hyper.epoch_count,
            steps=stats.tuning_step_count,
            model=self.own(tuned.model),
            endpoint=self.own(tuned.endpoint),
            checkpoints=tuple(
                Checkpoint(c.checkpoint_id, c.epoch, c.step, self.own(c.endpoint)) for c in tuned.checkpoints
            ),
            experiment=self.own(raw.experiment),
            error=raw.error.message,
            validation_uri=spec.validation_dataset_uri,
            adapter_size=_adapter_sizes().get(hyper.adapter_size, ""),
            learning_rate_multiplier=hyper.learning_rate_multiplier,
            last_checkpoint_only=spec.export_last_checkpoint_only,
            kms_key=raw.encryption_spec.kms_key_name,
            service_account=raw.service_account,
            display_name=raw.tuned_model_display_name,
            description=raw.description,
            billable_tokens=stats.total_billable_token_count or None,
            evaluations=tuple(e for run in raw.evaluate_dataset_runs for e in _evaluations(run)),
            created=moment(raw.create_time),
            ended=moment(raw.end_time),
        )

    def job_shown(self, shown: Mapping[str, Any]) -> Job:
        """A tuning job from the JSON of v1beta1."""
        message = type(slim.message("tuning_job", "TuningJob")).pb()()
        json_format.ParseDict(dict(shown), message, ignore_unknown_fields=True)
        return self.with_preferences(self.job(message), shown)

    def with_preferences(self, job: Job, shown: Mapping[str, Any]) -> Job:
        """A job with what v1beta1 shows of preference tuning, which the generated messages have no fields for."""
        found = replace(job, substate=substate(shown))
        spec: Mapping[str, Any] | None = shown.get("preferenceOptimizationSpec")
        if spec is None:
            return found
        hyper = spec.get("hyperParameters", {})
        stats = shown.get("tuningDataStats", {}).get("preferenceOptimizationDataStats", {})
        return replace(
            found,
            method="PREFERENCE_TUNING",
            training_uri=spec.get("trainingDatasetUri", ""),
            validation_uri=spec.get("validationDatasetUri", ""),
            epochs=int(hyper.get("epochCount", 0)),
            adapter_size=hyper.get("adapterSize", ""),
            learning_rate_multiplier=float(hyper.get("learningRateMultiplier", 0.0)),
            beta=float(hyper.get("beta", 0.0)),
            last_checkpoint_only=bool(spec.get("exportLastCheckpointOnly")),
            steps=int(stats.get("tuningStepCount", 0)),
            billable_tokens=int(stats.get("totalBillableTokenCount", 0)) or None,
        )

    def model(self, raw: Any) -> Model:
        """A model of the registry."""
        return Model(self.own(raw.name), raw.display_name, raw.description, dict(raw.labels))

    def endpoint(self, raw: Any) -> Endpoint:
        """An endpoint and what is deployed on it."""
        traffic = raw.traffic_split
        deployed = tuple(
            Deployed(
                id=d.id,
                model=self.own(bare(d.model)),
                version=d.model_version_id or version(d.model),
                checkpoint=d.checkpoint_id,
                traffic=traffic.get(d.id, 0),
            )
            for d in raw.deployed_models
        )
        return Endpoint(self.own(raw.name), raw.display_name, raw.description, dict(raw.labels), deployed)

    def own(self, name: str) -> str:
        """A resource name of this project, with its id."""
        kind, _, rest = name.partition("/")
        number, _, inside = rest.partition("/")
        return f"{kind}/{self.project_id}/{inside}" if kind == "projects" and number.isdecimal() else name


def _evaluations(run: Any) -> Iterator[Evaluation]:
    """What one evaluation run measured, by the API's name of each metric: exactMatch, bleu, rouge, pointwise, …"""
    if run.error.code:
        yield Evaluation(run.checkpoint_id, "", None, run.error.message)
    for result in run.evaluate_dataset_response.aggregation_output.aggregation_results:
        kind = result.WhichOneof("aggregation_result") or ""
        measured = getattr(result, kind) if kind else None
        score = getattr(measured, "score", None)
        name = kind.removesuffix("_metric_value").removesuffix("_metric_result")
        words = name.split("_")
        metric = words[0] + "".join(word.title() for word in words[1:])
        yield Evaluation(run.checkpoint_id, metric, None if score is None else float(score))


def substate(shown: Mapping[str, Any]) -> str:
    """What a running job is at, from the JSON of v1beta1."""
    return str(shown.get("tuningJobState", "")).removeprefix("TUNING_JOB_STATE_")


@cache
def _states() -> Mapping[int, JobState]:
    """By number; a state that a newer service has is not among them."""
    known = {state.value: state for state in JobState}
    found = {int(s): known.get(s.name.removeprefix("JOB_STATE_")) for s in slim.types("job_state").JobState}
    return {number: state for number, state in found.items() if state is not None}


@cache
def _adapter_sizes() -> Mapping[int, str]:
    sizes = slim.types("tuning_job").SupervisedHyperParameters.AdapterSize
    return {int(size): size.name for size in sizes if size}


def moment(stamp: Any) -> datetime | None:
    """A Timestamp as a moment; None where it is not set."""
    if not (stamp.seconds or stamp.nanos):
        return None
    return EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
