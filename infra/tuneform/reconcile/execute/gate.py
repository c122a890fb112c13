"""The gate: what a revision must show before it gets traffic, measured and kept in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from tuneform.datasets import requests
from tuneform.errors import ReconcileError
from tuneform.reconcile.desired import Content, Gate
from tuneform.reconcile.ledger import GateResult, Record
from tuneform.reconcile.live import Checkpoint, Curves, Points

CONCURRENT_QUESTIONS = 8
"""Few enough to stay under any endpoint's quota."""

MORE_IS_BETTER = {"exactMatch": True, "evalAccuracy": True, "evalLoss": False}


@dataclass(frozen=True)
class Demand:
    """One thing the gate asks for. A threshold of None asks for nothing but the comparison with what serves."""

    metric: str
    threshold: float | None

    def passed(self, value: float) -> bool:
        """Whether a measured value is good enough."""
        return self.threshold is None or no_worse(self.metric, value, self.threshold)

    def __str__(self) -> str:
        if self.threshold is None:
            return f"{self.metric} no worse than what serves"
        return f"{self.metric} {'at least' if MORE_IS_BETTER[self.metric] else 'at most'} {self.threshold:g}"


def no_worse(metric: str, value: float, than: float) -> bool:
    """Whether a value of a metric is at least as good as another."""
    return value >= than if MORE_IS_BETTER[metric] else value <= than


def demands(gate: Gate) -> tuple[Demand, ...]:
    """What the gate asks for, one by one. `noWorseThan` alone compares exactMatch."""
    asked = (
        ("exactMatch", gate.exact_match_at_least),
        ("evalLoss", gate.eval_loss_at_most),
        ("evalAccuracy", gate.eval_accuracy_at_least),
    )
    found = tuple(Demand(metric, value) for metric, value in asked if value is not None)
    return found or ((Demand("exactMatch", None),) if gate.no_worse_than_serving else ())


@dataclass(frozen=True)
class Measuring:
    """What measuring one revision needs: the test split, its bytes, the job's curves, and a way to ask a question."""

    test: Content | None
    read: Callable[[str], bytes]
    curves: Callable[[], Curves]
    ask: Callable[[Mapping[str, Any]], str]

    def measure(self, demand: Demand, gate: Gate, record: Record, checkpoint: Checkpoint) -> GateResult:
        """One metric of one checkpoint.

        Raises:
            ReconcileError: there is no data to measure it on.
        """
        if demand.metric == "exactMatch":
            return self._exact_match(gate, checkpoint)
        curves = self.curves()
        points = curves.eval_loss if demand.metric == "evalLoss" else curves.eval_accuracy
        value = at_step(points, checkpoint.step)
        if value is None:
            raise ReconcileError(
                f"the gate asks for {demand}, and there is no such measurement",
                remedy="give the dataset a validation split: Vertex measures evaluation metrics on it",
            )
        return GateResult(checkpoint.id, demand.metric, value, record.revision, 0)

    def _exact_match(self, gate: Gate, checkpoint: Checkpoint) -> GateResult:
        if self.test is None:
            raise ReconcileError(
                "the gate asks for exactMatch, and the dataset has no test split",
                remedy="give the dataset a test split: the gate is never measured on data that training saw",
            )
        asked = requests(self.read(self.test.uri).splitlines())[: gate.exact_match_examples]
        with ThreadPoolExecutor(CONCURRENT_QUESTIONS) as pool:
            answers = list(pool.map(self.ask, (request for request, _ in asked)))
        right = sum(
            answer.strip() == expected.strip() for answer, (_, expected) in zip(answers, asked, strict=True)
        )
        return GateResult(
            checkpoint.id, "exactMatch", right / len(asked), self.test.digest, gate.exact_match_examples or 0
        )


def at_step(points: Points, step: int) -> float | None:
    """The value at a step, or at the last one before it."""
    before = [value for at, value in points if at <= step]
    return before[-1] if before else None


def evaluations(revision: str, checkpoints: tuple[Checkpoint, ...], curves: Curves) -> tuple[GateResult, ...]:
    """What Vertex measured of each checkpoint on the validation data, to be kept: no curve is read for it again."""
    series = (("evalLoss", curves.eval_loss), ("evalAccuracy", curves.eval_accuracy))
    return tuple(
        GateResult(checkpoint.id, metric, value, revision, 0)
        for checkpoint in checkpoints
        for metric, points in series
        if (value := at_step(points, checkpoint.step)) is not None
    )


def best_checkpoint(checkpoints: tuple[Checkpoint, ...], results: tuple[GateResult, ...]) -> str:
    """The checkpoint with the least evaluation loss, the earlier one of equals; empty without such losses."""
    losses = {result.checkpoint: result.value for result in results if result.metric == "evalLoss"}
    known = [(losses[c.id], c.step, c.id) for c in checkpoints if c.id in losses]
    return min(known)[2] if known else ""


def measure_all(
    record: Record, gate: Gate, checkpoint: Checkpoint, measuring: Measuring
) -> tuple[Record, tuple[GateResult, ...]]:
    """Every demand's measurement, kept ones reused; the record holds the new ones."""
    results: list[GateResult] = []
    for demand in demands(gate):
        digest, asked = record.revision, 0
        if demand.metric == "exactMatch" and measuring.test is not None:
            digest, asked = measuring.test.digest, gate.exact_match_examples or 0
        kept = record.measured(checkpoint.id, demand.metric, digest, asked)
        result = kept or measuring.measure(demand, gate, record, checkpoint)
        if kept is None:
            record = replace(record, gates=(*record.gates, result))
        results.append(result)
    return record, tuple(results)


def missed(
    gate: Gate, results: tuple[GateResult, ...], serving: tuple[GateResult, ...] = ()
) -> tuple[str, ...]:
    """The demands that were not met, in words; empty when the gate is passed. `serving` is what serves now."""
    found = [
        f"{demand} was asked for, {result.value:.4g} was measured"
        for demand, result in zip(demands(gate), results, strict=True)
        if not demand.passed(result.value)
    ]
    if gate.no_worse_than_serving:
        found += [
            f"{new.metric} {new.value:.4g} is worse than {old.value:.4g} of what serves"
            for new, old in zip(results, serving, strict=False)
            if not no_worse(new.metric, new.value, old.value)
        ]
    return tuple(found)
