"""EvaluationConfig: what Vertex AI's evaluation service measures of a tuned model once its job has succeeded.

Fields as the API has them (aiplatform v1, discovery revision 20261106). Documented as a preview, in us-central1 alone
("Tune Gemini models with supervised fine-tuning", as read on 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tuneform.specs.kinds.base import SpecModel, Text, Whole, matching, problem

_PARAMETERS = "free-form parameters come later; leave them out"


class ExactMatchSpec(SpecModel):
    """How often the answer is the expected one, to the letter."""


class BleuSpec(SpecModel):
    """BLEU: how many n-grams of the answer are in the expected one."""

    use_effective_order: bool | None = None
    """Leave out the lengths of n-grams that an answer is too short for."""


class RougeSpec(SpecModel):
    """ROUGE: how much of the expected answer is in the answer."""

    rouge_type: Text | None = None
    """Such as rouge1, rougeL or rougeLsum."""
    use_stemmer: bool | None = None
    """Compare the stems of words."""
    split_summaries: bool | None = None
    """For rougeLsum: divide into lines by sentences."""


class CustomOutputFormatConfig(SpecModel):
    """What is kept of the judging model's output."""

    return_raw_output: bool | None = None
    """Keep it as it came."""


class PointwiseMetricSpec(SpecModel):
    """A model judges each answer by itself. Its calls are billed."""

    metric_prompt_template: Text
    """What it is asked, with the fields of the example in braces."""
    system_instruction: Text | None = None
    """What it is told beforehand."""
    custom_output_format_config: CustomOutputFormatConfig | None = None
    """What is kept of its output."""


class PairwiseMetricSpec(PointwiseMetricSpec):
    """A model judges which of two answers is better. Its calls are billed."""

    candidate_response_field_name: Text | None = None
    """The field with the answer that is judged."""
    baseline_response_field_name: Text | None = None
    """The field with the answer that it is compared with."""


class PredefinedMetricSpec(SpecModel):
    """A metric that the service has under a name. Its calls are billed."""

    not_yet: ClassVar[Mapping[str, str]] = {"metricSpecParameters": _PARAMETERS}

    metric_spec_name: Text
    """Such as general_quality_v1."""


class ComputationBasedMetricSpec(SpecModel):
    """A metric that is computed, by the name of its type."""

    not_yet: ClassVar[Mapping[str, str]] = {"parameters": _PARAMETERS}

    type: Literal["EXACT_MATCH", "BLEU", "ROUGE"]
    """Which one."""


class AutoraterConfig(SpecModel):
    """The model that judges."""

    not_yet: ClassVar[Mapping[str, str]] = {"generationConfig": "the judging model's settings come later"}

    sampling_count: Annotated[Whole, Field(ge=1, le=32)] | None = None
    """How often each answer is judged; the majority counts."""
    flip_enabled: bool | None = None
    """Show the two answers of a pair the other way round half of the time."""
    autorater_model: Text | None = None
    """Resource name of the model; the service's own where it is left out."""


class LLMBasedMetricSpec(SpecModel):
    """A model judges by rubrics or by a prompt. Its calls are billed."""

    not_yet: ClassVar[Mapping[str, str]] = {"additionalConfig": _PARAMETERS}

    rubric_group_key: Text | None = None
    """The examples' own rubrics under this key."""
    predefined_rubric_generation_spec: PredefinedMetricSpec | None = None
    """Rubrics that the service makes."""
    metric_prompt_template: Text | None = None
    """What the model is asked."""
    system_instruction: Text | None = None
    """What it is told beforehand."""
    judge_autorater_config: AutoraterConfig | None = None
    """The model that judges by this metric."""


_METRICS = (
    "exactMatchSpec",
    "bleuSpec",
    "rougeSpec",
    "pointwiseMetricSpec",
    "pairwiseMetricSpec",
    "predefinedMetricSpec",
    "computationBasedMetricSpec",
    "llmBasedMetricSpec",
)


