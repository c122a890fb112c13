"""TuningJob: what is tuned, with what, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from tuneform.capabilities.prices import Money
from tuneform.specs.kinds.base import (
    AccountRef,
    DatasetRef,
    Duration,
    KeyRef,
    Referring,
    SpecModel,
    Text,
    Whole,
    matching,
    one_of,
    problem,
    shown,
)
from tuneform.specs.kinds.evaluation import EvaluationConfig

AdapterSize = Literal[
    "ADAPTER_SIZE_ONE",
    "ADAPTER_SIZE_TWO",
    "ADAPTER_SIZE_FOUR",
    "ADAPTER_SIZE_EIGHT",
    "ADAPTER_SIZE_SIXTEEN",
    "ADAPTER_SIZE_THIRTY_TWO",
]


def _cost(value: object) -> object:
    if not isinstance(value, str) or Money.parse(value) is None:
        hint = "write a number, a space and the currency's three letters: 25 USD, 12.50 EUR"
        raise problem("E127", f"{shown(value)} is not an amount of money", hint=hint)
    return value


Cost = Annotated[
    str,
    BeforeValidator(
        _cost,
        json_schema_input_type=Annotated[str, Field(pattern="^[0-9]{1,12}(?:\\.[0-9]{1,2})? [A-Z]{3}$")],
    ),
]


class HyperParameters(SpecModel):
    """How training goes. Vertex AI chooses what is left out, by its own rules for the dataset."""

    not_yet: ClassVar[Mapping[str, str]] = {
        "batchSize": "Vertex AI takes it for open models only",
        "learningRate": "Vertex AI takes it for open models only; use learningRateMultiplier",
    }

    epoch_count: Annotated[Whole, Field(ge=1)] | None = None
    """Passes over the training examples; cost grows with it."""
    adapter_size: AdapterSize | None = None
    """Rank of the adapter: larger learns more and wants more examples. The model decides what is allowed."""
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | None = None
    """Multiplies the learning rate that Vertex AI recommends."""
    beta: Annotated[float, Field(gt=0)] | None = None
    """For PREFERENCE_TUNING: how closely the tuned model stays by the one it is tuned from."""


class PreTunedModel(Referring):
    """A tuned model to go on from: exactly one of `ref` and `name`."""

    model_config = one_of("ref", "name")
    target = "TuningJob"
    replaced = True

    ref: Text | None = None
    """Another TuningJob of the project. A new revision of it makes a new revision of this one, after it."""
    name: (
        Annotated[
            str,
            matching(
                r"projects/[^/]+/locations/[^/]+/models/[^/@]+@[0-9]+",
                "a version of a model: projects/P/locations/L/models/M@V",
            ),
        ]
        | None
    ) = None
    """A model that tuneform did not tune, in the project's location. The version is part of it: without one the model's
    default would count, which anybody may change."""
    checkpoint: Literal["last", "best"] | Annotated[Whole, Field(ge=1)] | None = None
    """With `ref` as for a TunedModel: last (the default), best or the number of an epoch. With `name` the number of a
    checkpoint; Vertex AI takes the model's default where it is left out."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.ref is None) == (self.name is None):
            message = "no model to go on from" if self.ref is None else "'ref' and 'name' exclude each other"
            hint = "give ref: with a TuningJob, or name: with a model's resource name"
            raise problem("E130", message, hint=hint, at=("name",) if self.ref else ())
        if self.name and self.checkpoint in ("last", "best"):
            hint = "write the number of the checkpoint, or leave it out for the model's default"
            message = f"which checkpoint of a model from elsewhere is the {self.checkpoint} is not known here"
            raise problem("E130", message, hint=hint, at=("checkpoint",))
        return self


class Limits(SpecModel):
    """What a tuning may use up before it is stopped or refused."""

    max_billable_tokens: Annotated[Whole, Field(ge=1)] | None = None
    """Refuse a job that may bill more: tokens times epochs, by the upper end of the estimate. Wants an epochCount."""
    max_cost: Cost | None = None
    """Refuse a job that may cost more, such as `25 USD`. Wants an epochCount, and a price in that currency."""
    timeout: Duration | None = None
    """Cancel a job that runs longer."""
    retries: Annotated[Whole, Field(ge=0, le=10)] = 0
    """How many paid attempts may follow one that failed."""


