"""Figures of datasets: what is counted, and that no text of the data gets out but the labels of classifications."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneform.entrypoints.desired import reader
from tuneform.review.report import DatasetStatistics, statistics
from tuneform.review.report.statistics import LONGEST_LABEL, MOST_LABELS, LabelCount
from tuneform.specs import Dataset, load

SPEC = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: shop}
spec: {projectId: tuneform-test, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: colours}
spec: {bucket: {ref: data}, training: train.jsonl, test: test.jsonl, task: TASK}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(train: list[tuple[str, str]], *, task: str = "classification") -> DatasetStatistics:
    folder = Path("specs")
    folder.mkdir()
    (folder / "a.yaml").write_text(SPEC.replace("TASK", task))
    test = [("say red again", "red"), ("say blue again", "blue")]
    for name, pairs in (("train", train), ("test", test)):
        rows = [json.dumps({"text_input": question, "output": answer}) for question, answer in pairs]
        (folder / f"{name}.jsonl").write_text("\n".join(rows))
    tree = load(folder)
    (document,) = tree.of(Dataset)
    return statistics(document, reader(tree, lambda uri: b"")(document))


COLOURS = [(f"say {colour} {n}", colour) for n in range(10) for colour in ("red", "green")]


def test_splits_are_counted_with_tokens_and_lengths() -> None:
    seen = found(COLOURS)

    training, test = seen.splits
    assert (training.name, training.examples, test.name, test.examples) == ("training", 20, "test", 2)
    assert training.low <= training.tokens <= (training.high or 0)
    assert (training.asked.least, training.asked.most) == (9, 11)
    assert (training.answered.least, training.answered.median, training.answered.most) == (3, 4, 5)
    assert training.digest.startswith("sha256:")


def test_labels_of_a_classification_are_counted_in_each_split() -> None:
    assert found([*COLOURS, ("say red please", "red")]).labels == (
        LabelCount("red", (11, 1)),
        LabelCount("green", (10, 0)),
        LabelCount("blue", (0, 1)),
    )


@pytest.mark.parametrize("task", ["chat", "generation"])
def test_answers_that_are_no_labels_are_not_shown(task: str) -> None:
    assert found(COLOURS, task=task).labels == ()


def test_answers_that_are_too_many_to_be_labels_are_not_shown() -> None:
    seen = found([(f"question {n}", f"private answer {n}") for n in range(20)])

    assert (seen.labels, seen.more) == ((), 0)
    assert "private" not in repr(seen)


def test_many_and_long_labels_are_cut() -> None:
    pairs = [(f"q {n}", f"{n % 50:02} {'x' * 100}") for n in range(200)]
    seen = found(pairs)

    assert (len(seen.labels), seen.more) == (MOST_LABELS, 50 + 2 - MOST_LABELS)
    assert {len(label.label) for label in seen.labels} == {LONGEST_LABEL}
