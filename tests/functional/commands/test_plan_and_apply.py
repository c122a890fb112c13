"""`tuneform plan` and `tuneform apply`, as people and pipelines run them."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import TUNEFORM, Shop, until

STUCK = {"jobs": {"phase": "queued"}, "effect": {"kind": "stuck"}}


def counts(plan: dict[str, Any]) -> dict[str, int]:
    return {word: count for word, count in plan["summary"].items() if count}


def number(resource: str) -> str:
    """The id at the end of a name: the service answers with the project's number, we ask with its id."""
    return resource.rpartition("/")[2]


def test_a_plan_of_nothing_live_shows_everything_says_what_blocks_and_changes_nothing(empty: Shop) -> None:
    ended = empty.run("plan")

    assert ended.code == 1
    assert "blocked: bucket tuneform-test-data: the bucket is missing" in ended.out
    assert "remedy: run `tuneform up`" in ended.out
    assert "TuningJob colours  specs/colours.yaml:2\n  + new revision r1-" in ended.out
    assert "then, once r1-" in ended.out
    assert empty.changes() == []


def test_what_is_blocked_for_want_of_infrastructure_is_not_begun(empty: Shop) -> None:
    ended = empty.run("apply", "--yes")

    assert ended.code == 1
    assert "error[E600]: Infrastructure bucket tuneform-test-data: " in ended.out
    assert empty.live("tuningJobs") == []


def test_apply_tunes_and_serves_and_then_nothing_is_left_to_do(shop: Shop) -> None:
    done = shop.does("apply", "--yes")

    (job,) = shop.live("tuningJobs")
    assert "colours  r1-" in done.out
    assert f"job {number(job['name'])} SUCCEEDED, serves on endpoint colours, checkpoint 2" in done.out
    assert "Done: 1 created" in done.out

    again = shop.run("plan", "--detailed-exitcode")
    assert (again.code, again.out) == (0, "No changes: 3 documents agree with what is live.\n")
    as_json = shop.does("plan", "--format", "json").json
    assert counts(as_json) == {"unchanged": 3}
    assert as_json["actions"] == []
    before = len(shop.changes())
    assert "No changes" in shop.does("apply").out  # asks nothing, since there is nothing to ask about
    assert len(shop.changes()) == before


def test_an_edit_of_the_recipe_is_a_new_revision_then_a_promotion_then_a_retirement(served: Shop) -> None:
    served.write("colours", epochs=3, keep=0)

    ended = served.run("plan", "--detailed-exitcode", "--format", "json")

    assert ended.code == 2
    assert ended.err == ""
    plan = ended.json
    assert counts(plan).keys() == {"create", "promote", "retire", "unchanged"}
    create, promote, *retired = plan["actions"]
    assert (create["action"], create["kind"], create["name"], create["project"]) == (
        "create",
        "TuningJob",
        "colours",
        "shop",
    )
    assert [(c["path"], c["old"], c["new"]) for c in create["changes"]] == [
        ("hyperParameters.epochCount", 2, 3)
    ]
    cost = create["cost"]  # exact: the job before was on the same data
    assert cost["exact"]
    assert cost["tokens"] == cost["tokensLow"] == cost["tokensHigh"] == 3 * cost["tokensPerEpoch"] > 0
    assert plan["cost"]["tokens"] == cost["tokens"]
    assert "later" not in create
    assert promote["action"] == "promote"
    assert promote["later"]
    assert retired
    assert all(action["later"] and action["action"] == "retire" for action in retired)
    assert served.run("plan").code == 0
    done = served.does("apply", "--yes", "--format", "json")
    performed = [action["action"] for action in done.json["done"]]
    for word in ("create", "promote", "retire"):
        assert performed.count(word) == counts(plan)[word]
    (tuned,) = done.json["tunings"]
    assert tuned["advice"]["numbers"]["epochs"] == 3
    assert tuned["advice"]["text"][0] in done.err
    assert served.run("plan", "--detailed-exitcode").code == 0
    assert len(served.live("models")) == 1