class TuningJob(SpecModel):
    """One tuning of one base model on one dataset. A change of the recipe makes a new revision."""

    model_config = one_of("baseModel", "preTunedModel")

    not_yet: ClassVar[Mapping[str, str]] = {
        "outputUri": "Vertex AI wants it for open models only",
        "customBaseModel": "for open models only; name a Gemini model in baseModel",
        "distillationSpec": "supervised and preference tuning only so far",
        "reinforcementTuningSpec": "supervised and preference tuning only so far",
        "fullFineTuningSpec": "Gemini models are tuned with adapters",
        "partnerModelTuningSpec": "for open and partner models only",
        "veoTuningSpec": "text tuning only",
        "veoLoraTuningSpec": "text tuning only",
        "supervisedTuningSpec": "its fields stand here directly, and its datasets in a Dataset",
        "preferenceOptimizationSpec": "write method: PREFERENCE_TUNING; its fields stand here directly",
        "encryptionSpec": "name an EncryptionKey with encryptionKey: {ref: …}",
        "trainingDatasetUri": "name a Dataset with dataset: {ref: …}; it may be a gs:// URI there",
        "validationDatasetUri": "it belongs to the Dataset, as validation:",
    }
    values_not_yet: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "method": ("DISTILLATION", "REINFORCEMENT_TUNING"),
        "tuningMode": ("TUNING_MODE_FULL",),
    }

    base_model: Text | None = None
    """The model to tune, such as gemini-2.5-flash. Either this or `preTunedModel`."""
    pre_tuned_model: Annotated[PreTunedModel | None, Field(validate_default=True)] = None
    """The tuned model to tune further, with the same key."""
    dataset: DatasetRef
    """What it learns."""
    method: Literal["SUPERVISED", "PREFERENCE_TUNING"] = "SUPERVISED"
    """How it learns: from answers to be given, or from pairs of answers of which one is preferred."""
    tuning_mode: Literal["TUNING_MODE_PEFT_ADAPTER"] | None = None
    """What is trained; an adapter also where it is left out."""
    hyper_parameters: HyperParameters = HyperParameters()
    """How training goes."""
    export_last_checkpoint_only: bool | None = None
    """Keep the last checkpoint alone, rather than about one an epoch."""
    encryption_key: KeyRef | None = None
    """Key that encrypts the tuned model."""
    service_account: AccountRef | None = None
    """Account that the job runs as; Vertex AI's tuning agent where it is left out."""
    description: str = ""
    """For people; not part of the recipe."""
    tuned_model_display_name: Annotated[str, Field(max_length=128)] = ""
    """Name of the model in the registry; metadata.name unless said otherwise."""
    limits: Limits = Limits()
    """What it may use up."""
    evaluation_config: EvaluationConfig | None = None
    """What Vertex AI measures when the job is done (a preview); not part of the recipe, and no gate."""
    when_superseded: Literal["cancel", "finish"] = "cancel"
    """What happens to a running job when the recipe changes."""
    on_model_lost: Literal["report", "retrain"] = "report"
    """What happens when somebody else deletes the model: it is reported, or trained, and paid for, again."""

    @field_validator("pre_tuned_model")
    @classmethod
    def _one_model(cls, source: PreTunedModel | None, others: ValidationInfo) -> PreTunedModel | None:
        """With the field rather than with the whole, so that it is said beside whatever else is wrong."""
        if "base_model" not in others.data:
            return source
        if source is None and others.data["base_model"] is None:
            hint = "name the model to tune, or a tuned one to go on from with preTunedModel"
            raise problem("E124", "missing field 'baseModel'", hint=hint, at=("baseModel",))
        if source is not None and others.data["base_model"] is not None:
            hint = "keep one of them: the tuned model has its base model already"
            raise problem("E130", "'baseModel' and 'preTunedModel' exclude each other", hint=hint)
        return source

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        supervised = self.method == "SUPERVISED"
        if supervised and self.hyper_parameters.beta is not None:
            hint = "leave it out, or write method: PREFERENCE_TUNING"
            raise problem("E130", "beta is for preference tuning", hint=hint, at=("hyperParameters", "beta"))
        if not supervised and self.tuning_mode is not None:
            raise problem(
                "E130", "tuningMode is for supervised tuning", hint="leave it out", at=("tuningMode",)
            )
        if not supervised and self.evaluation_config is not None:
            message = "evaluationConfig is for supervised tuning"
            raise problem("E130", message, hint="leave it out", at=("evaluationConfig",))
        return self
