"""What has become of each tuning: wanted, under way, tried, kept, serving, blocked. Pure: made from one look.

`survey` reads a look and its plan, `as_json` is for programs; `status_words` words it for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from tuneform.capabilities.prices import Money, Price
from tuneform.reconcile.actions import Blocked, explain
from tuneform.reconcile.desired import Desired, Serving, Tuning
from tuneform.reconcile.holders import is_gone
from tuneform.reconcile.ledger import Pointer, Record, Verdict
from tuneform.reconcile.live import (
    NAME_LABEL,
    OWNER_LABEL,
    REVISION_LABEL,
    Checkpoint,
    Deployed,
    Endpoint,
    Evaluation,
    Job,
    Progress,
)
from tuneform.reconcile.observe import ObservedTuning, World, names_of
from tuneform.reconcile.plan import Item, Plan, ServingPlan
from tuneform.reconcile.plan.serving import asked
from tuneform.reconcile.recipe import revision
from tuneform.reconcile.turns import QUEUED, is_queued
from tuneform.review.next_run import NextRun


@dataclass(frozen=True)
class AttemptSeen:
    """One paid try at a revision. `since` is when its record was last written, None where lists do not say."""

    revision: str
    number: int
    state: str
    cause: str
    job: str
    holder: str
    unresolved: bool
    gone: bool
    """Whether whoever began it is known not to work any more."""
    since: datetime | None


@dataclass(frozen=True)
class GateSeen:
    """A kept measurement of the wanted revision."""

    checkpoint: str
    metric: str
    value: float


@dataclass(frozen=True)
class VerdictSeen:
    """What the gate said of the wanted revision; `stale` where gate, test data or checkpoint are others now."""

    passed: bool
    reason: str
    stale: bool


@dataclass(frozen=True)
class Serves:
    """One served model: where clients ask, and which revision's checkpoint answers there.

    `revision` is empty where nothing serves, or something that no record names; `epoch` is 0 where it is not known.
    """

    name: str
    how: str
    endpoint: str
    revision: str
    checkpoint: str
    epoch: int
    model: str
    since: datetime | None
    declared: bool


@dataclass(frozen=True)
class JobSeen:
    """The newest job of the wanted revision.

    `billable_tokens` are those of one epoch, as Vertex AI counts them; `billed_tokens` are of all epochs, and `cost` is
    what they cost where the price is known.
    """

    name: str
    state: str
    substate: str
    epoch: int
    epochs: int
    loss: float | None
    eval_loss: float | None
    error: str
    billable_tokens: int | None
    ended: bool
    billed_tokens: int | None = None
    cost: Money | None = None
    evaluations: tuple[Evaluation, ...] = ()


@dataclass(frozen=True)
class Hindrance:
    """What keeps something from being done, and what would help."""

    reason: str
    remedy: str


@dataclass(frozen=True)
class TuningSeen:
    """Everything known of one tuning. `declared` is False for one that is live and in no document any more.

    `partial` says that it was read from lists: of each revision only the last attempt is shown, and no measurements.
    """

    name: str
    declared: bool
    wanted: str
    job: JobSeen | None = None
    model: str = ""
    attempts: tuple[AttemptSeen, ...] = ()
    kept: tuple[str, ...] = ()
    serves: tuple[Serves, ...] = ()
    gates: tuple[GateSeen, ...] = ()
    verdict: VerdictSeen | None = None
    blocked: tuple[Hindrance, ...] = ()
    next: tuple[str, ...] = ()
    partial: bool = False
    queued: str = ""
    """What the service said when a quota refused its job: it waits in line, where somebody applies. Empty otherwise."""
    advice: NextRun | None = None
    """What to try next, of a tuning that was asked about by name."""

    @property
    def unresolved(self) -> tuple[AttemptSeen, ...]:
        """Attempts of which nobody has seen the end."""
        return tuple(attempt for attempt in self.attempts if attempt.unresolved)

    @property
    def moving(self) -> bool:
        """Whether something may still happen by itself: a job is on its way, or somebody is creating one."""
        under_way = self.job is not None and not self.job.ended
        return under_way or any(not attempt.gone for attempt in self.unresolved)


def survey(
    desired: Desired, world: World, plan: Plan, progress: Mapping[str, Progress] | None = None
) -> tuple[TuningSeen, ...]:
    """Each tuning of a look, by name: those that documents ask for, then those that are live only.

    `progress` says, by job name, how far jobs are that were looked at closely.
    """
    look = _Look(desired, world, plan, progress or {})
    declared = [look.declared(tuning) for tuning in sorted(desired.tunings, key=lambda t: t.name)]
    claimed = {name for tuning in desired.tunings for name in names_of(tuning)}
    others = {*world.jobs, *world.records, *desired.gone} - claimed
    # A narrow look also holds what a served model rests on, which is asked for by a document that was not looked at.
    rests = {name for s in desired.servings for name in (s.tuning, *s.tuning_names)}
    shown = others if desired.whole else others - rests | set(desired.gone)
    found = (look.undeclared(name) for name in sorted(shown))
    return (*declared, *(seen for seen in found if seen.attempts or seen.job or seen.serves))


@dataclass(frozen=True)
class _Look:
    desired: Desired
    world: World
    plan: Plan
    progress: Mapping[str, Progress]

    def declared(self, tuning: Tuning) -> TuningSeen:
        observed = self.world.tuning(*names_of(tuning))
        servings = [s for s in self.desired.servings if s.tuning == tuning.name]
        items = [
            item
            for item in self.plan.items
            if not item.removed and (item.kind, item.name) in _documents(tuning, servings)
        ]
        wanted = revision(tuning)
        seen = self._seen(tuning.name, observed, wanted, items)
        return replace(
            seen,
            declared=True,
            serves=(*(self._serves(s, observed) for s in servings), *self._left(observed)),
            verdict=_verdict(servings, items, observed.records.get(wanted)),
            blocked=(*self._lacks(observed, wanted), *seen.blocked),
        )

    def undeclared(self, name: str) -> TuningSeen:
        observed = self.world.tuning(name)
        items = [i for i in self.plan.items if i.removed and (i.kind, i.name) == ("TuningJob", name)]
        seen = self._seen(name, observed, observed.current, items)
        return replace(seen, serves=tuple(self._left(observed)))

    def _left(self, observed: ObservedTuning) -> Iterator[Serves]:
        """What still serves a tuning's models and is in no document any more."""
        models = {record.last.model for record in observed.records.values() if record.last} - {""}
        wanted = {serving.endpoint for serving in self.desired.servings}
        for endpoint in self.world.endpoints.values():
            ours = _is_served_by_us(endpoint, self.desired.project.owner) and endpoint.name not in wanted
            if ours and any(f"{d.model}@{d.version}" in models for d in endpoint.deployed):
                yield self._at(endpoint, endpoint.labels[NAME_LABEL], observed, declared=False)
        pointing = {serving.name for serving in self.desired.servings if serving.pointer}
        for pointer in self.world.pointers.values():
            if pointer.name not in pointing and pointer.model in models:
                yield self._to(pointer, observed, declared=False)

    def _seen(self, name: str, observed: ObservedTuning, wanted: str, items: Iterable[Item]) -> TuningSeen:
        record = observed.records.get(wanted)
        actions = [action for item in items for action in item.actions]
        jobs = [job for job in observed.jobs if job.revision == wanted] or (
            list(observed.jobs) if not wanted else []
        )
        job = _newest(jobs, record)
        versions = [v for versions in self.world.records.values() for v in versions]
        return TuningSeen(
            name=name,
            declared=False,
            wanted=wanted,
            job=_job(job, self.progress.get(job.name), self._price(name)) if job else None,
            model=job.model if job and job.name in observed.models else "",
            attempts=tuple(self._attempts(observed)),
            kept=tuple(sorted(r.revision for r in observed.records.values() if r.kept)),
            gates=tuple(GateSeen(g.checkpoint, g.metric, g.value) for g in record.gates) if record else (),
            blocked=tuple(Hindrance(a.reason, a.remedy) for a in actions if isinstance(a, Blocked)),
            next=tuple(explain(action) for action in actions if not isinstance(action, Blocked)),
            queued=record.last.cause.removeprefix(QUEUED)
            if record and record.last and is_queued(record)
            else "",
            partial=any(v.lean and v.record in observed.records.values() for v in versions),
        )

    def _price(self, name: str) -> Price | None:
        return next((tuning.price for tuning in self.desired.tunings if tuning.name == name), None)

    def _attempts(self, observed: ObservedTuning) -> Iterator[AttemptSeen]:
        written = {
            (v.record.name, v.record.revision): v.updated
            for versions in self.world.records.values()
            for v in versions
        }
        records = sorted(
            observed.records.values(),
            key=lambda r: (r.wanted is not None, r.wanted, r.revision),
            reverse=True,
        )
        for record in records:
            for attempt in record.attempts:
                yield AttemptSeen(
                    revision=record.revision,
                    number=attempt.number,
                    state=attempt.state.value,
                    cause=attempt.cause,
                    job=attempt.job,
                    holder=attempt.holder,
                    unresolved=attempt.state.unresolved,
                    gone=is_gone(attempt.holder),
                    since=written.get((record.name, record.revision)) if attempt is record.last else None,
                )

    def _serves(self, serving: Serving, observed: ObservedTuning) -> Serves:
        live = self.world.serving(serving)
        if not serving.pointer:
            empty = Endpoint(serving.endpoint, "", "", {})
            return self._at(live.endpoint or empty, serving.name, observed, declared=True)
        pointer = live.pointer
        if pointer is None:
            return Serves(serving.name, "pointer", "", "", "", 0, "", None, declared=True)
        return self._to(pointer, observed, declared=True)

    def _to(self, pointer: Pointer, observed: ObservedTuning, *, declared: bool) -> Serves:
        return Serves(
            name=pointer.name,
            how="pointer",
            endpoint=pointer.endpoint,
            revision=pointer.revision,
            checkpoint=pointer.checkpoint,
            epoch=_epoch(observed, pointer.model, pointer.checkpoint),
            model=pointer.model,
            since=_since(observed.records.get(pointer.revision), pointer.checkpoint),
            declared=declared,
        )

    def _at(self, endpoint: Endpoint, name: str, observed: ObservedTuning, *, declared: bool) -> Serves:
        found = answering(endpoint)
        if found is None:
            return Serves(name, "endpoint", endpoint.name, "", "", 0, "", None, declared)
        model = f"{found.model}@{found.version}"
        record = record_of(observed.records.values(), model)
        return Serves(
            name=name,
            how="endpoint",
            endpoint=endpoint.name,
            revision=record.revision if record else "",
            checkpoint=found.checkpoint,
            epoch=_epoch(observed, model, found.checkpoint),
            model=model,
            since=_since(record, found.checkpoint),
            declared=declared,
        )

    def _lacks(self, observed: ObservedTuning, wanted: str) -> tuple[Hindrance, ...]:
        """Infrastructure that is missing keeps back only what is still to be trained."""
        record = observed.records.get(wanted)
        if record is not None and record.kept:
            return ()
        return tuple(Hindrance(str(lack), "run `tuneform up`") for lack in self.world.lacks)


