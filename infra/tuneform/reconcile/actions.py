"""What a plan is made of: frozen actions. Preview words them, the executor performs them; nothing else reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from tuneform.reconcile.diff import Change


@dataclass(frozen=True)
class Create:
    """Pay for an attempt at a revision. `tokens` is the estimate: dataset tokens, times epochs if those are set."""

    revision: str
    attempt: int
    cause: str
    tokens: int
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Adopt:
    """Take over a job that exists, at no cost."""

    revision: str
    job: str
    reason: str


@dataclass(frozen=True)
class Wait:
    """A job of the wanted revision is under way, or has just ended and its end is not recorded yet."""

    revision: str
    job: str


@dataclass(frozen=True)
class Revoke:
    """An attempt was begun and nobody knows how it ended: make it harmless, then look."""

    revision: str
    attempt: int
    reason: str


@dataclass(frozen=True)
class Cancel:
    """Stop a job whose recipe is not wanted any more."""

    job: str
    revision: str
    reason: str


@dataclass(frozen=True)
class PatchModel:
    """Labels, display name or description of a model differ; no training."""

    model: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Blocked:
    """What is asked for cannot be done, and why, and what would help."""

    reason: str
    remedy: str


TuningAction = Create | Adopt | Wait | Revoke | Cancel | PatchModel | Blocked


@dataclass(frozen=True)
class CreateEndpoint:
    """Make the serving endpoint under its lasting name."""

    endpoint: str


@dataclass(frozen=True)
class PatchEndpoint:
    """Labels, display name or description of the serving endpoint differ."""

    endpoint: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Promote:
    """Measure the gate where it has not been measured, then give the traffic to a revision's checkpoint."""

    revision: str
    model: str
    checkpoint: str
    reason: str


@dataclass(frozen=True)
class Retire:
    """Delete a revision's checkpoint endpoints and model; the job's record stays in Vertex."""

    revision: str
    job: str
    reason: str


ServingAction = CreateEndpoint | PatchEndpoint | Promote | Retire | Blocked


def explain(action: TuningAction | ServingAction) -> str:
    """The action in words, for plan, preview and progress."""
    match action:
        case Create(revision, attempt, cause, tokens, changes):
            what = f"new revision {revision}" if attempt == 1 else f"attempt {attempt} at {revision}"
            why = f"{cause}: {', '.join(map(str, changes))}" if changes else cause
            return f"{what} ({why}): one tuning job, about {short(tokens)} tokens"
        case Adopt(revision, _, reason):
            return f"adopts {revision}, {reason}, no cost"
        case Wait(revision, _):
            return f"waits for the job of {revision}"
        case Revoke(revision, attempt, reason):
            return f"revokes attempt {attempt} at {revision}: {reason}"
        case Cancel(job, revision, reason):
            return f"cancels {job.rpartition('/')[2]} ({revision}): {reason}"
        case PatchModel(_, changes):
            return f"updates the model, no training: {', '.join(map(str, changes))}"
        case CreateEndpoint(endpoint):
            return f"creates the serving endpoint {endpoint.rpartition('/')[2]}"
        case PatchEndpoint(_, changes):
            return f"updates the endpoint, no training: {', '.join(map(str, changes))}"
        case Promote(revision, _, checkpoint, reason):
            return f"promotes {revision}, checkpoint {checkpoint}: {reason}"
        case Retire(revision, _, reason):
            return f"retires {revision}: {reason}"
        case Blocked(reason, remedy):
            return f"blocked: {reason}; {remedy}"
        case _:
            assert_never(action)


def short(count: int) -> str:
    """A count for people: 950, 12 k, 1.2 M."""
    if count < 1_000:
        return str(count)
    if count < 1_000_000:
        return f"{count / 1_000:.0f} k"
    return f"{count / 1_000_000:.1f} M"
