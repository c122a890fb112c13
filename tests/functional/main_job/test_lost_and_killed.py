"""The state thrown away, runs killed and interrupted half-way, two runs at once: `up` again goes on."""

from __future__ import annotations

import re
import shutil

import pytest
from tests.functional.main_job.asking import ask, serving
from tests.functional.main_job.checkout import Checkout, epochs, outputs
from tests.functional.main_job.running import Running, orphans, running

NAME = "support-intents"
HALF_WAY = r"TuningJob +support-intents +RUNNING"
LONG = 30
"""Epochs that take about ten seconds: long enough to be cut off half-way."""


@pytest.fixture(scope="module")
def first(checkout: Checkout) -> dict[str, dict[str, str]]:
    checkout.shrink()
    return outputs(checkout.does("up"))


def test_a_lost_state_is_adopted_whole(checkout: Checkout, first: dict[str, dict[str, str]]) -> None:
    before = checkout.counts()
    models, endpoints = checkout.live("models"), checkout.live("endpoints")
    shutil.rmtree(checkout.folder / ".tuneform" / "state")

    again = checkout.does("up")

    assert outputs(again) == first
    assert "4 adopted" in again  # bucket, key ring, key, service account: the engine's own import
    assert checkout.counts() == before
    assert [model["name"] for model in checkout.live("models")] == [model["name"] for model in models]
    assert checkout.live("endpoints") == endpoints
    assert "everything unchanged" in checkout.does("preview")


def test_what_the_engine_notes_beside_its_state_may_be_cut_off(
    checkout: Checkout, first: dict[str, dict[str, str]]
) -> None:
    (notes,) = (checkout.folder / ".tuneform" / "state").rglob("local.json.attrs")
    notes.write_text("")  # as a kill in the middle of writing leaves it

    told = checkout.does("preview")

    assert "the engine notes beside its state was cut off" in told
    assert "everything unchanged" in told


@pytest.mark.parametrize("group", [False, True], ids=["alone", "with its group"])
def test_killed_half_way_the_next_up_goes_on_with_the_same_job(
    checkout: Checkout, first: dict[str, dict[str, str]], *, group: bool
) -> None:
    jobs = checkout.counts()["jobs"]
    checkout.edit("support-intents.yaml", epochs(LONG + group))
    with running(checkout, "up") as cut_off:
        cut_off.until(HALF_WAY)
        cut_off.kill(group=group)
        assert newest_job(checkout)["state"] == "JOB_STATE_RUNNING", "it was cut off half-way"
        assert orphans(checkout) == []

    completes(checkout, first, cut_off, jobs + 1)


def test_interrupted_it_says_how_to_go_on_and_a_second_run_has_to_wait(
    checkout: Checkout, first: dict[str, dict[str, str]]
) -> None:
    jobs = checkout.counts()["jobs"]
    checkout.edit("support-intents.yaml", epochs(LONG + 2))
    with running(checkout, "up") as cut_off:
        cut_off.until(HALF_WAY)

        second = checkout.run("up")
        assert second.code == 1
        assert "another run is at work on the stack local" in second.text
        assert "Traceback" not in second.text

        ended = cut_off.interrupt()
        assert newest_job(checkout)["state"] == "JOB_STATE_RUNNING", "it was cut off half-way"
        assert ended.code not in (0, None)
        assert "run the same command again to follow it" in ended.text
        assert "Traceback" not in ended.text
        assert orphans(checkout) == []

    completes(checkout, first, cut_off, jobs + 1)
    assert "everything unchanged" in checkout.does("preview")


def completes(checkout: Checkout, first: dict[str, dict[str, str]], cut_off: Running, jobs: int) -> None:
    """The next `up` follows the job that there is, and serves its model under the old name."""
    created = re.search(r"new revision (r1-\w+)", cut_off.text)
    assert created
    again = checkout.does("up")
    assert "one tuning job" not in again
    assert checkout.counts()["jobs"] == jobs
    found = outputs(again)[NAME]
    assert found["revision"] == created[1]
    assert found["endpoint"] == first[NAME]["endpoint"]
    assert serving(checkout, NAME) == [found["model"]]
    assert ask(checkout, NAME, "Where is my parcel?")
    assert list((checkout.folder / ".tuneform" / "state" / ".pulumi" / "locks").rglob("*.json")) == []


def newest_job(checkout: Checkout) -> dict[str, str]:
    """The job that was created last."""
    return max(checkout.live("tuningJobs"), key=lambda job: str(job["createTime"]))
