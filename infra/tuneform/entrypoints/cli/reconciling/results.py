"""How an `apply` ended: what was done, what failed and what to do about it, what each tuning has come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from tuneform.entrypoints.cli.reconciling.connecting import Opened
from tuneform.reconcile.actions import Action, Settle, last
from tuneform.reconcile.desired import Tuning
from tuneform.reconcile.execute import (
    Failure,
    Outcome,
    ServingStatus,
    TuningStatus,
    serving_status,
    tuning_status,
)
from tuneform.reconcile.execute.run import QUIET
from tuneform.reconcile.observe import closer
from tuneform.reconcile.plan import Item, Plan
from tuneform.review import plan as review
from tuneform.review.next_run import NextRun, next_run, ranks_of
from tuneform.review.plan import Entry


@dataclass(frozen=True)
class Line:
    """What one tuning has come to, and what serves of it."""

    name: str
    tuning: TuningStatus
    serving: ServingStatus | None = None
    advice: NextRun | None = None
    """What to try next, of a job that has ended in this run."""

    def words(self) -> str:
        """On one line: revision, job, what serves, what its gate measured."""
        job = self.tuning.job
        parts = [self.tuning.revision, f"job {last(job.name)} {job.state.value}" if job else "no job"]
        if self.serving is not None:
            checkpoint = self.serving.checkpoint.id or "default"
            parts.append(f"serves on endpoint {last(self.serving.endpoint)}, checkpoint {checkpoint}")
            parts += [f"{gate.metric} {gate.value:.4g}" for gate in self.serving.gates]
        elif self.tuning.model:
            parts.append(f"model {last(self.tuning.model)}, not serving")
        return ", ".join(parts)

    def as_object(self) -> dict[str, Any]:
        """The same for programs; what is not there is null."""
        job, serving = self.tuning.job, self.serving
        return {
            "name": self.name,
            "revision": self.tuning.revision,
            "job": job.name if job else None,
            "state": job.state.value if job else None,
            "model": self.tuning.model or None,
            "endpoint": serving.endpoint if serving else None,
            "checkpoint": serving.checkpoint.id if serving else None,
            "gates": {gate.metric: gate.value for gate in serving.gates} if serving else {},
            "advice": self.advice.as_object() if self.advice else None,
        }


def lines(found: Opened, before: Plan, outcome: Outcome) -> tuple[Line, ...]:
    """A line for every tuning that the plan before was about; nothing is looked up for the others."""
    changed = {(item.kind, item.name) for item in before.changes}
    servings = {serving.tuning: serving for serving in found.desired.servings}
    about = [
        tuning
        for tuning in found.desired.tunings
        if ("TuningJob", tuning.name) in changed
        or ("TunedModel", servings[tuning.name].name if tuning.name in servings else "") in changed
    ]
    if not about:
        return ()
    # The last look is a wide one, whose records are lean where nothing is left to do.
    names = [name for tuning in about for name in (tuning.name, *tuning.previous_names)]
    world = closer(found.ports.view, found.desired, outcome.world, names)
    reader = found.ports.reader
    ended = {key for key, action in outcome.done if isinstance(action, Settle)}

    def line(tuning: Tuning) -> Line:
        status = tuning_status(reader, tuning, world)
        served = serving_status(reader, servings[tuning.name], world) if tuning.name in servings else None
        advice = _advice(found, tuning, status) if f"TuningJob {tuning.name}" in ended else None
        return Line(tuning.name, status, served, advice)

    return tuple(map(line, about))


def _advice(found: Opened, tuning: Tuning, status: TuningStatus) -> NextRun | None:
    if status.job is None:
        return None
    ranks = ranks_of(found.scope.tree.known, tuning.base_model, tuning.method)
    examples = tuning.training.examples
    return next_run(status.job, status.curves, examples=examples, price=tuning.price, ranks=ranks)


def show(outcome: Outcome, told: Iterable[Line], found: Opened, where: Console) -> None:
    """Failures with their places and remedies, then a line for each tuning, then a summary."""
    for failure in outcome.failures:
        where.print(_failure(failure, found), soft_wrap=True)
    for item, why in outcome.queued:
        name = review.document_name(item)
        where.print(Text.assemble("  ", (name, "bold"), f"  queued: {why}"), soft_wrap=True)
    for line in told:
        where.print(Text.assemble("  ", (line.name, "bold"), f"  {line.words()}"), soft_wrap=True)
        for text in line.advice.text if line.advice else ():
            where.print(Text(f"    {text}"), soft_wrap=True)
    where.print(Text(sentence(outcome), style="bold"), soft_wrap=True)


def sentence(outcome: Outcome) -> str:
    """What was done, in words; jobs that still run and what failed."""
    text = done_words(_counts(outcome))
    waiting = review.summary(outcome.plan)["wait"]
    if waiting and not outcome.failures:
        text += (
            f" {waiting:,} job{'s' if waiting > 1 else ''} still under way: apply again to go on from there."
        )
    if outcome.queued:
        queued = len(outcome.queued)
        text += f" {queued:,} wait{'s' if queued == 1 else ''} in line: apply again when jobs have ended."
    if outcome.failures:
        text += f" {len(outcome.failures):,} failed."
    return text


def done_words(counts: Mapping[str, int]) -> str:
    """How much was done of what, in words."""
    past = {
        "create": "created", "adopt": "adopted", "update": "updated", "promote": "promoted",
        "retire": "retired", "cancel": "cancelled",
    }  # fmt: skip
    parts = [f"{counts[word]:,} {words}" for word, words in past.items() if counts[word]]
    return f"Done: {', '.join(parts)}." if parts else "Nothing was changed."


def as_object(outcome: Outcome, stamp: str, told: Iterable[Line], found: Opened) -> dict[str, Any]:
    """The outcome for programs. `stamp` is the plan's that was applied."""
    project = found.desired.project.name
    return {
        "stamp": stamp,
        "done": [review.action_object(_entry(key, action), project) for key, action in outcome.done],
        "failures": [failure_object(failure) for failure in outcome.failures],
        "queued": [
            {"kind": item.kind, "name": review.document_name(item), "reason": why}
            for item, why in outcome.queued
        ],
        "summary": summary(outcome),
        "tunings": [line.as_object() for line in told],
    }


