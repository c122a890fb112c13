"""`tuneform up` on a tree of several projects: their stacks side by side, through the real engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.control import Control
from tests.functional.commands.test_many_projects import documents
from tests.functional.main_job.checkout import Checkout, outputs

BUCKETS = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: dev}
spec: {projectId: tuneform-dev, location: us-central1, owner: team}
---
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: prod}
spec: {projectId: tuneform-prod, location: us-central1, owner: team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data, projects: [dev, prod]}
spec: {}
"""
SERVED = """\
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: colours, projects: [dev, prod]}
spec: {job: {ref: colours}}
"""
ROW = '{{"text_input": "say {colour} {n}", "output": "{colour}"}}'


@pytest.fixture
def two(checkout: Checkout) -> Iterator[Checkout]:
    """A checkout whose specs are two projects with a bucket each."""
    specs = checkout.folder / "specs"
    shutil.rmtree(specs)
    specs.mkdir()
    (specs / "all.yaml").write_text(BUCKETS)
    yield checkout
    Control(checkout.endpoint).take_back()


def stacks(checkout: Checkout) -> list[str]:
    folder: Path = checkout.folder / ".tuneform" / "state" / ".pulumi" / "stacks" / "tuneform"
    return sorted(path.stem for path in folder.glob("*.json"))


def test_one_stack_that_fails_stops_no_other_and_all_are_taken_down_only_when_that_is_said(
    two: Checkout,
) -> None:
    denied = {"path": "projects/tuneform-prod/services", "times": 0}
    Control(two.endpoint).order({"calls": denied, "effect": {"kind": "permission"}})

    ended = two.run("up", "--parallel", "2")

    assert ended.code == 1
    assert "dev  │   + Bucket             data" in ended.text
    assert "prod │ " in ended.text
    assert "does not have permission" in ended.text
    assert "All 2 projects: 1 done, 1 failed: prod." in ended.text
    assert ended.text.rindex("Project dev") < ended.text.rindex("Project prod")
    assert stacks(two) == ["local-dev", "local-prod"]
    assert two.processes() == []

    refused = two.run("destroy", "--yes")
    assert (refused.code, "or say --all" in refused.text) == (1, True)
    assert two.counts()["buckets"] >= 1


@pytest.mark.slow
def test_two_projects_are_tuned_served_previewed_and_taken_down_at_once(two: Checkout) -> None:
    specs = two.folder / "specs"
    (specs / "all.yaml").write_text(documents(("dev", "prod")) + SERVED)
    rows = [ROW.format(colour=colour, n=n) for n in range(8) for colour in ("red", "green", "blue")]
    (specs / "colours.jsonl").write_text("\n".join(rows) + "\n")
    (specs / "test.jsonl").write_text(ROW.format(colour="red", n=9) + "\n")

    text = two.does("up")
    assert "All 2 projects: 2 done." in text
    assert text.count("as expected") + text.count("expected: ") == 2
    assert outputs(text)["colours"]["endpoint"].startswith("projects/tuneform-prod/"), "prod is told last"
    for project in ("tuneform-dev", "tuneform-prod"):
        parent = f"v1/projects/{project}/locations/us-central1"
        assert len(two.answer(f"{parent}/tuningJobs")["tuningJobs"]) == 1
        assert len(two.answer(f"{parent}/endpoints")["endpoints"]) == 1

    assert two.does("preview").count("everything unchanged") == 2
    assert "All 2 projects: 2 done." in two.does("destroy", "--all", "--yes")
    for project in ("tuneform-dev", "tuneform-prod"):
        assert "models" not in two.answer(f"v1/projects/{project}/locations/us-central1/models")
