"""`tuneform resolve`: a person's word on attempts that nobody saw the end of. Nothing is ever paid."""

from __future__ import annotations

from typing import Any, Literal

from .conftest import Shop
from .test_status import STUCK, state

CREATE = {"method": "POST", "route": ".../tuningJobs", "times": 1}


def creates(shop: Shop) -> int:
    return sum(call.method == "POST" and call.path.endswith("/tuningJobs") for call in shop.control.log())


def cut_off(shop: Shop, when: Literal["before", "after"]) -> None:
    """An apply that is killed while its create call is under way; `after` the job is made."""
    shop.control.order(STUCK)
    barrier = shop.control.hold(when, **CREATE)
    with shop.running("apply", "--yes") as process:
        shop.control.held(1)
        process.kill()
        process.wait()
    shop.control.release(barrier, "drop")
    shop.control.remove(barrier)


def attempt(shop: Shop) -> dict[str, Any]:
    found = state(shop, "colours")["attempts"][-1]
    assert isinstance(found, dict)
    return found


def test_with_nothing_to_decide_it_says_so(served: Shop) -> None:
    assert "no attempt that is to be decided about" in served.does("resolve", "colours").out


def test_an_attempt_without_a_job_is_shown_then_revoked_and_tried_again(shop: Shop) -> None:
    cut_off(shop, "before")
    shown = shop.run("resolve", "colours")
    assert shown.code == 2
    assert " #1: sent, " in shown.out
    assert "no job that may be its own is to be seen" in shown.out
    assert "unresolved  r1-" in shop.does("status", "colours").out
    refused = shop.run("resolve", "colours", "--none")
    assert (refused.code, attempt(shop)["state"]) == (1, "sent")

    shop.does("resolve", "colours", "--none", "--yes")

    assert attempt(shop)["state"] == "revoked"
    assert "has no job" in attempt(shop)["cause"]
    assert list(shop.emulator.storage().list_blobs("tuneform-test-data", prefix="attempts/")) == []
    assert creates(shop) == 1
    assert "attempt 2 at r1-" in shop.run("plan").out


def test_a_job_that_was_made_is_recorded_and_no_other_is_paid_for(shop: Shop) -> None:
    cut_off(shop, "after")
    (job,) = shop.live("tuningJobs")
    number = job["name"].rpartition("/")[2]
    found = shop.run("resolve", "colours", "--format", "json").json
    assert [c["why"] for c in found["attempts"][0]["candidates"]] == ["its labels say so"]
    refused = shop.run("resolve", "colours", "--none", "--yes")
    assert (refused.code, attempt(shop)["state"]) == (1, "sent")
    assert "error[E630]" in refused.err
    assert "say --job" in refused.err

    told = shop.does("resolve", "colours", "--job", number, "--yes", "--format", "json").json

    assert told["decided"].endswith(number)
    assert attempt(shop)["state"] == "known"
    shop.control.take_back()
    shop.does("apply", "--yes")
    assert (attempt(shop)["state"], creates(shop), len(shop.live("tuningJobs"))) == ("succeeded", 1, 1)


def test_a_job_of_other_labels_or_none_at_all_is_refused(shop: Shop) -> None:
    cut_off(shop, "before")
    uri = next(
        f"gs://tuneform-test-data/{blob.name}"
        for blob in shop.emulator.storage().list_blobs("tuneform-test-data", prefix="attempts/")
    )
    parent = "projects/tuneform-test/locations/us-central1"
    body = {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": {"trainingDatasetUri": uri}}
    other = {**body, "labels": {"tuneform-owner": "somebody-else"}}
    made = shop.emulator.call("POST", f"/v1/{parent}/tuningJobs", json=other).json()["name"]

    refused = shop.run("resolve", "colours", "--job", made, "--yes")
    missing = shop.run("resolve", "colours", "--job", "404", "--yes")

    assert "its label tuneform-owner is 'somebody-else'" in refused.err
    assert f"there is no job {parent}/tuningJobs/404" in missing.err
    assert (refused.code, missing.code, attempt(shop)["state"]) == (1, 1, "sent")


def test_a_job_without_labels_that_has_the_attempts_own_data_is_offered_and_taken(shop: Shop) -> None:
    cut_off(shop, "before")
    (copy,) = shop.emulator.storage().list_blobs("tuneform-test-data", prefix="attempts/")
    body = {
        "baseModel": "gemini-2.5-flash",
        "supervisedTuningSpec": {"trainingDatasetUri": f"gs://tuneform-test-data/{copy.name}"},
    }
    parent = "projects/tuneform-test/locations/us-central1"
    made = shop.emulator.call("POST", f"/v1/{parent}/tuningJobs", json=body).json()["name"]

    shown = shop.run("resolve", "colours").out
    assert "it was made with the attempt's own copy of the data" in shown
    shop.does("resolve", "colours", "--job", made, "--yes")

    shop.control.take_back()
    shop.does("apply", "--yes")
    assert attempt(shop)["state"] == "succeeded"
    assert len(shop.live("tuningJobs")) == 1


def test_an_attempt_that_somebody_is_at_work_on_is_left_to_them(shop: Shop) -> None:
    barrier = shop.control.hold("before", **CREATE)
    with shop.running("apply", "--yes") as process:
        shop.control.held(1)
        refused = shop.run("resolve", "colours", "--none", "--yes")
        shop.control.remove(barrier)
        assert process.wait(60) == 0

    assert refused.code == 1
    assert "may still be at work" in refused.err
