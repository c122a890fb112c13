"""`tuneform audit` over several projects: what it finds, of whom, and what it cannot read."""

from __future__ import annotations

from typing import Any

from tests.functional.audit.conftest import Office, broken

KEY = "projects/keys-prod/locations/us-central1/keyRings/ring/cryptoKeys/house"
ENCRYPTED: dict[str, Any] = {"encryptionSpec": {"kmsKeyName": KEY}}
TEAM = {"team": "support"}


def test_it_finds_what_others_made_and_says_since_when_and_who_can_mend_it(office: Office) -> None:
    seeds = office.seeds
    seeds.job("acme-prod", labels={"tuneform-owner": "ml-team", "tuneform-name": "intents", **TEAM})
    seeds.job(
        "acme-prod", labels=TEAM, **ENCRYPTED, supervisedTuningSpec={"hyperParameters": {"epochCount": "9"}}
    )
    seeds.model("acme-lab", "bert", labels={"owner": "ada"})
    seeds.bucket("acme-lab", "acme-lab-open", closed=False, everybody=True, labels=TEAM)
    office.projects("acme-prod us-central1", "acme-lab us-central1")

    found = office.found()

    assert broken(found, "house/key") == {
        ("acme-prod", "TuningJob", "intents"),
        ("acme-lab", "DatasetBucket", "acme-lab-open"),
    }
    assert broken(found, "house/epochs") == {
        ("acme-prod", "TuningJob", "by hand"),
        ("acme-prod", "TuningJob", "intents"),
    }
    assert broken(found, "house/labels") == {("acme-lab", "TunedModel", "bert")}
    by = {(one["rule"], one["name"]): one for one in found["breaches"]}
    assert by["house/key", "intents"]["mender"] == {"name": "ml-team", "how": "label tuneform-owner"}
    assert by["house/key", "intents"]["since"] == {"when": "2026-01-10T08:00:00Z", "what": "created"}
    assert by["house/labels", "bert"]["since"] == {"when": "2026-05-20T09:30:00Z", "what": "changed last"}
    assert by["house/labels", "bert"]["mender"] == {"name": "ada", "how": "label owner"}
    opened = by["house/never-public", "acme-lab-open"]
    assert opened["notes"] == ["it is open: roles/storage.objectViewer to allUsers"]
    assert found["summary"]["seen"] == {"buckets": 1, "jobs": 2, "models": 1}
    assert found["policies"]["sources"][0]["digest"].startswith("sha256:")


def test_history_that_nobody_can_mend_breaks_nothing(office: Office) -> None:
    seeds = office.seeds
    labelled = seeds.model("acme-prod", "good", labels=TEAM)
    bare = seeds.model("acme-prod", "bad")
    seeds.job("acme-prod", state="FAILED")
    seeds.job(
        "acme-prod", state="SUCCEEDED", model=seeds.parent("acme-prod") + "/models/123"
    )  # deleted since
    seeds.job("acme-prod", state="SUCCEEDED", model=labelled, labels={"tuneform-name": "good"})
    seeds.job("acme-prod", state="SUCCEEDED", model=bare, labels={"tuneform-name": "bad"})
    office.projects("acme-prod us-central1")

    found = office.found()

    assert not broken(found, "house/key") | broken(found, "house/epochs"), "a job that has ended is history"
    assert broken(found, "house/labels") == {
        ("acme-prod", "TuningJob", "bad"),
        ("acme-prod", "TunedModel", "bad"),
    }
    assert found["unjudged"] == [
        {"rule": "house/gate", "kind": "TunedModel", "things": 2, "paths": ["object.spec.gate"]}
    ]


