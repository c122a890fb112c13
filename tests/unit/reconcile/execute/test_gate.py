"""The gate: measured once, on held-out data, and judged by its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.reconcile.builders import record

from tuneform.errors import ReconcileError
from tuneform.reconcile.desired import Content, Gate
from tuneform.reconcile.execute.gate import (
    Measuring,
    at_step,
    best_checkpoint,
    evaluations,
    measure_all,
    missed,
)
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import Checkpoint, Curves

TEST = Content("gs://b/test.jsonl", "sha256:test", 3, 30)
CHECKPOINT = Checkpoint("2", 2, 20, "endpoint")
CURVES = Curves(eval_loss=((10, 0.9), (20, 0.4), (30, 0.6)), eval_accuracy=((10, 0.5), (20, 0.8)))


def line(question: str, answer: str) -> bytes:
    turns = [("user", question), ("model", answer)]
    return json.dumps({"contents": [{"role": r, "parts": [{"text": t}]} for r, t in turns]}).encode()


DATA = b"\n".join([line("1", "2"), line("2", "3"), line("3", "4")]) + b"\n"


def measuring(asked: list[str], *, test: Content | None = TEST) -> Measuring:
    def ask(request: Mapping[str, Any]) -> str:
        asked.append(request["contents"][0]["parts"][0]["text"])
        return "2 " if asked[-1] == "1" else "wrong"

    return Measuring(test, lambda uri: {TEST.uri: DATA}[uri], lambda: CURVES, ask)


def test_exact_match_is_the_share_of_right_answers() -> None:
    asked: list[str] = []
    gate = Gate(exact_match_at_least=0.5)

    _, results = measure_all(record(AttemptState.SUCCEEDED), gate, CHECKPOINT, measuring(asked))

    assert sorted(asked) == ["1", "2", "3"]
    assert results[0].value == pytest.approx(1 / 3)
    assert missed(gate, results) == ("exactMatch at least 0.5 was asked for, 0.3333 was measured",)


def test_a_kept_measurement_asks_nothing_again() -> None:
    asked: list[str] = []
    gate = Gate(exact_match_at_least=0.3, exact_match_examples=2)
    kept, _ = measure_all(record(AttemptState.SUCCEEDED), gate, CHECKPOINT, measuring(asked))
    assert len(asked) == 2

    again, results = measure_all(kept, gate, CHECKPOINT, measuring(asked))

    assert len(asked) == 2
    assert again == kept
    assert missed(gate, results) == ()


def test_evaluation_metrics_are_those_of_the_checkpoint_served() -> None:
    gate = Gate(eval_loss_at_most=0.5, eval_accuracy_at_least=0.9)

    _, results = measure_all(record(AttemptState.SUCCEEDED), gate, CHECKPOINT, measuring([]))

    assert [result.value for result in results] == [0.4, 0.8]
    assert missed(gate, results) == ("evalAccuracy at least 0.9 was asked for, 0.8 was measured",)


def test_without_a_test_split_the_gate_says_what_is_missing() -> None:
    gate = Gate(exact_match_at_least=0.5)

    with pytest.raises(ReconcileError, match="no test split"):
        measure_all(record(AttemptState.SUCCEEDED), gate, CHECKPOINT, measuring([], test=None))


def test_the_value_at_a_step_is_the_last_one_measured_by_then() -> None:
    assert at_step(((10, 0.9), (20, 0.4)), 25) == 0.4
    assert at_step(((10, 0.9),), 5) is None


def test_no_worse_than_what_serves_is_judged_by_the_same_measurements() -> None:
    gate = Gate(no_worse_than_serving=True)

    kept, results = measure_all(record(AttemptState.SUCCEEDED), gate, CHECKPOINT, measuring([]))
    better = (replace(results[0], value=0.5),)

    assert [result.metric for result in kept.gates] == ["exactMatch"]
    assert missed(gate, results, ()) == ()
    assert missed(gate, results, results) == ()
    assert missed(gate, results, better) == ("exactMatch 0.3333 is worse than 0.5 of what serves",)


def test_what_vertex_measured_is_kept_by_checkpoint_and_the_least_loss_is_the_best() -> None:
    checkpoints = tuple(Checkpoint(str(n), n, n * 10) for n in (1, 2, 3))

    kept = evaluations("r1-x", checkpoints, CURVES)

    assert [(r.checkpoint, r.value) for r in kept if r.metric == "evalLoss"] == [
        ("1", 0.9),
        ("2", 0.4),
        ("3", 0.6),
    ]
    assert best_checkpoint(checkpoints, kept) == "2"
    assert best_checkpoint(checkpoints, ()) == ""
