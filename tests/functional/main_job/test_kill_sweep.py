"""A first `up`, killed at one moment after another: it always goes on, and pays for one job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.main_job.asking import ask
from tests.functional.main_job.checkout import Checkout
from tests.functional.main_job.running import orphans, running

pytestmark = pytest.mark.slow

MOMENTS = (
    r"applying",
    r"KeyRing +\S+ +created",
    r"Bucket +\S+ +created",
    r"Dataset +\S+ +created",
    r"new revision",
    r"TuningJob +\S+ +QUEUED",
    r"TuningJob +\S+ +RUNNING",
    r"TuningJob +\S+ +SUCCEEDED",
    r"creates the serving endpoint",
    r"promotes",
    r"TunedModel +\S+ +created",
)
"""What a run has just printed when it is killed."""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout.of_this_project(tmp_path)
    made.shrink()
    made.does("emulator", "start", "--port", "0")
    yield made
    made.run("emulator", "stop")


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_the_next_up_pays_for_one_job(alone: Checkout, moment: str) -> None:
    with running(alone, "up") as cut_off:
        cut_off.until(moment)
        cut_off.kill(group=True)
        assert orphans(alone) == []

    alone.does("up")

    assert alone.counts()["jobs"] == 1
    assert ask(alone, "support-intents", "Where is my parcel?")
    assert "everything unchanged" in alone.does("preview")
