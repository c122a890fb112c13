"""`tuneform status`: before anything is live, while a job runs, once it serves, and when its document is gone."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import Any

from .conftest import DEADLINE, Shop

STUCK = {"jobs": {"phase": "queued"}, "effect": {"kind": "stuck"}}


def state(shop: Shop, *arguments: str) -> dict[str, Any]:
    """The one tuning of the shop."""
    (found,) = shop.does("status", "--format", "json", *arguments).json["tunings"]
    assert isinstance(found, dict)
    return found


def line(process: subprocess.Popen[str], pattern: str) -> str:
    """The next line that a command prints and that matches."""
    assert process.stdout is not None
    for text in process.stdout:
        if re.search(pattern, text):
            return text
    raise AssertionError(f"it ended without {pattern!r}")


def test_before_anything_is_live_it_says_what_is_wanted_and_what_blocks(empty: Shop) -> None:
    seen = state(empty)

    assert re.fullmatch(r"r1-[0-9a-f]{16}", seen["wanted"])
    assert (seen["declared"], seen["job"], seen["attempts"], seen["moving"]) == (True, None, [], False)
    assert {"remedy": "run `tuneform up`"}.items() <= seen["blocked"][-1].items()
    assert "bucket tuneform-test-data" in " ".join(hindrance["reason"] for hindrance in seen["blocked"])
    text = empty.does("status", "colours").out
    assert "serves      nothing yet on projects/" in text
    assert "remedy: run `tuneform up`" in text
    assert empty.changes() == []


def test_what_serves_is_shown_whole_with_its_curve_and_nothing_is_changed(served: Shop) -> None:
    before = len(served.changes())
    seen = state(served, "colours")
    text = served.does("status", "colours").out

    assert seen["job"]["state"] == "SUCCEEDED"
    assert seen["job"]["billedTokens"] == 2 * seen["job"]["billableTokens"] > 0
    assert seen["advice"]["verdict"] == "too few points"
    assert "advice      too few points: 2 epochs" in text
    (serves,) = seen["serves"]
    assert serves["endpoint"].endswith("/endpoints/colours")
    assert (serves["revision"], serves["checkpoint"]) == (seen["wanted"], "2")
    assert seen["kept"] == [seen["wanted"]]
    assert [(a["number"], a["state"], a["cause"]) for a in seen["attempts"]] == [(1, "succeeded", "first")]
    assert (seen["next"], seen["blocked"], seen["partial"]) == ([], [], False)
    assert f"serves      {seen['wanted']}, checkpoint 2 (epoch 2), since 20" in text
    assert "loss  ⠤ train loss" in text
    assert served.does("status").out.splitlines()[1].split()[:3] == ["colours", seen["wanted"], "SUCCEEDED"]
    assert len(served.changes()) == before


def test_watching_a_pipe_prints_what_changes_and_ends_when_nothing_moves(shop: Shop) -> None:
    (order,) = shop.control.order(STUCK)
    shop.does("apply", "--yes", "--wait", "accepted")
    assert state(shop)["moving"] is True

    with shop.running("status", "--watch") as process:
        assert "QUEUED" in line(process, "^colours: ")
        shop.control.take_back(order)
        assert "SUCCEEDED" in line(process, "^colours: .*SUCCEEDED")
        assert process.wait(DEADLINE) == 0


def test_watching_ends_with_ctrl_c_and_the_job_goes_on(shop: Shop) -> None:
    shop.control.order(STUCK)
    shop.does("apply", "--yes", "--wait", "accepted")

    with shop.running("status", "colours", "--watch", "--format", "json") as process:
        line(process, '"QUEUED"')
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130

    assert shop.live("tuningJobs")[0]["state"] == "JOB_STATE_QUEUED"


def test_a_tuning_that_was_removed_from_the_specs_is_shown_as_live_only(served: Shop) -> None:
    served.remove("colours")

    seen = state(served)
    assert (seen["name"], seen["declared"]) == ("colours", False)
    assert seen["serves"][0]["declared"] is False
    assert state(served, "colours")["serves"] == seen["serves"]
    assert "colours  (live only: no document asks for it)" in served.does("status", "colours").out


def test_a_failed_job_is_shown_with_its_reason_and_the_remedy(shop: Shop) -> None:
    shop.control.order(
        {"jobs": {"phase": "dataset"}, "effect": {"kind": "failed", "code": 8, "message": "no room left"}}
    )
    assert shop.run("apply", "--yes").code == 1

    seen = state(shop, "colours")
    assert (seen["job"]["state"], seen["job"]["error"]) == ("FAILED", "no room left")
    assert [(a["state"], a["cause"]) for a in seen["attempts"]] == [("failed", "no room left")]
    assert "limits.retries" in seen["blocked"][0]["remedy"]


def test_a_name_that_is_nowhere_is_an_error_that_names_those_that_are(shop: Shop) -> None:
    ended = shop.run("status", "colors")

    assert (ended.code, ended.out) == (1, "")
    assert "there is no tuning 'colors'" in ended.err
    assert "there are: colours" in ended.err
