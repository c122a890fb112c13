"""TuningJob: what is tuned, with what, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from tuneform.capabilities.prices import Money
from tuneform.specs.kinds.base import (
    AccountRef,
    DatasetRef,
    Duration,
    KeyRef,
    SpecModel,
    Text,
    Whole,
    problem,
    shown,
)

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

    not_yet: ClassVar[Mapping[str, str]] = {
        "preTunedModel": "tuning on top of a tuned model comes later; name a baseModel",
        "tuningMode": "adapters only so far; leave it out",
        "evaluationConfig": "use the gate of a TunedModel",
        "outputUri": "Vertex AI wants it for open models only",
        "preferenceOptimizationSpec": "supervised tuning only so far",
        "distillationSpec": "supervised tuning only so far",
        "reinforcementTuningSpec": "supervised tuning only so far",
    }
    values_not_yet: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "method": ("PREFERENCE_TUNING", "DISTILLATION", "REINFORCEMENT_TUNING"),
    }

    base_model: Text
    """The model to tune, such as gemini-2.5-flash."""
    dataset: DatasetRef
    """What it learns."""
    method: Literal["SUPERVISED"] = "SUPERVISED"
    """How it learns."""
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
    when_superseded: Literal["cancel", "finish"] = "cancel"
    """What happens to a running job when the recipe changes."""
    on_model_lost: Literal["report", "retrain"] = "report"
    """What happens when somebody else deletes the model: it is reported, or trained, and paid for, again."""