def test_what_apply_prints_for_programs_is_one_object_and_people_read_stderr(shop: Shop) -> None:
    ended = shop.does("apply", "--yes", "--format", "json")

    assert sorted(ended.json) == ["done", "failures", "queued", "stamp", "summary", "tunings"]
    assert ended.json["failures"] == []
    (tuning,) = ended.json["tunings"]
    (job,) = shop.live("tuningJobs")
    assert (tuning["name"], tuning["state"]) == ("colours", "SUCCEEDED")
    assert number(tuning["job"]) == number(job["name"])
    assert tuning["endpoint"].endswith("/endpoints/colours")
    assert "new revision" in ended.err


def test_markdown_is_for_pull_requests(shop: Shop) -> None:
    shown = shop.does("plan", "--format", "markdown").out

    assert shown.startswith("<!-- tuneform plan: specs -->\n### tuneform plan: shop\n")
    assert "| **TuningJob colours**<br>`specs/colours.yaml:2` | new revision r1-" in shown


SAID = {"text_input": "say red 0", "output": "red"}
KEY = "AKIA" + "IOSFODNN7EXAMPLE"


def test_what_an_edit_changes_in_a_dataset_is_counted_and_shown_in_short(served: Shop) -> None:
    """But for what may be a secret and what lies in Cloud Storage; what is gone is said to be."""
    file = served.folder / "specs" / "colours.jsonl"
    first, second, *others = map(json.loads, file.read_text().splitlines())
    assert first == SAID
    new = {"text_input": f"say {KEY}", "output": "red"}
    rows = [{**SAID, "output": "crimson"}, *reversed(others), new]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    file.write_text(text)
    said = "Dataset colours: training: 1 added, 1 removed, 1 answered otherwise, 22 unchanged, since r1-"

    shown = served.does("plan", "--format", "markdown").out

    assert said in shown
    assert "“say red 0”: “red” → “crimson”" in shown
    assert f"“{second['text_input']}”" in shown
    assert KEY not in shown
    assert "it may hold a secret (AWS Access Key)" in shown

    bucket = served.emulator.storage().bucket("tuneform-test-data")
    bucket.blob("elsewhere/colours.jsonl").upload_from_string(text)
    project = served.folder / "specs" / "project.yaml"
    there = "gs://tuneform-test-data/elsewhere/colours.jsonl"
    project.write_text(project.read_text().replace("colours.jsonl", there))
    shown = served.does("plan", "--format", "markdown").out
    assert said in shown
    assert "crimson" not in shown

    for blob in list(bucket.list_blobs(prefix="datasets/colours/")):
        blob.delete()
    shown = served.does("plan").out
    assert "Dataset colours: training differs since r1-" in shown
    assert "what it was cannot be read: it is not in the bucket any more" in shown


def test_of_a_single_file_nothing_is_taken_for_removed(served: Shop) -> None:
    served.write("shades", epochs=1)
    served.remove("colours")

    plan = served.does("plan", "specs/shades.yaml", "--format", "json").json

    assert {action["name"] for action in plan["actions"]} == {"shades"}


def test_with_nobody_to_ask_apply_does_nothing_and_names_the_flag(shop: Shop) -> None:
    ended = shop.run("apply")

    assert ended.code == 1
    assert "--yes" in ended.err
    assert "new revision" in ended.out
    assert [call for call in shop.changes() if "tuningJobs" in call or "/o" in call] == []


@pytest.mark.parametrize(("answer", "jobs"), [("n", 0), ("", 0), ("y", 1)])
def test_apply_asks_on_a_terminal(shop: Shop, answer: str, jobs: int) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [TUNEFORM, "apply", "--wait", "accepted"],
        cwd=shop.folder,
        env={**shop.env, "NO_COLOR": "1"},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        text, _ = process.communicate(timeout=120)
    os.close(ours)

    assert "Apply these changes? [y/N]" in text
    assert process.returncode == (0 if jobs else 1)
    assert len(shop.live("tuningJobs")) == jobs


# --- plan files ----------------------------------------------------------------------------------------------


