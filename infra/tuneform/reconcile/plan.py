"""The planner: desired × observed → actions. Pure: no port is called here.

A plan is deterministic: the same specs and the same world give the same actions in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tuneform.reconcile import recipe as recipes
from tuneform.reconcile.actions import (
    Adopt,
    Blocked,
    Cancel,
    Create,
    CreateEndpoint,
    PatchEndpoint,
    PatchModel,
    Promote,
    Retire,
    Revoke,
    ServingAction,
    TuningAction,
    Wait,
    explain,
)
from tuneform.reconcile.desired import Project, Serving, Tuning
from tuneform.reconcile.diff import Change, diff
from tuneform.reconcile.ledger import AttemptState, Record
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, Checkpoint, Endpoint, Job, JobState, Model

MANAGED = frozenset({OWNER_LABEL, NAME_LABEL})


@dataclass(frozen=True)
class ObservedTuning:
    """What is live for one tuning: its jobs (newest first), their models by job name, and the ledger.

    `records` holds every revision's record; `current` is the revision that was wanted last, empty if unknown.
    """

    jobs: tuple[Job, ...]
    models: Mapping[str, Model]
    records: Mapping[str, Record]
    current: str = ""


@dataclass(frozen=True)
class ObservedServing:
    """What is live for one served model. `best` is the checkpoint with the least evaluation loss, if measured."""

    endpoint: Endpoint | None
    job: Job | None
    jobs: tuple[Job, ...]
    records: Mapping[str, Record]
    best: Checkpoint | None


@dataclass(frozen=True)
class TuningPlan:
    """What would be done for one tuning."""

    revision: str
    actions: tuple[TuningAction, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each action in words."""
        return tuple(map(explain, self.actions))