def answering(endpoint: Endpoint) -> Deployed | None:
    """What of an endpoint gets its traffic, if anything does; of several the one with the most."""
    with_traffic = [deployed for deployed in endpoint.deployed if deployed.traffic > 0]
    return min(with_traffic, key=lambda deployed: (-deployed.traffic, deployed.id), default=None)


def record_of(records: Iterable[Record], model: str) -> Record | None:
    """The record of the revision that a model (with its version) was made for."""
    return next(
        (record for record in records if record.last is not None and record.last.model == model), None
    )


def _documents(tuning: Tuning, servings: Iterable[Serving]) -> set[tuple[str, str]]:
    return {("TuningJob", tuning.name), *(("TunedModel", serving.name) for serving in servings)}


def _is_served_by_us(endpoint: Endpoint, owner: str) -> bool:
    labels = endpoint.labels
    return labels.get(OWNER_LABEL) == owner and NAME_LABEL in labels and REVISION_LABEL not in labels


def _newest(jobs: list[Job], record: Record | None) -> Job | None:
    """The job that the record knows last, else the one of the latest attempt."""
    known = record.last.job if record and record.last else ""
    return max(jobs, key=lambda job: (job.name == known, job.attempt, job.name), default=None)


def _job(job: Job, progress: Progress | None, price: Price | None) -> JobSeen:
    billed = job.billable_tokens * job.epochs if job.billable_tokens and job.epochs else None
    return JobSeen(
        name=job.name,
        state=progress.state.value if progress else job.state.value,
        substate=progress.substate if progress else job.substate,
        epoch=progress.epoch if progress else 0,
        epochs=progress.epochs if progress else job.epochs,
        loss=progress.loss if progress else None,
        eval_loss=progress.eval_loss if progress else None,
        error=job.error,
        billable_tokens=job.billable_tokens,
        ended=(progress.state if progress else job.state).ended,
        billed_tokens=billed,
        cost=price.of(billed) if price is not None and billed is not None else None,
        evaluations=job.evaluations,
    )