@pytest.fixture
def saved(shop: Shop) -> Path:
    said = shop.does("plan", "--out", "plan.json")
    assert "saved as plan.json" in said.err
    return shop.folder / "plan.json"


def test_a_plan_file_is_applied_once_and_stale_from_then_on(shop: Shop, saved: Path) -> None:
    assert "say red" not in saved.read_text()

    shop.does("apply", "plan.json", "--yes")

    assert len(shop.live("tuningJobs")) == 1
    again = shop.run("apply", "plan.json", "--yes")
    assert again.code == 1
    assert "error[E615]: plan.json is stale:\n" in again.err
    assert "TuningJob colours: planned was: new revision r1-" in again.err
    assert "now it would be: nothing to do" in again.err
    assert len(shop.live("tuningJobs")) == 1


def test_a_plan_file_is_refused_when_the_specs_changed(shop: Shop, saved: Path) -> None:
    shop.write("colours", epochs=5)

    ended = shop.run("apply", "plan.json", "--yes")

    assert ended.code == 1
    assert "error[E615]" in ended.err
    assert shop.live("tuningJobs") == []


def test_a_plan_file_is_refused_when_somebody_else_applied_meanwhile(shop: Shop, saved: Path) -> None:
    shop.control.order(STUCK)
    shop.does("apply", "--yes", "--wait", "accepted")

    ended = shop.run("apply", "plan.json", "--yes")

    assert "error[E615]" in ended.err
    assert "now it would be: waits for the job" in ended.err
    assert len(shop.live("tuningJobs")) == 1


