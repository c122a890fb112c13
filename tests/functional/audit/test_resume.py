"""An audit that is killed goes on where it was: nothing is read twice, and the result is the same."""

from __future__ import annotations

import json
from collections import Counter

from tests.functional.audit.conftest import Office
from tests.functional.commands.conftest import until

PROJECTS = [f"acme-{number:02}" for number in range(12)]


def populated(office: Office) -> None:
    for project in PROJECTS:
        office.seeds.job(project, labels={"tuneform-owner": "ml-team"})
        model = office.seeds.model(project)
        office.seeds.endpoint(project, model)
        office.seeds.bucket(project, f"{project}-data")
    office.projects(*(f"{project} us-central1 europe-west4" for project in PROJECTS))


def test_a_killed_audit_goes_on_and_ends_as_if_nothing_had_happened(office: Office) -> None:
    populated(office)
    whole = office.audit("--format", "json", "--state", "whole.jsonl")
    expected = Counter(office.reads())
    assert whole.json["summary"]["seen"] == {"buckets": 12, "endpoints": 12, "jobs": 12, "models": 12}

    journal = office.shop.folder / "killed.jsonl"
    arguments = ("audit", "--projects", "projects.txt", "--format", "json", "--state", "killed.jsonl")
    barrier = office.control.hold(path="acme-05/locations/us-central1/tuningJobs", times=0)
    since = office.control.log()[-1].number
    with office.shop.running(*arguments) as process:
        office.control.held(1)
        # Four parts of each project but the held one, of which two are read, and the question.
        until(lambda: journal.read_text().count("\n") == 11 * 4 + 2 + 1, "all others are read")
        process.kill()
        process.wait()
    first = Counter(office.reads(since))
    office.control.remove(barrier)
    since = office.control.log()[-1].number

    resumed = office.run(*arguments)

    again = Counter(office.reads(since))
    assert resumed.json == whole.json
    assert resumed.code == whole.code == 1
    assert "going on from killed.jsonl: 46 parts were read before" in resumed.err
    assert {path.split("/")[3] for path in again} == {"acme-05"}, "nothing of the others is read again"
    # Of the held location the list of models came before the kill, and is the one call that is made twice.
    assert first + again - expected == Counter(
        {
            "GET /v1/projects/acme-05/locations/us-central1/models": 1,
            "GET /v1/projects/acme-05/locations/us-central1/tuningJobs": 1,
        }
    )
    assert json.loads(journal.read_text().splitlines()[-1]) == {"end": True}


def test_a_folder_that_was_listed_is_not_listed_again(office: Office) -> None:
    call = office.shop.emulator.call
    made = call("POST", "/v3/folders", json={"parent": "organizations/7", "displayName": "x"}).json()[
        "response"
    ]
    for project in PROJECTS[:3]:
        assert call("POST", "/v3/projects", json={"projectId": project, "parent": made["name"]}).ok
        office.seeds.job(project)
    arguments = ("audit", "--organization", "7", "--location", "us-central1", "--format", "json")
    whole = office.run(*arguments).json
    barrier = office.control.hold(path="acme-02/locations/us-central1/models", times=0)
    with office.shop.running(*arguments) as process:
        office.control.held(1)
        process.kill()
        process.wait()
    office.control.remove(barrier)
    since = office.control.log()[-1].number

    resumed = office.run(*arguments)

    assert resumed.json == whole
    assert not [path for path in office.reads(since) if path.startswith("GET /v3/")], (
        "folders are in the journal"
    )


def test_what_may_pass_by_itself_is_read_again_in_the_next_run(office: Office) -> None:
    populated(office)
    whole = office.audit("--format", "json", "--state", "whole.jsonl").json
    office.control.order(
        {
            "calls": {"path": "acme-03/locations/europe-west4/endpoints", "times": 0},
            "effect": {"kind": "quota", "retry_after": 3600.0, "message": "later"},
        }
    )

    some = office.audit("--format", "json")
    office.control.take_back()
    since = office.control.log()[-1].number
    rest = office.audit("--format", "json")

    assert [(one["project"], one["what"], one["why"]) for one in some.json["unread"]] == [
        ("acme-03", "endpoints in europe-west4", "later")
    ]
    assert some.code == 1
    assert "the same command reads that again" in some.err
    assert rest.json == whole
    assert {path.split("/")[3] for path in office.reads(since)} == {"acme-03"}


def test_an_audit_that_came_to_its_end_is_begun_anew(office: Office) -> None:
    populated(office)
    office.found()
    office.seeds.bucket("acme-00", "new-since")
    assert office.found()["summary"]["seen"]["buckets"] == 13
