"""What the platform shows: jobs, models and endpoints as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

OWNER_LABEL = "tuneform-owner"
NAME_LABEL = "tuneform-name"
REVISION_LABEL = "tuneform-revision"
ATTEMPT_LABEL = "tuneform-attempt"


class JobState(Enum):
    """Vertex's JobState, without its prefix. Source: aiplatform v1beta1 discovery, 2026-11-06."""

    UNSPECIFIED = "UNSPECIFIED"
    QUEUED = "QUEUED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    PAUSED = "PAUSED"
    EXPIRED = "EXPIRED"
    UPDATING = "UPDATING"
    PARTIALLY_SUCCEEDED = "PARTIALLY_SUCCEEDED"

    @property
    def ended(self) -> bool:
        """Whether the job will never change its state again."""
        return self in {
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.EXPIRED,
            JobState.PARTIALLY_SUCCEEDED,
        }


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of a tuned model and the endpoint that Vertex deployed it to (empty when it has none)."""

    id: str
    epoch: int
    step: int
    endpoint: str = ""


@dataclass(frozen=True)
class Job:
    """A tuning job. `phase` is v1beta1's tuningJobState without its prefix, empty where there is none."""

    name: str
    state: JobState
    labels: Mapping[str, str]
    base_model: str = ""
    training_uri: str = ""
    phase: str = ""
    completed_epochs: int = 0
    epochs: int = 0
    model: str = ""
    endpoint: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()
    experiment: str = ""
    error: str = ""
    billable_tokens: int | None = None
    created: datetime | None = None
    ended: datetime | None = None

    @property
    def revision(self) -> str:
        """The revision this job was made for, empty when it is not ours."""
        return self.labels.get(REVISION_LABEL, "")

    @property
    def attempt(self) -> int:
        """Which paid try it is, 0 when it is not ours."""
        number = self.labels.get(ATTEMPT_LABEL, "")
        return int(number) if number.isdigit() else 0

    @property
    def has_read_data(self) -> bool:
        """Whether the training data may go: training has begun or all is over."""
        return self.state.ended or self.phase in {"TUNING", "POST_PROCESSING"} or self.completed_epochs > 0


@dataclass(frozen=True)
class Deployed:
    """One model deployed on an endpoint. `model` carries no version; `version` does."""

    id: str
    model: str
    version: str
    checkpoint: str
    traffic: int


@dataclass(frozen=True)
class Model:
    """A tuned model in the registry."""

    name: str
    display_name: str
    description: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint and what is deployed on it."""

    name: str
    display_name: str
    description: str
    labels: Mapping[str, str]
    deployed: tuple[Deployed, ...] = ()

    def serves(self, model: str, checkpoint: str) -> bool:
        """Whether all traffic goes to this model's checkpoint, and nothing else is deployed."""
        return [(d.model, d.checkpoint, d.traffic) for d in self.deployed] == [(bare(model), checkpoint, 100)]


Points = tuple[tuple[int, float], ...]
"""(step, value), in step order."""


@dataclass(frozen=True)
class Curves:
    """The measured curves of a job. Evaluation points exist only with validation data."""

    train_loss: Points = ()
    train_accuracy: Points = ()
    eval_loss: Points = ()
    eval_accuracy: Points = ()


@dataclass(frozen=True)
class Progress:
    """One line about a job that is being waited for."""

    job: str
    state: JobState
    phase: str = ""
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    eval_loss: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def bare(model: str) -> str:
    """A model's resource name without its version."""
    return model.partition("@")[0]


def version(model: str) -> str:
    """The version in a model's resource name; `1`, the first one, when it names none."""
    return model.partition("@")[2] or "1"