def test_plan_files_that_are_none_are_refused_with_their_code(shop: Shop, saved: Path) -> None:
    text = saved.read_text()
    cases = {
        "E610": "hello",
        "E611": text[: len(text) // 2],
        "E612": text.replace('"project": "shop"', '"project": "other"'),
        "E613": text.replace('"tuneformPlan": 1', '"tuneformPlan": 99'),
    }
    for code, content in cases.items():
        saved.write_text(content)
        ended = shop.run("apply", "plan.json", "--yes")
        assert ended.code == 1
        assert f"error[{code}]: plan.json" in ended.err
    assert shop.live("tuningJobs") == []


def test_a_plan_file_of_another_project_is_refused(shop: Shop, saved: Path) -> None:
    project = shop.folder / "specs" / "project.yaml"
    for before, after in (
        ("location: us-central1", "location: europe-west4"),
        ("{name: shop}", "{name: mall}"),
    ):
        text = project.read_text()
        project.write_text(text.replace(before, after))
        ended = shop.run("apply", "plan.json", "--yes")
        assert "error[E614]: plan.json was made for another project: " in ended.err
        project.write_text(text)
    # One made against the emulator is not applied to Google Cloud: said before anything is asked of either.
    ended = shop.run("apply", "plan.json", "--yes", "--google-cloud")
    assert "error[E614]: plan.json was made for another project: one on the emulator" in ended.err


# --- waiting, stopping, failing ------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_waiting_and_not_the_job(shop: Shop, told: signal.Signals) -> None:
    (order,) = shop.control.order(STUCK)
    with shop.running("apply", "--yes") as process:
        until(lambda: shop.live("tuningJobs"), "a job")
        assert process.stdout is not None
        lines = process.stdout
        until(lambda: "QUEUED" in lines.readline(), "the job is followed")
        process.send_signal(told)
        text, _ = process.communicate(timeout=20)

    assert process.returncode == 130
    (job,) = shop.live("tuningJobs")
    assert "shop/colours: projects/tuneform-test/locations/us-central1/tuningJobs/" in text
    assert f"{number(job['name'])} goes on (QUEUED)" in text
    assert "To go on from there: tuneform apply" in text
    assert job["state"] == "JOB_STATE_QUEUED"

    shop.control.take_back(order)
    shop.does("apply", "--yes")
    assert len(shop.live("tuningJobs")) == 1
    assert shop.run("plan", "--detailed-exitcode").code == 0


def test_accepted_is_enough_where_that_is_asked_for(shop: Shop) -> None:
    shop.control.order(STUCK)

    done = shop.does("apply", "--yes", "--wait", "accepted")

    assert "1 job still under way" in done.out
    assert shop.run("plan", "--detailed-exitcode").code == 2


def test_a_failure_has_its_place_and_a_remedy_and_stops_nothing_else(shop: Shop) -> None:
    message = "the training data is no good"
    shop.write("shades", epochs=1)
    shop.control.order(
        {
            "jobs": {"phase": "tuning", "name": "colours"},
            "effect": {"kind": "failed", "code": 3, "message": message},
        }
    )

    ended = shop.run("apply", "--yes", "--format", "json")

    assert ended.code == 1
    (failure,) = ended.json["failures"]
    assert (failure["kind"], failure["name"], failure["code"]) == ("TuningJob", "colours", "E600")
    assert message in failure["message"]
    assert failure["remedy"]
    assert "specs/colours.yaml:2: error[E600]: TuningJob colours: " in ended.err
    assert f"= remedy: {failure['remedy']}" in ended.err
    assert [e["name"].rpartition("/")[2] for e in shop.live("endpoints") if e["deployedModels"]] == ["shades"]
    assert shop.run("plan").code == 1  # it stays blocked until somebody changes something


def test_a_gate_that_is_not_passed_fails_the_apply(shop: Shop) -> None:
    (shop.folder / "specs" / "test.jsonl").write_text(
        json.dumps({"text_input": "say red 9", "output": "something that nobody taught"}) + "\n"
    )
    shop.write("colours", gate={"exactMatch": {"atLeast": 1.0}})

    ended = shop.run("apply", "--yes")

    assert ended.code == 1
    assert "TunedModel colours: " in ended.out
    assert "did not pass its gate" in ended.out
    assert all(
        not endpoint.get("deployedModels")
        for endpoint in shop.live("endpoints")
        if "colours" in endpoint["name"]
    )


# --- renames and removals ------------------------------------------------------------------------------------


def test_a_rename_that_is_told_of_costs_nothing(served: Shop) -> None:
    served.remove("colours")
    served.write("shades", keep=0, metadata={"previousNames": ["colours"]})

    plan = served.does("plan", "--format", "json")
    assert counts(plan.json).keys() & {"create", "retire"} == set()
    assert plan.err == ""
    served.does("apply", "--yes")

    assert len(served.live("tuningJobs")) == 1
    assert served.run("plan", "--detailed-exitcode").code == 0


def test_a_rename_that_is_not_told_of_is_another_tuning_and_warned_about(served: Shop) -> None:
    served.remove("colours")
    served.write("shades", keep=0)

    plan = served.run("plan", "--format", "json")

    assert counts(plan.json)["create"] == 1
    assert counts(plan.json)["retire"] >= 1
    assert "warning: TuningJob shades would train r1-" in plan.err
    assert "previousNames: [colours]" in plan.err


def test_what_is_removed_is_taken_down_and_its_neighbour_stays(served: Shop) -> None:
    served.write("shades", epochs=1)
    served.does("apply", "--yes")
    served.remove("colours")

    shown = served.does("plan").out
    assert "TuningJob colours (removed)" in shown
    assert "TunedModel colours (removed)" in shown
    served.does("apply", "--yes")

    assert [endpoint["name"].rpartition("/")[2] for endpoint in served.live("endpoints")] == ["shades"]
    assert len(served.live("models")) == 1
    assert served.run("plan", "--detailed-exitcode").code == 0


# --- settings ------------------------------------------------------------------------------------------------


def test_the_same_over_rest(shop: Shop) -> None:
    shop.environment["TUNEFORM_TRANSPORT"] = "rest"

    shop.does("apply", "--yes")

    shop.environment.clear()
    assert shop.run("plan", "--detailed-exitcode").code == 0


def test_settings_that_cannot_be_used_are_refused(shop: Shop) -> None:
    for name, value in (("TUNEFORM_TRANSPORT", "soap"), ("TUNEFORM_LIST_LAG", "soon")):
        shop.environment = {name: value}
        ended = shop.run("plan")
        assert ended.code == 1
        assert f"error[E300]: {name} is {value!r}" in ended.err
