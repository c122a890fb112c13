"""The command line of `tuneform audit`: what it is told, what it says, how it ends."""

from __future__ import annotations

import json
import signal
from xml.etree import ElementTree

import pytest
from tests.functional.audit.conftest import POLICIES, Office, broken


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["audit"], 2, "exactly one of --projects, --folder and --organization is needed; there is none"),
        (["audit", "--folder", "1", "--organization", "2"], 2, "there is --folder and --organization"),
        (["audit", "--folder", "all"], 2, "--folder: 'all' is not a number"),
        (["audit", "--folder", "1", "--location", "US"], 2, "'US' is not a location"),
        (["audit", "--projects", "projects.txt"], 1, "projects.txt:1:1: error[E650]: 'ACME'"),
        (["audit", "--folder", "1", "--policies", "nowhere.yaml"], 1, "there are no policies at nowhere.yaml"),
        (["audit", "--folder", "1", "--state", "policies.yaml"], 1, "policies.yaml is no journal of an audit"),
        (["audit", "--folder", "1", "--policies", "gs://b/o"], 1, "is not pinned"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_read(
    office: Office, arguments: list[str], code: int, said: str
) -> None:
    office.projects("ACME")
    ended = office.run(*arguments)
    assert ended.code == code, ended.err
    # Usage errors are wrapped at the width of a terminal.
    assert said in " ".join(ended.err.replace("are not pinned", "is not pinned").split()), ended.err
    assert ended.out == ""
    assert office.reads() == []
    assert (office.shop.folder / "policies.yaml").read_text() == POLICIES


def test_without_rules_there_is_nothing_to_judge_by(office: Office) -> None:
    (office.shop.folder / "tuneform.toml").write_text("")
    office.projects("acme-prod")
    ended = office.audit()
    assert (ended.code, office.reads()) == (1, [])
    assert "there is no rule to judge by" in ended.err


def test_policies_of_the_flag_go_before_the_setting_and_stand_beside_those_at_path(office: Office) -> None:
    office.seeds.bucket("acme-prod", "acme-data")
    office.projects("acme-prod us-central1")
    head = "apiVersion: tuneform.dev/v1\nkind: "
    one = head + "Policy\nmetadata: {name: %s}\nspec: {rules: [{name: key, builtin: cmek-required}]}\n"
    (office.shop.folder / "flag.yaml").write_text(one % "flag")
    (office.shop.folder / "specs").mkdir()
    (office.shop.folder / "specs" / "own.yaml").write_text(
        one % "own" + "---\n" + head + "Project\nmetadata: {name: shop}\n"
        "spec: {projectId: acme-prod, location: us-central1, owner: ml-team}\n"
    )

    found = office.found("specs", "--policies", "flag.yaml")

    assert {one["rule"] for one in found["breaches"]} == {"flag/key", "own/key"}
    assert [one["name"] for one in found["policies"]["sources"]] == ["specs", "flag.yaml"]
    assert broken(office.found(), "house/key"), "the setting, without the flag"


def test_each_form_says_by_which_rules_and_ends_with_the_same_code(office: Office) -> None:
    office.seeds.bucket("acme-prod", "acme-data")
    office.projects("acme-prod us-central1")
    digest = office.found()["policies"]["digest"]

    ended = {form: office.audit("--format", form) for form in ("text", "json", "sarif", "junit", "html")}

    assert {one.code for one in ended.values()} == {1}
    assert all(digest in one.out for one in ended.values())
    assert json.loads(ended["sarif"].out)["version"] == "2.1.0"
    assert ElementTree.fromstring(ended["junit"].out).tag == "testsuites"
    assert ended["html"].out.startswith("<!doctype html>")
    assert "deny      DatasetBucket acme-data  house/key: no key of your own encrypts it" in ended["text"].out


def test_ctrl_c_ends_it_with_130_and_says_how_to_go_on(office: Office) -> None:
    office.seeds.job("acme-prod")
    office.projects("acme-prod us-central1")
    office.control.hold(path="acme-prod/locations/us-central1/tuningJobs", times=0)
    with office.shop.running("audit", "--projects", "projects.txt") as process:
        office.control.held(1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == "interrupted; run the same command again to go on\n"


@pytest.mark.parametrize("setting", ["TUNEFORM_RATE", "TUNEFORM_AUDIT_RATE"])
def test_a_rate_that_is_none_is_refused(office: Office, setting: str) -> None:
    office.projects("acme-prod")
    office.shop.environment[setting] = "fast"
    ended = office.audit()
    assert ended.code == 1
    assert f"{setting} is 'fast'" in ended.err
