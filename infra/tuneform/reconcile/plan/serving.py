"""What brings a served model to the wanted revision and checkpoint, without a gap and never past its gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache

from tuneform.reconcile.actions import (
    Action,
    Blocked,
    Clear,
    CreateEndpoint,
    Later,
    Measure,
    PatchEndpoint,
    Promote,
    RemoveEndpoint,
    explain,
    last,
)
from tuneform.reconcile.cost import Questions, questions
from tuneform.reconcile.desired import Gate, Serving
from tuneform.reconcile.ledger import Record
from tuneform.reconcile.live import OWNER_LABEL, Checkpoint, Job, bare
from tuneform.reconcile.observe import ObservedServing, ObservedTuning
from tuneform.reconcile.plan.checkpoints import choose
from tuneform.reconcile.plan.fields import desired_endpoint, endpoint_changes
from tuneform.reconcile.plan.tuning import retirements, usable


@dataclass(frozen=True)
class ServingPlan:
    """What would be done for one served model; `job` and `checkpoint` are what it is about, if they are there."""

    actions: tuple[Action, ...]
    job: Job | None = None
    checkpoint: Checkpoint | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each action in words."""
        return tuple(map(explain, self.actions))


def asked(serving: Serving, checkpoint: Checkpoint) -> str:
    """The fingerprint of what a gate asks: its demands, the test data, the checkpoint."""
    return _fingerprint(serving.gate, serving.test.digest if serving.test else "", checkpoint.id)


@lru_cache(maxsize=4096)
def _fingerprint(gate: Gate, data: str, checkpoint: str) -> str:
    about = [asdict(gate), data, checkpoint]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def plan_serving(serving: Serving, observed: ObservedServing, *, expected: bool = True) -> ServingPlan:
    """What brings the endpoint (or the pointer) to the wanted revision's checkpoint.

    `expected` is False when the revision will have no model, since its tuning is blocked: then nothing is foreseen.
    """
    endpoint = observed.endpoint
    # Without an owner it is ours only if we had it before: then somebody took the label off.
    nobodys = serving.project.owner if observed.tuning.promoted is not None else ""
    if endpoint is not None and endpoint.labels.get(OWNER_LABEL, nobodys) != serving.project.owner:
        foreign = f"the endpoint {endpoint.name} exists and is not owned by {serving.project.owner!r}"
        return ServingPlan((Blocked(foreign, "choose another metadata.name, or remove that endpoint"),))
    record, job = _ready(serving, observed.tuning)
    if record is None or job is None:
        return ServingPlan(tuple(_meanwhile(serving, observed, foresee=expected)))
    chosen = choose(serving.checkpoint, job, record.best)
    if isinstance(chosen, Blocked):
        return ServingPlan((chosen, *_meanwhile(serving, observed, foresee=False)), job)
    actions = (
        *_toward(serving, observed, record, job, chosen),
        *_tidy(serving, observed, record),
    )
    return ServingPlan(actions, job, chosen)


def _ready(serving: Serving, tuning: ObservedTuning) -> tuple[Record | None, Job | None]:
    """The wanted revision's record and job, once its model is there and recorded."""
    record = tuning.records.get(serving.revision)
    if record is None or not record.kept or record.last is None:
        return None, None
    job = tuning.job(record.last.job)
    if job is None or not job.succeeded or not usable(job, tuning):
        return None, None
    return record, job