def test_exceptions_cover_live_things_by_project_kind_and_name_until_they_end(office: Office) -> None:
    seeds = office.seeds
    for project in ("acme-prod", "acme-lab", "acme-old"):
        seeds.bucket(project, f"{project}-data", labels=TEAM)
    office.projects("acme-prod us-central1", "acme-lab us-central1", "acme-old us-central1")
    exception = (
        "- {rule: key, kind: DatasetBucket, name: %s, project: %s, reason: moved in spring, expires: %s}\n"
    )
    rules = (office.shop.folder / "policies.yaml").read_text() + "  exceptions:\n"
    rules += "    " + exception % ("acme-prod-data", "acme-prod", "'2999-01-31'")
    rules += "    " + exception % ("acme-old-data", "acme-old", "'2026-02-28'")
    rules += "    " + exception % ("acme-lab-data", "acme-prod", "'2999-01-31'")
    office.policies(rules)

    found = office.found()

    keys = {one["project"]: one for one in found["breaches"] if one["rule"] == "house/key"}
    assert keys["acme-prod"]["exception"] == {"reason": "moved in spring", "expires": "2999-01-31"}
    assert "exception" not in keys["acme-lab"], "it is of another project"
    assert (keys["acme-old"]["ended"], keys["acme-old"]["since"]["when"]) == ("2026-02-28", "2026-03-01")
    assert (found["summary"]["deny"], found["summary"]["excepted"]) == (2, 1)


def test_what_cannot_be_read_is_reported_and_the_rest_is_judged(office: Office) -> None:
    seeds = office.seeds
    for project in ("acme-prod", "acme-shut", "acme-off"):
        seeds.job(project, labels=TEAM)
    number = seeds.parent("acme-shut").split("/")[1]
    off = seeds.parent("acme-off").split("/")[1]
    assert office.shop.emulator.call("DELETE", "/v3/projects/acme-gone").ok
    faults = [
        {
            "calls": {"path": f"projects/(acme-shut|{number})", "times": 0},
            "effect": {"kind": "permission", "message": "no"},
        },
        {
            "calls": {"path": f"projects/(acme-off|{off})/locations", "times": 0},
            "effect": {"kind": "permission", "message": "it was never enabled", "reason": "SERVICE_DISABLED"},
        },
    ]
    office.control.order(*faults)
    office.projects(
        "acme-shut us-central1", "acme-off us-central1 europe-west4", "acme-gone", "acme-prod us-central1"
    )

    ended = office.audit("--format", "json")
    found = ended.json

    assert ended.code == 1
    assert broken(found, "house/key") == {("acme-prod", "TuningJob", "by hand")}
    unread = {(one["project"], one["what"]): one["disabled"] for one in found["unread"]}
    assert unread["acme-gone", "the project"] is False
    assert unread["acme-off", "Vertex AI"] is True
    assert sum(project == "acme-off" for project, _ in unread) == 1, "one location says it for all"
    assert found["summary"]["unread"] == len([one for one in found["unread"] if not one["disabled"]])


def test_a_project_whose_api_is_off_fails_nothing(office: Office) -> None:
    office.policies(office_policies_without_buckets())
    office.projects("acme-prod us-central1")
    ended = office.audit()
    assert ended.code == 0, ended.out + ended.err
    assert "1 project (nothing in them)" in ended.out


def office_policies_without_buckets() -> str:
    return (
        "apiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {name: house}\n"
        "spec: {rules: [{name: key, builtin: cmek-required}]}\n"
    )


def test_without_the_right_to_read_policies_less_is_said_and_nothing_fails(office: Office) -> None:
    office.seeds.bucket("acme-prod", "acme-data", closed=False, everybody=True, labels=TEAM)
    office.projects("acme-prod us-central1")
    refused = [
        {"calls": {"path": path, "times": 0}, "effect": {"kind": "permission"}}
        for path in (":getIam", "/iam")
    ]
    office.control.order(*refused)

    found = office.found()

    (breach,) = [one for one in found["breaches"] if one["rule"] == "house/never-public"]
    assert breach["notes"] == ["who has access may not be read here"]
    assert found["unread"] == []


def test_buckets_that_may_not_be_listed_are_reported_and_the_locations_are_judged(office: Office) -> None:
    office.seeds.job("acme-prod")
    office.projects("acme-prod us-central1")
    office.control.order(
        {"calls": {"route": "/storage/v1/b", "times": 0}, "effect": {"kind": "permission", "message": "no"}}
    )

    found = office.found()

    assert [(one["project"], one["what"], one["why"]) for one in found["unread"]] == [
        ("acme-prod", "buckets", "no")
    ]
    (breach,) = [one for one in found["breaches"] if one["rule"] == "house/key"]
    assert breach["mender"] == {
        "name": "",
        "how": "it has no label owner or team, and nobody has roles/owner on the project itself",
    }


