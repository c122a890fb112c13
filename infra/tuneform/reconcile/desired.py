"""What the specs ask for, with every reference followed: plain frozen data, no platform types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from tuneform.capabilities.prices import Money, Price
from tuneform.reconcile import recipe


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
    def note(self) -> str:
        """What is noted on a dataset object that was stored for this project: its owner and its name."""
        return f"{self.owner}/{self.name}"

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

    `digest` is of the content (tuneform.datasets); `tokens` is an estimate, one pass over the data, between
    `tokens_low` and `tokens_high`. The latter is None where nobody knows an upper end.
    """

    uri: str
    digest: str
    examples: int
    tokens: int
    tokens_low: int = 0
    tokens_high: int | None = None


@dataclass(frozen=True)
class HyperParameters:
    """As the Vertex API names them. None is "unset": the service decides, and the recipe does not hold it."""

    epoch_count: int | None = None
    adapter_size: str | None = None
    learning_rate_multiplier: float | None = None
    beta: float | None = None


@dataclass(frozen=True)
class Parent:
    """What a tuning goes on from (continuous tuning): a revision of another tuning, or a model from elsewhere.

    `names` are the other tuning's name and its earlier ones, and `revision` is the one that its specs ask for; `model`
    is a resource name with its version. `checkpoint` is an epoch, or with `model` a checkpoint's number.
    """

    names: tuple[str, ...] = ()
    revision: str = ""
    model: str = ""
    checkpoint: Literal["last", "best"] | int | None = None


@dataclass(frozen=True)
class Limits:
    """What a tuning may cost and how long it may take."""

    max_billable_tokens: int | None = None
    timeout: timedelta | None = None
    retries: int = 0
    max_cost: Money | None = None


@dataclass(frozen=True)
class Tuning:
    """A TuningJob document, resolved.

    `base_model` is the one at the end of the line, also with a `parent`; empty where nobody knows it.
    """

    project: Project
    name: str
    base_model: str
    training: Content
    method: str = "SUPERVISED"
    parent: Parent | None = None
    tuning_mode: str | None = None
    evaluation: Mapping[str, Any] | None = None
    """`evaluationConfig` as the API has it. Not in the recipe: it measures what comes out, and decides nothing."""
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
    on_model_lost: Literal["report", "retrain"] = "report"
    previous_names: tuple[str, ...] = ()
    retain: bool = False
    keep: int | None = 2
    """Earlier revisions kept where no TunedModel says how many; None when one does."""
    price: Price | None = None
    """What training this base model costs; None where that is unknown."""

    @property
    def identity(self) -> Identity:
        """The identity that Pulumi, the ledger and the labels know this tuning by."""
        return Identity(self.project.name, self.name)

    @cached_property
    def revision(self) -> str:
        """The revision that the recipe names."""
        return recipe.digest(self)


@dataclass(frozen=True)
class Gate:
    """What a revision must show before it gets traffic. A threshold of None is not asked for.

    `exact_match_examples` is how many test examples are asked, None for all.
    """

    exact_match_at_least: float | None = None
    exact_match_examples: int | None = None
    eval_loss_at_most: float | None = None
    eval_accuracy_at_least: float | None = None
    no_worse_than_serving: bool = False


@dataclass(frozen=True)
class Serving:
    """A TunedModel document, resolved. `tuning` is the name of the TuningJob whose model it serves.

    `pointer` means that clients find the model's endpoint by asking, not by a lasting name.
    """

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
    pointer: bool = False
    previous_names: tuple[str, ...] = ()
    tuning_names: tuple[str, ...] = ()
    """Earlier names of the TuningJob."""
    retain: bool = False
    price: Price | None = None
    """What the base model's questions and answers cost, as far as that is known."""

    @property
    def identity(self) -> Identity:
        """The identity of the served model; clients call its endpoint by the same name."""
        return Identity(self.project.name, self.name)

    @property
    def endpoint(self) -> str:
        """The serving endpoint's resource name, the same for ever: also a renamed document keeps the first one."""
        return f"{self.project.serving_parent}/endpoints/{[*self.previous_names, self.name][0]}"

    @property
    def candidate(self) -> str:
        """The endpoint on which a checkpoint is asked the gate's questions when it has none of its own."""
        return f"{self.endpoint}-gate"


@dataclass(frozen=True)
class Grant:
    """A role that a member needs on a resource: a bucket, a key, a service account or the project."""

    resource: str
    role: str
    member: str


@dataclass(frozen=True)
class Needs:
    """The infrastructure that the specs of one project rest on, by resource name, each thing once.

    `buckets` maps a bucket's name to the location it must be in. In a grant, the members `tuning-agent`,
    `vertex-agent` and `storage-agent` stand for the project's service agents, whose addresses hold its number.
    """

    project: Project
    buckets: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True)
class Desired:
    """Everything that the specs ask of one project, in the order of the documents' names.

    `contents` holds every dataset split that belongs in Cloud Storage, with the folder it lies in. With `whole` the
    documents are all there are, so that what is live and not among them was removed; `gone` names tunings that were
    removed in any case.
    """

    project: Project
    tunings: tuple[Tuning, ...] = ()
    servings: tuple[Serving, ...] = ()
    contents: tuple[Content, ...] = ()
    needs: Needs | None = None
    whole: bool = True
    gone: tuple[str, ...] = ()