class Metric(SpecModel):
    """One metric: exactly one of its specs."""

    exact_match_spec: ExactMatchSpec | None = None
    """Equal to the expected answer."""
    bleu_spec: BleuSpec | None = None
    """BLEU."""
    rouge_spec: RougeSpec | None = None
    """ROUGE."""
    pointwise_metric_spec: PointwiseMetricSpec | None = None
    """Judged by a model, each answer by itself."""
    pairwise_metric_spec: PairwiseMetricSpec | None = None
    """Judged by a model, two answers beside each other."""
    predefined_metric_spec: PredefinedMetricSpec | None = None
    """By the name that the service has it under."""
    computation_based_metric_spec: ComputationBasedMetricSpec | None = None
    """Computed."""
    llm_based_metric_spec: LLMBasedMetricSpec | None = None
    """Judged by a model, by rubrics or a prompt."""
    aggregation_metrics: (
        tuple[
            Literal[
                "AVERAGE",
                "MODE",
                "STANDARD_DEVIATION",
                "VARIANCE",
                "MINIMUM",
                "MAXIMUM",
                "MEDIAN",
                "PERCENTILE_P90",
                "PERCENTILE_P95",
                "PERCENTILE_P99",
            ],
            ...,
        ]
        | None
    ) = None
    """What is made of the examples' results."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if name.endswith("_spec") and getattr(self, name)]
        if len(given) != 1:
            message = "several metrics in one item of the list" if given else "no metric"
            raise problem("E130", message, hint=f"give exactly one of {', '.join(_METRICS)}")
        return self


class GcsDestination(SpecModel):
    """A folder in Cloud Storage."""

    output_uri_prefix: Annotated[
        str, matching(r"gs://[a-z0-9][a-z0-9_.-]+(/\S*)?", "a folder in Cloud Storage: gs://bucket/folder")
    ]
    """gs://bucket/folder."""


class OutputConfig(SpecModel):
    """Where results are written."""

    gcs_destination: GcsDestination
    """A folder in Cloud Storage, which the tuning agent may write to."""


class InferenceGenerationConfig(SpecModel):
    """How the tuned model answers while it is evaluated."""

    not_yet: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "responseSchema",
            "responseJsonSchema",
            "responseMimeType",
            "routingConfig",
            "speechConfig",
            "imageConfig",
            "responseModalities",
            "mediaResolution",
            "audioTimestamp",
            "responseLogprobs",
            "logprobs",
            "thinkingConfig",
        ),
        "only what decides on plain text so far",
    )

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """0 takes the likeliest token each time."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """The fewest tokens whose probabilities sum to this are drawn from."""
    top_k: Annotated[float, Field(ge=1)] | None = None
    """The likeliest tokens, so many, are drawn from."""
    candidate_count: Annotated[Whole, Field(ge=1, le=8)] | None = None
    """How many answers are given."""
    max_output_tokens: Annotated[Whole, Field(ge=1)] | None = None
    """The longest answer."""
    stop_sequences: tuple[Text, ...] | None = None
    """Texts that end an answer."""
    presence_penalty: float | None = None
    """Above 0: new words rather than those that were there."""
    frequency_penalty: float | None = None
    """Above 0: seldom words rather than frequent ones."""
    seed: Whole | None = None
    """The same draw each time, as far as possible."""


class EvaluationConfig(SpecModel):
    """What Vertex AI measures of the tuned model, on the validation examples, once the job has succeeded."""

    not_yet: ClassVar[Mapping[str, str]] = {"datasetCustomMetrics": "aggregations of your own come later"}

    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    """What is measured."""
    output_config: OutputConfig
    """Where the results are written."""
    autorater_config: AutoraterConfig | None = None
    """The model that judges, for metrics that want one."""
    inference_generation_config: InferenceGenerationConfig | None = None
    """How the tuned model answers meanwhile."""
