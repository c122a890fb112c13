"""From a look at a project, its plan and its curves to what a report says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuneform.capabilities import PUBLISHER
from tuneform.capabilities.prices import PriceTable
from tuneform.reconcile.actions import Blocked, last
from tuneform.reconcile.desired import Desired, Serving, Tuning
from tuneform.reconcile.execute.gate import at_step, demands
from tuneform.reconcile.ledger import Attempt, Record
from tuneform.reconcile.live import Checkpoint, Curves, Job, JobState, Points
from tuneform.reconcile.observe import ObservedTuning, World, names_of
from tuneform.reconcile.plan import Plan, ServingPlan
from tuneform.review import plan as planned
from tuneform.review.report.data import (
    CheckpointPart,
    DemandPart,
    Difference,
    GatePart,
    JobPart,
    ProjectPart,
    TuningPart,
)
from tuneform.review.report.standing import standing
from tuneform.review.report.statistics import DatasetStatistics
from tuneform.review.status import TuningSeen

_BILLED = {JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED}


@dataclass(frozen=True)
class Looked:
    """One project as it was read: what is asked for, what is live, what `plan` says, what `status` says.

    `curves` are by job name, `used` names the Dataset of each tuning.
    """

    desired: Desired
    world: World
    plan: Plan
    seen: tuple[TuningSeen, ...]
    curves: Mapping[str, Curves] = field(default_factory=dict)
    datasets: tuple[DatasetStatistics, ...] = ()
    used: Mapping[str, str] = field(default_factory=dict)


def project_part(looked: Looked, prices: PriceTable) -> ProjectPart:
    """What a report says of a project; `prices` is what base models cost."""
    project = looked.desired.project
    return ProjectPart(
        name=project.name,
        project_id=project.project_id,
        location=project.location,
        owner=project.owner,
        tunings=tuple(_Tuning(looked, seen, prices).part() for seen in looked.seen),
        datasets=looked.datasets,
        differences=tuple(_differences(looked.plan)),
        sentence=planned.sentence(looked.plan),
        estimate=str(planned.totals(looked.plan)),
        whole=looked.desired.whole,
    )


def _differences(plan: Plan) -> Iterator[Difference]:
    for entry in planned.entries(plan):
        action = entry.doing
        if isinstance(action, Blocked):
            text, remedy = action.reason, action.remedy
        else:
            text, remedy = planned.shortened(planned.headline(action)), ""
        yield Difference(
            kind=entry.kind,
            name=entry.name,
            word=planned.word(entry.action),
            text=text,
            changes=planned.field_changes(action),
            later=entry.later,
            removed=entry.removed,
            remedy=remedy,
        )


class _Tuning:
    """One tuning, with everything that is known of it looked up once."""

    def __init__(self, looked: Looked, seen: TuningSeen, prices: PriceTable) -> None:
        desired, world = looked.desired, looked.world
        self._looked, self._seen, self._prices = looked, seen, prices
        self._asked: Tuning | None = next((t for t in desired.tunings if t.name == seen.name), None)
        self._servings = [serving for serving in desired.servings if serving.tuning == seen.name]
        names = names_of(self._asked) if self._asked else (seen.name,)
        self._observed: ObservedTuning = world.tuning(*names)
        self._record: Record | None = self._observed.records.get(seen.wanted)
        self._job: Job | None = self._observed.job(seen.job.name) if seen.job else None

    def part(self) -> TuningPart:
        asked, job = self._asked, self._job
        curves = self._looked.curves.get(job.name, Curves()) if job else Curves()
        return TuningPart(
            seen=self._seen,
            standing=standing(self._seen),
            base_model=_short(asked.base_model if asked else job.base_model if job else ""),
            dataset=self._looked.used.get(self._seen.name, ""),
            description=asked.description if asked else job.description if job else "",
            settings=tuple(self._settings()),
            jobs=tuple(self._jobs()),
            checkpoints=tuple(self._checkpoints(curves)),
            gates=tuple(self._gate(serving) for serving in self._servings),
            curves=curves,
            epochs=job.epochs if job else 0,
            steps=job.steps if job else 0,
        )

    def _settings(self) -> Iterator[tuple[str, str]]:
        """What its document says; of one that is live only, what its job says."""
        asked, job = self._asked, self._job
        if asked is not None:
            hyper = asked.hyper_parameters
            found: dict[str, Any] = {
                "method": asked.method,
                "epochCount": hyper.epoch_count or "chosen by Vertex AI",
                "adapterSize": hyper.adapter_size or "chosen by Vertex AI",
                "learningRateMultiplier": hyper.learning_rate_multiplier or "chosen by Vertex AI",
                "encryption key": last(asked.kms_key) if asked.kms_key else "Google's own",
                "service account": asked.service_account or "the tuning service's own",
                **{f"label {name}": value for name, value in sorted(asked.labels.items())},
            }
        elif job is not None:
            found = {"method": job.method, "epochCount": job.epochs, "adapterSize": job.adapter_size}
        else:
            found = {}
        return ((name, str(value)) for name, value in found.items())

    # --- jobs ---

    def _jobs(self) -> Iterator[JobPart]:
        """Every attempt, newest revision first, and jobs that no attempt names."""
        told: set[str] = set()
        for seen in self._seen.attempts:
            record = self._observed.records.get(seen.revision)
            attempt = next((a for a in record.attempts if a.number == seen.number), None) if record else None
            job = self._observed.job(seen.job) if seen.job else None
            told.add(seen.job)
            yield self._try(seen.revision, seen.number, job, attempt)
        for job in self._observed.jobs:
            if job.name not in told:
                yield self._try(job.revision, job.attempt, job, None)

    def _try(self, revision: str, number: int, job: Job | None, attempt: Attempt | None) -> JobPart:
        tokens = None
        if job is not None and job.state in _BILLED and job.billable_tokens and job.epochs:
            tokens = job.billable_tokens * job.epochs
        price = self._prices.find(job.base_model) if job else None
        created, ended = (job.created, job.ended) if job else (None, None)
        return JobPart(
            revision=revision,
            attempt=number,
            fate=attempt.state.value if attempt else "",
            cause=attempt.cause if attempt else "",
            job=last(job.name if job else attempt.job if attempt else ""),
            state=job.state.value if job else "",
            ended=job.state.ended if job else True,
            created=created,
            took=ended - created if created and ended else None,
            epochs=job.epochs if job else 0,
            tokens=tokens,
            cost=price.of(tokens) if price and tokens is not None else None,
            error=job.error if job else "",
            wanted=revision == self._seen.wanted,
        )

    # --- checkpoints and gates ---

    def _checkpoints(self, curves: Curves) -> Iterator[CheckpointPart]:
        job, record = self._job, self._record
        chosen = {checkpoint.id for checkpoint in self._chosen().values()}
        serving = {s.checkpoint for s in self._seen.serves if s.model and job and s.model == job.model}
        before = 0
        for one in sorted(job.checkpoints, key=lambda c: (c.epoch, c.step)) if job else ():
            yield CheckpointPart(
                id=one.id,
                epoch=one.epoch,
                step=one.step,
                train_loss=_mean(curves.train_loss, before, one.step),
                train_accuracy=_mean(curves.train_accuracy, before, one.step),
                eval_loss=self._measured(one, "evalLoss", curves.eval_loss),
                eval_accuracy=self._measured(one, "evalAccuracy", curves.eval_accuracy),
                exact_match=self._measured(one, "exactMatch", ()),
                chosen=one.id in chosen,
                serves=one.id in serving,
                best=record is not None and record.best == one.id != "",
            )
            before = one.step

    def _measured(self, checkpoint: Checkpoint, metric: str, points: Points) -> float | None:
        """As the ledger keeps it, the newest of several; else as the curve has it."""
        gates = self._record.gates if self._record else ()
        kept = [gate.value for gate in gates if (gate.checkpoint, gate.metric) == (checkpoint.id, metric)]
        return kept[-1] if kept else at_step(points, checkpoint.step)

    def _chosen(self) -> dict[str, Checkpoint]:
        """The checkpoint that each served model means, where its job has made it."""
        names = {serving.name for serving in self._servings}
        plans = (
            (item.name, item.about)
            for item in self._looked.plan.items
            if item.kind == "TunedModel" and not item.removed and item.name in names
        )
        return {
            name: about.checkpoint
            for name, about in plans
            if isinstance(about, ServingPlan) and about.checkpoint is not None
        }

    def _gate(self, serving: Serving) -> GatePart:
        chosen = self._chosen().get(serving.name)
        asked = []
        for demand in demands(serving.gate):
            value = self._kept(serving, demand.metric, chosen.id) if chosen else None
            asked.append(DemandPart(str(demand), value, None if value is None else demand.passed(value)))
        compares = serving.gate.no_worse_than_serving and any(
            d.threshold is not None for d in demands(serving.gate)
        )
        return GatePart(serving.name, tuple(asked), compares)

    def _kept(self, serving: Serving, metric: str, checkpoint: str) -> float | None:
        """The measurement that answers the gate as it is now: on this data, of so many questions."""
        record = self._record
        if record is None:
            return None
        digest, examples = record.revision, 0
        if metric == "exactMatch":
            digest = serving.test.digest if serving.test else ""
            examples = serving.gate.exact_match_examples or 0
        found = record.measured(checkpoint, metric, digest, examples)
        return found.value if found else None


def _mean(points: Points, after: int, until: int) -> float | None:
    values = [value for step, value in points if after < step <= until]
    return sum(values) / len(values) if values else None


def _short(model: str) -> str:
    return model.removeprefix(PUBLISHER)
