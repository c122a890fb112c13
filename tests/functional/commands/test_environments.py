"""One tuning in dev and prod, from the edit that tries it to the one that sends it on."""

from __future__ import annotations

from pathlib import Path

from .conftest import Shop

PROJECTS = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: shop}
spec: {projectId: tuneform-test, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: prod}
spec: {projectId: tuneform-prod, location: europe-west4, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data, projects: [shop, prod]}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: colours, projects: [shop, prod]}
spec: {bucket: {ref: data}, training: colours.jsonl, test: test.jsonl}
"""
TUNING = """\
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: colours, projects: [shop, prod]}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: colours}
  hyperParameters: {epochCount: 2, adapterSize: ADAPTER_SIZE_FOUR}
"""
TRIED = "in:\n  shop: {hyperParameters: {epochCount: 3}}\n"


def jobs(shop: Shop, parent: str) -> list[int]:
    """How many epochs each job there has."""
    answer = shop.emulator.call("GET", f"/v1/projects/{parent}/tuningJobs?pageSize=100").json()
    return sorted(
        int(job["supervisedTuningSpec"]["hyperParameters"]["epochCount"])
        for job in answer.get("tuningJobs", [])
    )


def models(shop: Shop, parent: str) -> int:
    """How many models there are."""
    return len(shop.emulator.call("GET", f"/v1/projects/{parent}/models").json().get("models", []))


def calls_about(shop: Shop, project: str) -> set[str]:
    """What was called so far of things in a Google Cloud project, or in one of its buckets."""
    return {f"{call.method} {call.route}" for call in shop.control.log() if project in str(call)}


def test_a_tuning_is_tried_in_one_project_and_goes_to_the_other_by_an_edit(shop: Shop) -> None:
    dev, prod = "tuneform-test/locations/us-central1", "tuneform-prod/locations/europe-west4"
    specs: Path = shop.folder / "specs"
    (specs / "project.yaml").write_text(PROJECTS)
    (specs / "colours.yaml").write_text(TUNING + TRIED)

    # Applying dev asks and changes nothing in prod.
    assert "name one of them with --project" in shop.run("apply", "--yes", "--watch").err
    shop.does("apply", "--yes", "--project", "shop")
    assert jobs(shop, dev) == [3]
    assert calls_about(shop, "tuneform-prod") == set()

    # A plan of dev is none of prod.
    (specs / "colours.yaml").write_text(TUNING + TRIED.replace("3", "4"))
    shop.does("plan", "--project", "shop", "--out", "plan.json")
    refused = shop.run("apply", "plan.json", "--project", "prod", "--yes")
    assert (refused.code, "error[E614]" in refused.err) == (1, True)

    # What was tried is moved to spec: dev has nothing to do, prod trains it, once.
    (specs / "colours.yaml").write_text(TUNING.replace("epochCount: 2", "epochCount: 3"))
    assert shop.run("plan", "--project", "shop", "--detailed-exitcode").code == 0
    path = "/v1/projects/tuneform-prod/services/aiplatform.googleapis.com:enable"
    assert shop.emulator.call("POST", path, json={}).ok
    bucket = shop.emulator.storage().bucket("tuneform-prod-data", user_project=None)
    bucket.create(project="tuneform-prod", location="EUROPE-WEST4")
    shop.does("apply", "--yes", "--project", "prod")
    assert (jobs(shop, dev), jobs(shop, prod)) == ([3], [3])
    assert any(
        "createTuningJob" in name or "tuningJobs" in name for name in calls_about(shop, "tuneform-prod")
    )
    assert shop.run("plan", "--project", "prod", "--detailed-exitcode").code == 0
    assert shop.run("plan", "--project", "shop", "--detailed-exitcode").code == 0

    # Struck off, it is retired there and nowhere else.
    (specs / "colours.yaml").write_text(TUNING.replace("[shop, prod]", "[prod]"))
    shop.does("apply", "--yes", "--project", "shop")
    assert (models(shop, dev), models(shop, prod)) == (0, 1)
