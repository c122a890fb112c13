"""What the platform shows: jobs, models and endpoints as frozen data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
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

    # There is one of each, and they are asked for a hundred thousand times where there are thousands of jobs.
    __hash__ = object.__hash__

    @property
    def ended(self) -> bool:
        """Whether the job will never change its state again."""
        return self in _ENDED


_ENDED = frozenset(
    {
        JobState.SUCCEEDED,
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.EXPIRED,
        JobState.PARTIALLY_SUCCEEDED,
    }
)
_MADE_A_MODEL = frozenset({JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED})


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of a tuned model and the endpoint that Vertex deployed it to (empty when it has none)."""

    id: str
    epoch: int
    step: int
    endpoint: str = ""


@dataclass(frozen=True)
class Evaluation:
    """What Vertex AI's evaluation service measured of a checkpoint (empty: of the only one), or why it could not."""

    checkpoint: str
    metric: str
    value: float | None
    error: str = ""


@dataclass(frozen=True)
class Job:
    """A tuning job. `epochs` and `steps` are 0 until the service has settled them, in the course of the job.

    `pre_tuned` is the tuned model that it went on from, with its version; `base_model` is what lies under that one.
    """

    name: str
    state: JobState
    labels: Mapping[str, str]
    base_model: str = ""
    pre_tuned: str = ""
    pre_tuned_checkpoint: str = ""
    method: str = "SUPERVISED"
    training_uri: str = ""
    epochs: int = 0
    steps: int = 0
    model: str = ""
    endpoint: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()
    experiment: str = ""
    error: str = ""
    substate: str = ""
    validation_uri: str = ""
    adapter_size: str = ""
    learning_rate_multiplier: float = 0.0
    beta: float = 0.0
    last_checkpoint_only: bool = False
    kms_key: str = ""
    service_account: str = ""
    display_name: str = ""
    description: str = ""
    billable_tokens: int | None = None
    evaluations: tuple[Evaluation, ...] = ()
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
        return int(number) if number.isdecimal() else 0

    @property
    def succeeded(self) -> bool:
        """Whether it made a model: one that succeeded in part has, and did not deploy it everywhere."""
        return self.model != "" and self.state in _MADE_A_MODEL

    @property
    def live(self) -> bool:
        """Whether it runs, or will, and nobody has asked it to stop."""
        return not self.state.ended and self.state is not JobState.CANCELLING


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
    """A tuned model in the registry. `name` may carry a version."""

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

    def holding(self, model: str, checkpoint: str) -> Deployed | None:
        """This model's checkpoint as it is deployed here, if it is; of several the one with the most traffic."""
        wanted = (bare(model), version(model), checkpoint)
        found = [d for d in self.deployed if (d.model, d.version, d.checkpoint) == wanted]
        return min(found, key=lambda deployed: (-deployed.traffic, deployed.id), default=None)

    def serves(self, model: str, checkpoint: str) -> bool:
        """Whether all traffic goes to this model's checkpoint, and nothing else is deployed."""
        found = self.holding(model, checkpoint)
        return found is not None and found.traffic == 100 and len(self.deployed) == 1


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
    """Where a job that is waited for has got to. `epoch` is the one being trained, 0 before the first."""

    job: str
    state: JobState
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    eval_loss: float | None = None
    substate: str = ""

    def __str__(self) -> str:
        parts = [f"{self.state.value} ({self.substate})" if self.substate else self.state.value]
        if self.epoch:
            parts.append(f"epoch {self.epoch}/{self.epochs}")
        if self.loss is not None:
            parts.append(f"loss {self.loss:.3f}")
        if self.eval_loss is not None:
            parts.append(f"eval loss {self.eval_loss:.3f}")
        return ", ".join(parts)


def progress(job: Job, curves: Curves) -> Progress:
    """What one look at a job and its curves says."""
    step = curves.train_loss[-1][0] if curves.train_loss else 0
    epoch = math.ceil(step * job.epochs / job.steps) if step and job.steps else 0
    return Progress(
        job=job.name,
        state=job.state,
        epoch=epoch,
        epochs=job.epochs,
        loss=curves.train_loss[-1][1] if curves.train_loss else None,
        eval_loss=curves.eval_loss[-1][1] if curves.eval_loss else None,
        substate=job.substate,
    )


def bare(model: str) -> str:
    """A model's resource name without its version."""
    return model.partition("@")[0]


def version(model: str) -> str:
    """The version in a model's resource name; `1`, the first one, when it names none."""
    return model.partition("@")[2] or "1"


@dataclass(frozen=True)
class Stored:
    """An object in Cloud Storage. `digest` is what we noted of its content when we wrote it, empty if we did not.

    `intact` says that the content is still what was written then; `note` is that of the project it was stored for.
    """

    uri: str
    size: int
    digest: str = ""
    intact: bool = True
    note: str = ""


@dataclass(frozen=True)
class Lack:
    """Something that tuning needs and that is missing or differs: infrastructure, which `up` is for."""

    what: str
    path: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.what}: {self.path} is {self.found}, {self.wanted} is needed"