def failure_object(failure: Failure) -> dict[str, Any]:
    """One failure for programs."""
    item, error = failure.item, failure.error
    return {
        "kind": item.kind,
        "name": review.document_name(item),
        "code": error.code,
        "message": error.message,
        "remedy": error.remedy,
    }


def summary(outcome: Outcome) -> dict[str, int]:
    """How much was done of what, and how many documents needed nothing."""
    return {**_counts(outcome), "unchanged": review.summary(outcome.plan)["unchanged"]}


def _counts(outcome: Outcome) -> Mapping[str, int]:
    # What is done without a word is not counted either: how often depends on the moment.
    counts = Counter(review.word(action) for _, action in outcome.done if not isinstance(action, QUIET))
    left = review.summary(outcome.plan)
    return {word: left[word] if word in {"wait", "blocked"} else counts[word] for word in review.WORDS}


def _entry(key: str, action: Action) -> Entry:
    kind, _, name = key.partition(" ")
    return Entry(kind, review.document_name(Item(kind, name, ())), action)


def _failure(failure: Failure, found: Opened) -> str:
    """As a compiler would print it: place, code, document, message, remedy."""
    item, error = failure.item, failure.error
    name = review.document_name(item)
    place = found.scope.place(item.kind, name)
    remedy = f"\n   = remedy: {error.remedy}" if error.remedy else ""
    before = f"{place}: " if place else ""
    return f"{before}error[{error.code}]: {item.kind} {name}: {error.message}{remedy}"
