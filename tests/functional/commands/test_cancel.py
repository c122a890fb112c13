"""`tuneform cancel`: a person stops a job, and the ledger remembers who; or comes too late and is told so."""

from __future__ import annotations

from typing import Any

from .conftest import DEADLINE, Shop, until
from .test_status import STUCK, state


def cancels(shop: Shop) -> list[str]:
    return [change for change in shop.changes() if ":cancel" in change]


def running(shop: Shop, phase: str = "queued") -> str:
    """Start a job that stays where it is; the order that holds it there."""
    (order,) = shop.control.order({**STUCK, "jobs": {"phase": phase}})
    shop.does("apply", "--yes", "--wait", "accepted")
    return order


def job(shop: Shop) -> dict[str, Any]:
    (found,) = shop.live("tuningJobs")
    return found


def test_a_running_job_is_cancelled_and_the_plan_offers_fewer_epochs(shop: Shop) -> None:
    running(shop)

    told = shop.does("cancel", "colours", "--yes", "--format", "json").json

    assert job(shop)["state"] == "JOB_STATE_CANCELLED"
    assert (told["cancelled"], told["state"]) == (True, "CANCELLED")
    (attempt,) = state(shop, "colours")["attempts"]
    assert attempt["state"] == "cancelled"
    assert attempt["cause"].startswith("cancelled by ")
    plan = shop.run("plan")
    assert "blocked: the tuning job of r1-" in plan.out
    assert "set a lower hyperParameters.epochCount" in plan.out
    copies = shop.emulator.storage().list_blobs("tuneform-test-data", prefix="attempts/")
    assert list(copies) == []


def test_nobody_to_be_asked_means_nothing_is_cancelled(shop: Shop) -> None:
    running(shop)

    ended = shop.run("cancel", "colours")

    assert (ended.code, ended.out) == (1, "")
    assert "say --yes" in ended.err
    assert job(shop)["state"] == "JOB_STATE_QUEUED"
    assert cancels(shop) == []


def test_a_job_that_has_ended_is_left_alone_and_said_to_have(served: Shop) -> None:
    ended = served.does("cancel", "colours", "--yes")

    assert "no job of colours runs: the last one, " in ended.out
    assert "ended as SUCCEEDED" in ended.out
    assert cancels(served) == []


def test_a_cancellation_that_comes_too_late_is_told_honestly(shop: Shop) -> None:
    order = running(shop, "tuning")
    barrier = shop.control.hold(method="POST", path=":cancel", times=0)

    with shop.running("cancel", "colours", "--yes") as process:
        shop.control.held(1)
        shop.control.take_back(order)
        until(lambda: job(shop)["state"] == "JOB_STATE_SUCCEEDED", "the job succeeds")
        shop.control.remove(barrier)
        text, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 0
    assert "too late" in text
    assert "has succeeded, and its model projects/" in text
    assert shop.does("apply", "--yes").code == 0
    (attempt,) = state(shop, "colours")["attempts"]
    assert (attempt["state"], attempt["cause"]) == ("succeeded", "first")


def test_a_tuning_that_is_nowhere_is_an_error(shop: Shop) -> None:
    ended = shop.run("cancel", "nowhere", "--yes")

    assert ended.code == 1
    assert "there is no job of shop/nowhere" in ended.err
