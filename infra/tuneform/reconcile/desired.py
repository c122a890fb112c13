"""What the specs ask for, with every reference followed: plain frozen data, no platform types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True)
class Project:
    """Where live things are kept: a Google Cloud project, its locations, and who owns what is in it.

    `name` is the Project document's name; `project_id` is Google's.
    """

    name: str
    project_id: str
    location: str
    serving_location: str
    owner: str
    state_bucket: str

    @property
    def parent(self) -> str:
        """Resource name that tuning jobs and models live under."""
        return f"projects/{self.project_id}/locations/{self.location}"

    @property
    def serving_parent(self) -> str:
        """Resource name that serving endpoints live under."""
        return f"projects/{self.project_id}/locations/{self.serving_location}"


@dataclass(frozen=True)
class Identity:
    """One tuning for its whole life, whatever its revisions: `<project>/<name>`."""

    project: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"


@dataclass(frozen=True)
class Content:
    """One split of a dataset where it lies in Cloud Storage, in canonical Vertex JSONL.

    `digest` is of the content (tuneform.datasets); `tokens` is an estimate, one pass over the data.
    """

    uri: str
    digest: str
    examples: int
    tokens: int


@dataclass(frozen=True)
class HyperParameters:
    """As the Vertex API names them. None is "unset": the service decides, and the recipe does not hold it."""

    epoch_count: int | None = None
    adapter_size: str | None = None
    learning_rate_multiplier: float | None = None


@dataclass(frozen=True)
class Limits:
    """What a tuning may cost and how long it may take."""

    max_billable_tokens: int | None = None
    timeout: timedelta | None = None
    retries: int = 0


@dataclass(frozen=True)
class Tuning:
    """A TuningJob document, resolved."""

    project: Project
    name: str
    base_model: str
    training: Content
    method: str = "SUPERVISED"
    validation: Content | None = None
    hyper_parameters: HyperParameters = HyperParameters()
    export_last_checkpoint_only: bool | None = None
    kms_key: str | None = None
    service_account: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    display_name: str = ""
    limits: Limits = Limits()
    when_superseded: Literal["cancel", "finish"] = "cancel"

    @property
    def identity(self) -> Identity:
        """The identity that Pulumi, the ledger and the labels know this tuning by."""
        return Identity(self.project.name, self.name)


@dataclass(frozen=True)
class Gate:
    """What a revision must show before it gets traffic. A threshold of None is not asked for.

    `exact_match_examples` is how many test examples are asked, None for all.
    """

    exact_match_at_least: float | None = None
    exact_match_examples: int | None = None
    eval_loss_at_most: float | None = None
    eval_accuracy_at_least: float | None = None


@dataclass(frozen=True)
class Serving:
    """A TunedModel document, resolved. `tuning` is the name of the TuningJob whose model it serves."""

    project: Project
    name: str
    tuning: str
    revision: str
    checkpoint: Literal["last", "best"] | int = "last"
    gate: Gate = Gate()
    test: Content | None = None
    keep: int = 2
    labels: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    display_name: str = ""
    kms_key: str | None = None

    @property
    def identity(self) -> Identity:
        """The identity of the served model; clients call its endpoint by the same name."""
        return Identity(self.project.name, self.name)

    @property
    def endpoint(self) -> str:
        """The serving endpoint's resource name, the same for ever."""
        return f"{self.project.serving_parent}/endpoints/{self.name}"
