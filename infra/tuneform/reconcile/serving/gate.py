"""The gate: what a revision must show before it gets traffic, measured and kept in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


@dataclass(frozen=True)
class Demand:
    """One thing the gate asks for."""

    metric: str
    threshold: float
    at_least: bool

    def passed(self, value: float) -> bool:
        """Whether a measured value is good enough."""
        return value >= self.threshold if self.at_least else value <= self.threshold

    def __str__(self) -> str:
        return f"{self.metric} {'at least' if self.at_least else 'at most'} {self.threshold:g}"


def demands(gate: Gate) -> tuple[Demand, ...]:
    """What the gate asks for, one by one."""
    asked = (
        ("exactMatch", gate.exact_match_at_least, True),
        ("evalLoss", gate.eval_loss_at_most, False),
        ("evalAccuracy", gate.eval_accuracy_at_least, True),
    )
    return tuple(Demand(metric, value, at_least) for metric, value, at_least in asked if value is not None)


@dataclass(frozen=True)
class Measuring:
    """What measuring needs: the test split's bytes when asked for, the job's curves, and a way to ask a question."""

    test: Content | None
    read: Callable[[str], bytes]
    curves: Callable[[], Curves]
    ask: Callable[[Mapping[str, Any]], str]
    digest: str

    def measure(self, demand: Demand, gate: Gate, checkpoint: Checkpoint) -> GateResult:
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
        return GateResult(checkpoint.id, demand.metric, value, self.digest, 0)

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


def measure_all(
    record: Record, gate: Gate, checkpoint: Checkpoint, measuring: Measuring
) -> tuple[Record, tuple[GateResult, ...]]:
    """Every demand's measurement, kept ones reused; the record holds the new ones."""
    results: list[GateResult] = []
    for demand in demands(gate):
        digest, asked = measuring.digest, 0
        if demand.metric == "exactMatch" and measuring.test is not None:
            digest, asked = measuring.test.digest, gate.exact_match_examples or 0
        kept = record.measured(checkpoint.id, demand.metric, digest, asked)
        result = kept or measuring.measure(demand, gate, checkpoint)
        if kept is None:
            record = replace(record, gates=(*record.gates, result))
        results.append(result)
    return record, tuple(results)


def verdict(gate: Gate, results: Sequence[GateResult]) -> tuple[str, ...]:
    """The demands that were not met, in words; empty when the gate is passed."""
    return tuple(
        f"{demand} was asked for, {result.value:.4g} was measured"
        for demand, result in zip(demands(gate), results, strict=True)
        if not demand.passed(result.value)
    )
