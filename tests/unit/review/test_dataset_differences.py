"""Differences of datasets in words and as plain values."""

from __future__ import annotations

from dataclasses import replace

from tuneform.datasets.differences import Differences
from tuneform.reconcile.data_changes import DatasetDifference
from tuneform.reconcile.desired import Content
from tuneform.review import dataset_differences as review

NEW = Content("gs://b/datasets/words/ab.jsonl", "sha256:ab", 1_204, 9)
COUNTED = DatasetDifference(
    "words", "training", ("a", "b"), "r1-aa", True, "gs://b/old", NEW, Differences(1_200, 0, 3, 1)
)
GONE = replace(COUNTED, serves=False, found=None, unreadable="it is not in the bucket any more")


def test_a_line_counts_what_there_is_and_says_since_when() -> None:
    said = (
        "Dataset words: training: 1,200 added, 3 answered otherwise, 1 unchanged, since r1-aa, which serves"
    )
    assert review.sentence(COUNTED) == said
    assert review.sentence(GONE) == (
        "Dataset words: training differs since r1-aa, asked for last; what it was cannot be read: "
        "it is not in the bucket any more"
    )


def test_programs_get_numbers_or_null_with_the_reason() -> None:
    told = {"dataset": "words", "project": "demo", "split": "training", "jobs": ["a", "b"], "since": "r1-aa"}
    assert review.as_object(COUNTED, "demo") == {
        **told,
        "serves": True,
        "examples": 1_204,
        "added": 1_200,
        "removed": 0,
        "changed": 3,
        "unchanged": 1,
        "unreadable": None,
    }
    assert review.as_object(GONE, "demo") == {
        **told,
        "serves": False,
        "examples": 1_204,
        **dict.fromkeys(("added", "removed", "changed", "unchanged")),
        "unreadable": "it is not in the bucket any more",
    }