def _toward(
    serving: Serving, observed: ObservedServing, record: Record, job: Job, chosen: Checkpoint
) -> Iterator[Action]:
    verdict = record.verdict if record.verdict and record.verdict.asked == asked(serving, chosen) else None
    served = _serves(serving, observed, job, chosen) and _is_promoted(observed.tuning, record, chosen)
    if verdict is not None and not verdict.passed:
        where = "It serves all the same: nothing better is there" if served else "What served goes on serving"
        yield Blocked(
            f"{record.revision} did not pass its gate: {verdict.reason}. {where}",
            "improve the data or the hyperparameters, or lower the gate if it asks too much",
        )
        if not served:
            yield from _meanwhile(serving, observed, foresee=False)
            return
    if serving.pointer and not served and record.cleared:
        yield Blocked(
            f"the endpoints that Vertex made for {record.revision} are deleted: there is nothing to point to",
            "use serving: endpoint, which it was promoted for; or change the recipe, and the new revision has its own",
        )
        return
    yield from _endpoint(serving, observed)
    if not served:
        why = _why(serving, observed, record, job, chosen)
        asking = _questions(serving, record, chosen) if verdict is None else None
        yield Promote(record.revision, job.name, chosen.id, why, questions=asking)
        if not _is_promoted(observed.tuning, record, chosen):
            yield from _afterwards(serving, observed.tuning, job.name, "once it serves")
        return
    yield from _explained(serving, observed)
    if verdict is None and serving.gate != Gate():
        asking = _questions(serving, record, chosen)
        yield Measure(record.revision, chosen.id, "its gate or the test data changed", asking)


def _questions(serving: Serving, record: Record, chosen: Checkpoint) -> Questions | None:
    """What the gate asks this checkpoint, but for what it has been asked before."""
    examples = serving.gate.exact_match_examples or 0
    if serving.test and record.measured(chosen.id, "exactMatch", serving.test.digest, examples):
        return None
    return questions(serving.gate, serving.test, serving.price)


def _serves(serving: Serving, observed: ObservedServing, job: Job, chosen: Checkpoint) -> bool:
    if serving.pointer:
        pointer = observed.pointer
        wanted = (job.model, chosen.id, chosen.endpoint or job.endpoint)
        return pointer is not None and (pointer.model, pointer.checkpoint, pointer.endpoint) == wanted
    return observed.endpoint is not None and observed.endpoint.serves(job.model, chosen.id)


def _lost(observed: ObservedServing) -> str:
    """What somebody did to the endpoint that clients are pointed to; nothing can put it back as it was."""
    pointer, pointed = observed.pointer, observed.pointed
    if pointer is None:
        return ""
    if pointed is None:
        return f"{pointer.endpoint}, which clients are pointed to, was deleted by someone else"
    if all(deployed.model != bare(pointer.model) for deployed in pointed.deployed):
        gone = f"deployedModels: {last(pointer.model)} is not among them any more"
        return f"{pointer.endpoint}, which clients are pointed to: {gone}"
    return ""


def _explained(serving: Serving, observed: ObservedServing) -> Iterator[Action]:
    if serving.pointer and (lost := _lost(observed)):
        remedy = "use serving: endpoint, which deploys it again; or change the recipe, and the new revision has its own"
        yield Blocked(lost, remedy)


def _is_promoted(tuning: ObservedTuning, record: Record, chosen: Checkpoint) -> bool:
    promoted = tuning.promoted
    return promoted is not None and promoted.revision == record.revision and record.served == chosen.id


def _why(
    serving: Serving, observed: ObservedServing, record: Record | None, job: Job | None, chosen: Checkpoint
) -> str:
    """Why a promotion is due: nothing serves, something else does, or somebody changed what did."""
    endpoint = observed.endpoint
    if record is not None and job is not None and _is_promoted(observed.tuning, record, chosen):
        return f"drift: {_drift(serving, observed, job, chosen)}"
    if serving.pointer and (lost := _lost(observed)):
        return f"{lost}: nothing serves until then"
    nothing = observed.pointer is None if serving.pointer else endpoint is None or not endpoint.deployed
    return "nothing serves yet" if nothing else "the old one serves until this one is ready"


