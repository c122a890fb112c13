"""Several projects of one folder at once: planned, applied, saved; and more tunings than a project has places for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import HEAD, Shop, until

NAMES = ("alpha", "beta", "gamma")
DENIED = {
    "calls": {"route": ".../tuningJobs", "method": "GET", "path": "tuneform-beta", "times": 0},
    "effect": {"kind": "permission"},
}


def documents(names: tuple[str, ...]) -> str:
    """A Project for each name, and one tuning for all of them."""
    every = {"projects": list(names)}
    job = {
        "baseModel": "gemini-2.5-flash",
        "dataset": {"ref": "colours"},
        "hyperParameters": {"epochCount": 1, "adapterSize": "ADAPTER_SIZE_FOUR"},
    }
    data = {"bucket": {"ref": "data"}, "training": "colours.jsonl", "test": "test.jsonl"}
    made: list[dict[str, Any]] = [
        {
            **HEAD,
            "kind": "Project",
            "metadata": {"name": name},
            "spec": {"projectId": f"tuneform-{name}", "location": "us-central1", "owner": "team"},
        }
        for name in names
    ]
    for kind, name, spec in (
        ("DatasetBucket", "data", {}),
        ("Dataset", "colours", data),
        ("TuningJob", "colours", job),
    ):
        made.append({**HEAD, "kind": kind, "metadata": {"name": name, **every}, "spec": spec})
    return yaml.safe_dump_all(made, sort_keys=False)


@pytest.fixture
def three(empty: Shop) -> Shop:
    """Three projects whose infrastructure is there."""
    (empty.folder / "specs" / "project.yaml").write_text(documents(NAMES))
    empty.remove("colours")
    for name in NAMES:
        path = f"/v1/projects/tuneform-{name}/services/aiplatform.googleapis.com:enable"
        assert empty.emulator.call("POST", path, json={}).ok
        bucket = empty.emulator.storage().bucket(f"tuneform-{name}-data", user_project=None)
        bucket.create(project=f"tuneform-{name}", location="US-CENTRAL1")
    return empty


def jobs(shop: Shop, project: str) -> int:
    parent = f"/v1/projects/tuneform-{project}/locations/us-central1"
    return len(shop.emulator.call("GET", f"{parent}/tuningJobs").json().get("tuningJobs", []))


def test_one_project_that_cannot_be_read_stops_no_other_and_the_exit_code_tells(three: Shop) -> None:
    with three.control.met(DENIED):
        planned = three.run("plan", "--format", "json")
        applied = three.run("apply", "--yes", "--parallel", "2")

    assert planned.code == 1
    alpha, beta, gamma = planned.json["projects"]
    assert [one["project"] for one in (alpha, beta, gamma)] == list(NAMES)
    assert beta["error"]["code"] == "E530"
    assert "does not have permission" in beta["error"]["message"]
    assert alpha["summary"]["create"] == gamma["summary"]["create"] == 1
    assert (planned.json["summary"]["create"], planned.json["summary"]["failed"]) == (2, 1)

    assert applied.code == 1
    assert "Project alpha" in applied.out
    assert "alpha/colours: new revision r1-" in applied.out
    assert "error[E530]: listing the tuning jobs of projects/tuneform-beta" in applied.out
    assert "All 3 projects: Done: 2 created" in applied.out
    assert "1 project failed." in applied.out
    assert [jobs(three, name) for name in NAMES] == [1, 0, 1]

    with three.control.met(DENIED):
        looked = three.run("status", "--format", "json")
    assert looked.code == 1
    assert [one["project"] for one in looked.json["projects"]] == list(NAMES)
    assert [one.get("error", {}).get("code") for one in looked.json["projects"]] == [None, "E530", None]
    assert looked.json["projects"][0]["tunings"][0]["job"]["state"] == "SUCCEEDED"

    # What is mended is done by the same command, and nothing is done twice.
    three.does("apply", "--yes")
    assert [jobs(three, name) for name in NAMES] == [1, 1, 1]


def test_a_plan_file_holds_all_projects_and_is_applied_whole_or_not_at_all(three: Shop) -> None:
    said = three.does("plan", "--out", "plan.json")
    assert said.out.index("Project alpha") < said.out.index("Project beta") < said.out.index("Project gamma")
    assert "All 3 projects: 6 to update" in said.out or "All 3 projects: 3 to create" in said.out

    # One project is no longer as it was: nothing is applied in any.
    three.does("apply", "--yes", "--project", "beta", "--wait", "accepted")
    refused = three.run("apply", "plan.json", "--yes")
    assert (refused.code, "error[E615]: nothing was applied in any project" in refused.err) == (1, True)
    assert "Project beta" in refused.err
    assert "Project alpha" not in refused.err
    assert [jobs(three, name) for name in NAMES] == [0, 1, 0]

    # Of its projects one alone may be applied; one that it does not hold is refused.
    three.does("apply", "plan.json", "--yes", "--project", "gamma", "--wait", "accepted")
    assert [jobs(three, name) for name in NAMES] == [0, 1, 1]
    assert "error[E614]" in three.run("apply", "plan.json", "--yes", "--project", "delta").err


def test_a_project_that_cannot_be_planned_leaves_no_plan_file_that_lacks_it(three: Shop) -> None:
    with three.control.met(DENIED):
        ended = three.run("plan", "--out", "plan.json", "--format", "markdown")

    assert ended.code == 1
    assert "there is no plan of beta" in ended.err
    assert not (three.folder / "plan.json").exists()
    assert all(name in ended.out for name in NAMES)
    assert "does not have permission" in ended.out


def test_tunings_beyond_the_quota_of_jobs_wait_in_line_are_made_in_order_and_say_so(shop: Shop) -> None:
    shop.remove("colours")
    specs: Path = shop.folder / "specs"
    for name in ("one", "two", "three"):
        job = {
            **HEAD,
            "kind": "TuningJob",
            "metadata": {"name": name},
            "spec": {
                "baseModel": "gemini-2.5-flash",
                "dataset": {"ref": "colours"},
                "hyperParameters": {"epochCount": 2},
            },
        }
        (specs / f"{name}.yaml").write_text(yaml.safe_dump(job))
    shop.control.settings(concurrent_jobs=1, over_quota="refuse", epoch_seconds=25.0)

    accepted = shop.does("apply", "--yes", "--wait", "accepted", "--format", "json")
    first, second, third = ("one", "three", "two")  # in the order of the files
    assert [one["name"] for one in accepted.json["queued"]] == [second, third]
    assert f"behind TuningJob {second}" in accepted.json["queued"][1]["reason"]
    assert f"{third}: queued: it waits in line behind TuningJob {second}" in accepted.err
    assert len(shop.live("tuningJobs")) == 1

    seen = {one["name"]: one["queued"] for one in shop.does("status", "--format", "json").json["tunings"]}
    assert seen[first] == ""
    assert "Quota exceeded" in seen[second]

    shop.control.settings(epoch_seconds=0.0)
    (job,) = shop.live("tuningJobs")
    until(lambda: shop.live("tuningJobs")[0]["state"] == "JOB_STATE_SUCCEEDED", f"{job['name']} ends")
    ended = shop.does("apply", "--yes")
    made = sorted(shop.live("tuningJobs"), key=lambda job: job["createTime"])
    assert [job["labels"]["tuneform-name"] for job in made] == [first, second, third]
    assert {job["state"] for job in made} == {"JOB_STATE_SUCCEEDED"}
    assert f"{third}: queued until a job of the project has ended: creating the tuning job" in ended.out