def _verdict(servings: list[Serving], items: Iterable[Item], record: Record | None) -> VerdictSeen | None:
    verdict: Verdict | None = record.verdict if record else None
    if verdict is None:
        return None
    chosen = {item.name: item.about.checkpoint for item in items if isinstance(item.about, ServingPlan)}
    stale = not any(
        asked(serving, checkpoint) == verdict.asked
        for serving in servings
        if (checkpoint := chosen.get(serving.name)) is not None
    )
    return VerdictSeen(verdict.passed, verdict.reason, stale)


def _epoch(observed: ObservedTuning, model: str, checkpoint: str) -> int:
    of_model = (c for job in observed.jobs if job.model == model for c in job.checkpoints)
    found: Checkpoint | None = next((c for c in of_model if c.id == checkpoint), None)
    return found.epoch if found else 0


def _since(record: Record | None, checkpoint: str) -> datetime | None:
    return record.promoted if record is not None and record.served == checkpoint else None


def as_json(seen: TuningSeen) -> dict[str, Any]:
    """Everything known of a tuning, in camelCase, with times in RFC 3339."""
    plain: dict[str, Any] = _camel(asdict(replace(seen, advice=None)))
    advice = seen.advice.as_object() if seen.advice is not None else None
    return {**plain, "moving": seen.moving, "advice": advice}


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel_name(name): _camel(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_camel(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