def test_a_folder_is_walked_down_to_the_active_projects(office: Office) -> None:
    call = office.shop.emulator.call

    def folder(name: str, parent: str) -> str:
        made = call("POST", "/v3/folders", json={"parent": parent, "displayName": name})
        return str(made.json()["response"]["name"])

    def project(project_id: str, parent: str, **labels: str) -> None:
        body = {"projectId": project_id, "parent": parent, "labels": labels}
        assert call("POST", "/v3/projects", json=body).ok
        office.seeds.bucket(project_id, f"{project_id}-data")

    root = folder("all", "organizations/42")
    below = folder("below", root)
    project("acme-prod", root, team="platform")
    project("acme-deep", below)
    project("acme-gone", below)
    project("acme-elsewhere", "organizations/42")
    assert call("DELETE", "/v3/projects/acme-gone").ok

    where = ["--location", "us-central1", "--format", "json"]
    of_folder = office.run("audit", "--folder", root.removeprefix("folders/"), *where).json
    of_all = office.run("audit", "--organization", "42", *where).json

    assert of_folder["projects"] == ["acme-deep", "acme-prod"]
    assert of_all["projects"] == ["acme-deep", "acme-elsewhere", "acme-prod"]
    menders = {one["project"]: one["mender"] for one in of_all["breaches"] if one["rule"] == "house/key"}
    assert menders["acme-prod"] == {"name": "platform", "how": "label team of the project"}
    assert menders["acme-deep"]["name"] == "", "nobody is known"

    unknown = office.run("audit", "--folder", "1", *where)
    assert unknown.code == 1
    assert [one["what"] for one in unknown.json["unread"]] == ["the projects and folders below folders/1"]


def test_one_rule_text_finds_the_same_breach_in_what_is_written_and_in_what_is_live(office: Office) -> None:
    """The same policy file judges the documents in `check` and the job that was made of them in `audit`."""
    office.policies(
        "apiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {name: house}\nspec:\n  rules:\n"
        "    - name: modest\n      expression: object.spec.hyperParameters.epochCount <= params.most\n"
        "      params: {most: 3}\n      field: spec.hyperParameters.epochCount\n"
        "      messageExpression: \"string(object.spec.hyperParameters.epochCount) + ' epochs are too many'\"\n"
        "      match: {kinds: [TuningJob], names: [intents]}\n"
    )
    specs = office.shop.folder / "specs"
    specs.mkdir()
    (specs / "all.yaml").write_text(
        "apiVersion: tuneform.dev/v1\nkind: Project\nmetadata: {name: shop}\n"
        "spec: {projectId: acme-prod, location: us-central1, owner: ml-team}\n---\n"
        "apiVersion: tuneform.dev/v1\nkind: DatasetBucket\nmetadata: {name: data}\nspec: {}\n---\n"
        "apiVersion: tuneform.dev/v1\nkind: Dataset\nmetadata: {name: d}\n"
        "spec: {bucket: {ref: data}, training: {examples: [{input: a, output: b}]}}\n---\n"
        "apiVersion: tuneform.dev/v1\nkind: TuningJob\nmetadata: {name: intents}\n"
        "spec: {baseModel: gemini-2.5-flash, dataset: {ref: d}, hyperParameters: {epochCount: 7}}\n"
    )
    office.seeds.job(
        "acme-prod",
        labels={"tuneform-owner": "ml-team", "tuneform-name": "intents"},
        supervisedTuningSpec={"hyperParameters": {"epochCount": "7"}},
    )
    office.projects("acme-prod")

    checked = office.run("check", "specs", "--format", "json").json["diagnostics"]
    found = office.found("specs")

    assert [one["message"] for one in checked if one["code"] == "E194"] == [
        "house/modest: 7 epochs are too many"
    ]
    (breach,) = found["breaches"]
    assert (breach["rule"], breach["message"], breach["field"]) == (
        "house/modest",
        "7 epochs are too many",
        "spec.hyperParameters.epochCount",
    )
    assert (breach["kind"], breach["name"], breach["location"]) == ("TuningJob", "intents", "us-central1")
