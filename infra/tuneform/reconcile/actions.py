"""What a plan is made of: frozen actions. Preview words them, execute performs them; nothing else reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from tuneform.reconcile.cost import Cost, Questions
from tuneform.reconcile.desired import Content
from tuneform.reconcile.diff import Change


@dataclass(frozen=True)
class Origin:
    """The tuned model that a tuning goes on from, with its version; the default checkpoint where none is named."""

    model: str
    checkpoint: str = ""


@dataclass(frozen=True)
class Create:
    """Pay for an attempt at a revision.

    `lost` says that it makes up for a model that somebody else deleted. `origin` is the tuned model to go on from, None
    for a base model.
    """

    revision: str
    attempt: int
    cause: str
    cost: Cost
    changes: tuple[Change, ...] = ()
    lost: bool = False
    origin: Origin | None = None


@dataclass(frozen=True)
class Adopt:
    """Take over a job that exists, at no cost."""

    revision: str
    job: str
    reason: str


@dataclass(frozen=True)
class Wait:
    """A job is under way; there is nothing to do but to look again."""

    revision: str
    job: str


@dataclass(frozen=True)
class Settle:
    """A job has ended: record how, and remove what only it needed."""

    revision: str
    job: str


@dataclass(frozen=True)
class Unfence:
    """The job has read its data: the copy that only it used goes."""

    revision: str
    attempt: int


@dataclass(frozen=True)
class Revoke:
    """An attempt was begun and nobody knows how it ended: make it harmless, then look."""

    revision: str
    attempt: int
    reason: str


@dataclass(frozen=True)
class Cancel:
    """Stop a job that is not wanted any more, or that is one too many."""

    job: str
    revision: str
    reason: str


@dataclass(frozen=True)
class PatchModel:
    """Labels, display name or description of a model differ; no training."""

    model: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Note:
    """The ledger is to remember something else about a revision."""

    revision: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Retire:
    """Delete a revision's checkpoint endpoints and model; the job's record stays in Vertex."""

    revision: str
    job: str
    reason: str


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
class Measure:
    """What serves is to be measured again, since the gate or its data changed."""

    revision: str
    checkpoint: str
    reason: str
    questions: Questions | None = None


@dataclass(frozen=True)
class Promote:
    """Measure the gate where it has not been measured, then give the traffic to a revision's checkpoint.

    `gated` is False for a revision that passed when it was promoted before and is only put back. `questions` are what
    measuring asks, None where it asks nothing.
    """

    revision: str
    job: str
    checkpoint: str
    reason: str
    gated: bool = True
    questions: Questions | None = None


@dataclass(frozen=True)
class Clear:
    """Delete the endpoints that Vertex made for a revision's checkpoints: nothing asks them any more."""

    revision: str
    job: str


@dataclass(frozen=True)
class RemoveEndpoint:
    """Undeploy everything from an endpoint of ours and delete it."""

    endpoint: str
    reason: str


@dataclass(frozen=True)
class RemovePointer:
    """Delete the pointer by which clients found a model."""

    name: str
    reason: str


@dataclass(frozen=True)
class Upload:
    """Store a dataset split under its digest."""

    content: Content
    reason: str


@dataclass(frozen=True)
class DeleteObject:
    """Delete an object of ours that nothing needs."""

    uri: str
    reason: str


@dataclass(frozen=True)
class Blocked:
    """What is asked for cannot be done, and why, and what would help."""

    reason: str
    remedy: str


Doable = (
    Create
    | Adopt
    | Wait
    | Settle
    | Unfence
    | Revoke
    | Cancel
    | PatchModel
    | Note
    | Retire
    | CreateEndpoint
    | PatchEndpoint
    | Measure
    | Promote
    | Clear
    | RemoveEndpoint
    | RemovePointer
    | Upload
    | DeleteObject
)


@dataclass(frozen=True)
class Later:
    """What follows by itself once a job has succeeded (and passed its gate): foreseen, not yet to be done."""

    action: Create | Promote | Retire | CreateEndpoint | Clear | PatchModel | DeleteObject
    condition: str


Action = Doable | Later | Blocked


def explain(action: Action) -> str:
    """The action in words, for plan, preview and progress."""
    match action:
        case Create(revision, attempt, cause, cost, changes):
            what = f"new revision {revision}" if attempt == 1 else f"attempt {attempt} at {revision}"
            why = f"{cause}: {', '.join(map(str, changes))}" if changes else cause
            return f"{what} ({why}): one tuning job{_on(action.origin)}, {cost}"
        case Adopt(revision, _, reason):
            return f"adopts {revision}, {reason}, no cost"
        case Wait(revision, _):
            return f"waits for the job of {revision}"
        case Settle(revision, job):
            return f"records how {last(job)} of {revision} ended"
        case Unfence(revision, attempt):
            return f"removes the training copy of attempt {attempt} at {revision}: the job has read it"
        case Revoke(revision, attempt, reason):
            return f"revokes attempt {attempt} at {revision}: {reason}"
        case Cancel(job, revision, reason):
            return f"cancels {last(job)} ({revision}): {reason}"
        case Later(inner, condition):
            return f"then, {condition}: {explain(inner)}"
        case Blocked(reason, remedy):
            return f"blocked: {reason}; {remedy}"
        case _:
            return _explain_rest(action)


def _on(origin: Origin | None) -> str:
    if origin is None:
        return ""
    checkpoint = f", checkpoint {origin.checkpoint}" if origin.checkpoint else ""
    return f" on {last(origin.model)}{checkpoint}"


def _explain_rest(
    action: PatchModel
    | Note
    | Retire
    | CreateEndpoint
    | PatchEndpoint
    | Measure
    | Promote
    | Clear
    | RemoveEndpoint
    | RemovePointer
    | Upload
    | DeleteObject,
) -> str:
    match action:
        case PatchModel(_, changes) | PatchEndpoint(_, changes):
            what = "model" if isinstance(action, PatchModel) else "endpoint"
            return f"updates the {what}, no training: {', '.join(map(str, changes))}"
        case Note(revision, changes):
            return f"notes in the ledger of {revision}: {', '.join(map(str, changes))}"
        case Retire(revision, _, reason):
            return f"retires {revision}: {reason}"
        case CreateEndpoint(endpoint):
            return f"creates the serving endpoint {last(endpoint)}"
        case Measure(revision, checkpoint, reason, questions):
            return f"measures {revision}, checkpoint {checkpoint}, again: {reason}{_asking(questions)}"
        case Promote(revision, _, checkpoint, reason, _, questions):
            return f"promotes {revision}, checkpoint {checkpoint}: {reason}{_asking(questions)}"
        case Clear(revision, _):
            return f"deletes the checkpoint endpoints of {revision}: nothing asks them any more"
        case RemoveEndpoint(name, reason) | RemovePointer(name, reason):
            what = "endpoint" if isinstance(action, RemoveEndpoint) else "pointer"
            return f"deletes the {what} {last(name)}: {reason}"
        case Upload(content, reason):
            return f"uploads {content.examples:,} examples to {content.uri}: {reason}"
        case DeleteObject(uri, reason):
            return f"deletes {uri}: {reason}"
        case _:
            assert_never(action)


def _asking(questions: Questions | None) -> str:
    return f"; its gate asks {questions}" if questions else ""


def last(resource: str) -> str:
    """The id at the end of a resource name."""
    return resource.rpartition("/")[2]
