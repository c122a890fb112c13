"""An emulator of its own for each module that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tuneform_emulator.world import Settings

from .kit import TRAINING, VALIDATION, Vertex, dataset, launch, upload


@pytest.fixture(scope="module")
def vertex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vertex]:
    """An emulator that moves fast, with a training and a validation file."""
    settings = Settings(queued_seconds=0, pending_seconds=0)
    for running in launch(tmp_path_factory.mktemp("vertex") / "emulator.db", settings):
        upload(running.endpoint, "training.jsonl", dataset(6))
        upload(running.endpoint, "validation.jsonl", dataset(1))
        yield running


@pytest.fixture(scope="module")
def done(vertex: Vertex) -> dict[str, Any]:
    """A job that has succeeded: three epochs, with validation data and labels."""
    spec = {
        "trainingDatasetUri": TRAINING,
        "validationDatasetUri": VALIDATION,
        "hyperParameters": {"epochCount": "3", "adapterSize": "ADAPTER_SIZE_EIGHT"},
    }
    job = vertex.create_job(supervisedTuningSpec=spec, labels={"team": "support"}, description="first")
    return vertex.succeeded(job["name"])