@dataclass(frozen=True)
class ServingPlan:
    """What would be done for one served model, and which checkpoint it is about (None when that is blocked)."""

    checkpoint: Checkpoint | None
    actions: tuple[ServingAction, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each action in words."""
        return tuple(map(explain, self.actions))


def labels(project: Project, name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The labels that our models and endpoints carry: the user's, and the two that say whose they are."""
    return {**given, OWNER_LABEL: project.owner, NAME_LABEL: name}


def usable(job: Job, models: Mapping[str, Model]) -> bool:
    """Whether a job gives its revision a model, now or later."""
    if job.state is JobState.SUCCEEDED:
        return job.name in models
    return not job.state.ended and job.state is not JobState.CANCELLING


def plan_tuning(tuning: Tuning, observed: ObservedTuning) -> TuningPlan:
    """What brings one tuning to its wanted revision."""
    wanted = recipes.revision(tuning)
    actions: list[TuningAction] = [
        Cancel(job.name, job.revision, f"superseded by {wanted}")
        for job in observed.jobs
        if job.revision != wanted and usable(job, {}) and tuning.when_superseded == "cancel"
    ]
    found = [job for job in observed.jobs if job.revision == wanted and usable(job, observed.models)]
    found.sort(key=lambda job: (job.state is not JobState.SUCCEEDED, job.attempt))
    if found:
        actions += _with_job(tuning, observed, found[0], wanted)
    else:
        actions += _without_job(tuning, observed, wanted)
    return TuningPlan(wanted, tuple(actions))


def _with_job(tuning: Tuning, observed: ObservedTuning, job: Job, wanted: str) -> list[TuningAction]:
    record = observed.records.get(wanted)
    known = record is not None and any(a.job == job.name for a in record.attempts)
    actions: list[TuningAction] = []
    if not known or (observed.current != wanted and job.state is JobState.SUCCEEDED):
        when = f"trained {job.ended:%Y-%m-%d %H:%M} UTC" if job.ended else "already under way"
        actions.append(Adopt(wanted, job.name, when))
    recorded = record.last.state if record and record.last else None
    if job.state is not JobState.SUCCEEDED or (known and recorded is not AttemptState.SUCCEEDED):
        actions.append(Wait(wanted, job.name))
    model = observed.models.get(job.name)
    if model is not None and (changes := model_changes(tuning, model)):
        actions.append(PatchModel(model.name, changes))
    return actions


def model_changes(tuning: Tuning, model: Model) -> tuple[Change, ...]:
    """How a model's mutable fields differ from the spec. Labels that Google or others set are left alone."""
    wanted = labels(tuning.project, tuning.name, tuning.labels)
    live = {key: value for key, value in model.labels.items() if not _foreign(key)}
    changes = diff(live, wanted, under="labels")
    for field, old, new in (
        ("displayName", model.display_name, tuning.display_name),
        ("description", model.description, tuning.description),
    ):
        if new and old != new:
            changes += (Change("change", field, old, new),)
    return changes


def _foreign(label: str) -> bool:
    """Labels on a model that are not the user's to set: Google's own, and those of the attempt it came from."""
    ours_per_attempt = label.startswith("tuneform-") and label not in MANAGED
    return label.startswith("google-") or label == "tune-type" or ours_per_attempt


def _without_job(tuning: Tuning, observed: ObservedTuning, wanted: str) -> list[TuningAction]:
    record = observed.records.get(wanted)
    last = record.last if record else None
    if record is None or last is None:
        return [_create(tuning, observed, wanted, 1, "recipe changed" if observed.current else "first")]
    number = last.number + 1
    match last.state:
        case AttemptState.CLAIMED | AttemptState.FENCED | AttemptState.SENT:
            return [Revoke(wanted, last.number, f"begun by {last.holder}, and how it ended is unknown")]
        case AttemptState.REVOKED:
            return [_create(tuning, observed, wanted, number, last.cause)]
        case AttemptState.RETIRED:
            return [_create(tuning, observed, wanted, number, "retired earlier, asked for again")]
        case AttemptState.KNOWN | AttemptState.FAILED | AttemptState.CANCELLED:
            return [_after_end(tuning, observed, record, wanted)]
        case AttemptState.SUCCEEDED | AttemptState.LOST:
            return [_lost(wanted)]


def _lost(wanted: str) -> Blocked:
    return Blocked(
        f"the model of {wanted} was deleted by someone else",
        "change the recipe to train anew; a lost model is not paid for again unasked",
    )


def _after_end(tuning: Tuning, observed: ObservedTuning, record: Record, wanted: str) -> TuningAction:
    last = record.last
    assert last is not None
    job = next((job for job in observed.jobs if job.name == last.job), None)
    failed = last.state is AttemptState.FAILED or (job is not None and job.state is JobState.FAILED)
    if last.cause.startswith("superseded"):
        return _create(
            tuning, observed, wanted, last.number + 1, "cancelled when it was superseded, asked for again"
        )
    if job is not None and job.state is JobState.CANCELLING:
        return Wait(wanted, job.name)
    if job is not None and job.state is JobState.SUCCEEDED:
        return _lost(wanted)
    if failed:
        failures = max(record.failures, 1)
        why = job.error if job is not None and job.error else last.cause
        if failures <= tuning.limits.retries:
            cause = f"retry {failures} of {tuning.limits.retries} after: {why}"
            return _create(tuning, observed, wanted, last.number + 1, cause)
        return Blocked(
            f"the tuning job of {wanted} failed: {why}",
            "mend the cause and change the recipe, or allow another paid try with limits.retries",
        )
    return Blocked(
        f"the tuning job of {wanted} was cancelled, and a cancelled model is never promoted",
        "to stop earlier on purpose, set a lower hyperParameters.epochCount; that is a new revision",
    )


def _create(tuning: Tuning, observed: ObservedTuning, wanted: str, number: int, cause: str) -> TuningAction:
    tokens = tuning.training.tokens * (tuning.hyper_parameters.epoch_count or 1)
    limit = tuning.limits.max_billable_tokens
    if limit is not None and tokens > limit:
        return Blocked(
            f"{wanted} would bill about {tokens:,} tokens, over limits.maxBillableTokens {limit:,}",
            "raise the limit, or train on less data or for fewer epochs",
        )
    before = observed.records.get(observed.current)
    changes = diff(before.recipe, recipes.recipe(tuning)) if before and observed.current != wanted else ()
    return Create(wanted, number, cause, tokens, changes)


def plan_serving(serving: Serving, observed: ObservedServing) -> ServingPlan:
    """What brings the serving endpoint to the wanted revision and checkpoint."""
    job = observed.job
    if job is None or job.state is not JobState.SUCCEEDED:
        return ServingPlan(None, ())
    chosen = choose(serving, job, observed.best)
    if isinstance(chosen, Blocked):
        return ServingPlan(None, (chosen,))
    actions: list[ServingAction] = []
    endpoint = observed.endpoint
    wanted = desired_endpoint(serving)
    if endpoint is None:
        actions.append(CreateEndpoint(wanted.name))
    elif endpoint.labels.get(OWNER_LABEL) != serving.project.owner:
        foreign = f"the endpoint {endpoint.name} exists and is not owned by {serving.project.owner!r}"
        return ServingPlan(None, (Blocked(foreign, "choose another metadata.name, or remove that endpoint"),))
    elif changes := endpoint_changes(endpoint, wanted):
        actions.append(PatchEndpoint(endpoint.name, changes))
    if endpoint is None or not endpoint.serves(job.model, chosen.id):
        nothing = endpoint is None or not endpoint.deployed
        why = "nothing serves yet" if nothing else "the old one serves until this one is ready"
        actions.append(Promote(serving.revision, job.model, chosen.id, why))
    return ServingPlan(chosen, (*actions, *_retirements(serving, observed)))


def choose(serving: Serving, job: Job, best: Checkpoint | None) -> Checkpoint | Blocked:
    """The checkpoint to serve: the last, the best, or that of a named epoch."""
    by_epoch = sorted(job.checkpoints, key=lambda checkpoint: checkpoint.epoch)
    if serving.checkpoint == "best":
        if best is not None:
            return best
        return Blocked(
            f"{job.name} has no evaluation loss to choose the best checkpoint by",
            "give the dataset a validation split, or use checkpoint: last",
        )
    if serving.checkpoint == "last":
        return by_epoch[-1] if by_epoch else Checkpoint("", 0, 0, job.endpoint)
    for checkpoint in by_epoch:
        if checkpoint.epoch == serving.checkpoint:
            return checkpoint
    epochs = ", ".join(str(checkpoint.epoch) for checkpoint in by_epoch)
    return Blocked(
        f"{job.name} has no checkpoint of epoch {serving.checkpoint}", f"it has those of {epochs or 'none'}"
    )


def desired_endpoint(serving: Serving) -> Endpoint:
    """The serving endpoint as the spec wants it, nothing deployed."""
    return Endpoint(
        name=serving.endpoint,
        display_name=serving.display_name or serving.name,
        description=serving.description,
        labels=labels(serving.project, serving.name, serving.labels),
    )


def endpoint_changes(live: Endpoint, wanted: Endpoint) -> tuple[Change, ...]:
    """How the endpoint's mutable fields differ from the spec."""
    own = {key: value for key, value in live.labels.items() if not _foreign(key)}
    pairs = {"displayName": (live.display_name, wanted.display_name)}
    if wanted.description or live.description:
        pairs["description"] = (live.description, wanted.description)
    fields = tuple(Change("change", name, old, new) for name, (old, new) in pairs.items() if old != new)
    return diff(own, wanted.labels, under="labels") + fields


def _retirements(serving: Serving, observed: ObservedServing) -> list[Retire]:
    """Earlier revisions beyond `keep`, the longest unserved first to go."""
    promoted = [
        (record.promoted, record)
        for record in observed.records.values()
        if record.promoted and record.revision != serving.revision and record.last and record.last.model
    ]
    promoted.sort(key=lambda pair: pair[0], reverse=True)
    jobs = {job.name for job in observed.jobs if job.state is JobState.SUCCEEDED}
    return [
        Retire(record.revision, record.last.job, f"only {serving.keep} earlier revisions are kept")
        for _, record in promoted[serving.keep :]
        if record.last and record.last.state is AttemptState.SUCCEEDED and record.last.job in jobs
    ]