def _drift(serving: Serving, observed: ObservedServing, job: Job, chosen: Checkpoint) -> str:
    """The first thing in which what serves differs from what was promoted."""
    if serving.pointer:
        return "the pointer was moved or deleted by someone else"
    endpoint = observed.endpoint
    if endpoint is None:
        return f"{serving.endpoint} was deleted by someone else"
    held = endpoint.holding(job.model, chosen.id)
    if held is None:
        return f"deployedModels: {last(job.model)}, checkpoint {chosen.id}, is not among them any more"
    if held.traffic != 100:
        return f"trafficSplit.{held.id} {held.traffic} → 100"
    other = next(d for d in endpoint.deployed if d.id != held.id)
    return f"deployedModels: {last(other.model)} is deployed too, as {other.id}"


def _endpoint(serving: Serving, observed: ObservedServing) -> Iterator[Action]:
    if serving.pointer:
        return
    wanted = desired_endpoint(serving)
    if observed.endpoint is None:
        yield CreateEndpoint(wanted.name)
    elif changes := endpoint_changes(observed.endpoint, wanted):
        yield PatchEndpoint(wanted.name, changes)


def _meanwhile(serving: Serving, observed: ObservedServing, *, foresee: bool = True) -> Iterator[Action]:
    """While the wanted revision is not ready: what was promoted last serves, and is put back if it does not."""
    tuning = observed.tuning
    before = tuning.promoted
    job = tuning.job(before.last.job) if before is not None and before.last is not None else None
    if before is not None and before.kept and job is not None and job.name in tuning.models:
        chosen = next((c for c in job.checkpoints if c.id == before.served), Checkpoint(before.served, 0, 0))
        yield from _endpoint(serving, observed)
        if not _serves(serving, observed, job, chosen):
            why = _drift(serving, observed, job, chosen)
            yield Promote(before.revision, job.name, chosen.id, f"put back, drift: {why}", gated=False)
        elif not foresee:  # what is foreseen is pointed to in its place
            yield from _explained(serving, observed)
    elif observed.endpoint is not None and not serving.pointer:
        yield from _endpoint(serving, observed)
    if foresee:
        gated = " and passed its gate" if serving.gate != Gate() else ""
        condition = f"once {serving.revision} has succeeded{gated}"
        if observed.endpoint is None and not serving.pointer:
            yield Later(CreateEndpoint(serving.endpoint), condition)
        checkpoint = str(serving.checkpoint)
        nothing = Checkpoint("", 0, 0)
        why = _why(serving, observed, None, None, nothing)
        asking = questions(serving.gate, serving.test, serving.price)
        yield Later(Promote(serving.revision, "", checkpoint, why, questions=asking), condition)
        yield from _afterwards(serving, tuning, "", condition)


def _afterwards(serving: Serving, tuning: ObservedTuning, job: str, condition: str) -> Iterator[Later]:
    """What a promotion leaves to be tidied: by then what serves now is an earlier one, and the last used of them."""
    if not serving.pointer:
        yield Later(Clear(serving.revision, job), condition)
    spared = {serving.revision, *([tuning.promoted.revision] if tuning.promoted else [])}
    now = set(retirements(tuning, spared, serving.keep))
    for retire in retirements(tuning, {serving.revision}, serving.keep):
        if retire not in now:
            yield Later(retire, condition)


def _tidy(serving: Serving, observed: ObservedServing, record: Record) -> Iterator[Action]:
    """What promotions leave behind: checkpoint endpoints, a gate's endpoint, revisions beyond `keep`."""
    tuning = observed.tuning
    serves = tuning.promoted
    done = serves is not None and serves.revision == record.revision
    # Where clients are pointed to a revision's own endpoint, one that is kept needs it to be pointed to again.
    for revision, other in sorted(tuning.records.items()) if not serving.pointer else ():
        needed = revision == serving.revision and not done
        if other.kept and not other.cleared and not needed and other.last is not None:
            yield Clear(revision, other.last.job)
    if observed.candidate is not None and record.verdict is not None and done:
        yield RemoveEndpoint(serving.candidate, "its gate has been measured")
    spared = {serving.revision, *([serves.revision] if serves is not None else [])}
    yield from retirements(tuning, spared, serving.keep)
