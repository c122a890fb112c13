"""Real input: Banking77, where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuneform.datasets import DatasetSource, pairs, prepare

from .helpers import no_fetch

REPOSITORY = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("TUNEFORM_SHARED_DATA", REPOSITORY.parent / "shared" / "data")) / "banking77"


@pytest.mark.skipif(
    not FOLDER.is_dir(), reason="Banking77 is not beside the repository (TUNEFORM_SHARED_DATA)"
)
def test_banking77_is_read_whole() -> None:
    source = DatasetSource.from_json(
        {"training": "train.csv", "test": "test.csv", "split": {"validation": 0.1}}
    )
    made = prepare(source, root=FOLDER, fetch=no_fetch)
    assert made.validation is not None
    assert made.test is not None
    assert (made.training.examples, made.validation.examples, made.test.examples) == (9_003, 1_000, 3_080)
    assert len({output for _, output in pairs(made.training)}) == 77
