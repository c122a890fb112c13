"""`tuneform import`: jobs of the official SDK become documents and ledger records, and nothing is trained again."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
import yaml
from google.genai import Client, types
from google.oauth2.credentials import Credentials

from .conftest import Shop, until
from .test_status import STUCK

NAME = "old-muller-classifier"


def line(question: str, answer: str) -> str:
    turns = (("user", question), ("model", answer))
    return json.dumps({"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]})


@pytest.fixture
def sdk(shop: Shop) -> Client:
    """Google's SDK, and a bucket of somebody's with data for it."""
    bucket = shop.emulator.storage().create_bucket("theirs", location="us-central1")
    rows = [line(f"count {word} {n}", word) for n in range(10) for word in ("one", "two")]
    bucket.blob("train.jsonl").upload_from_string("\n".join(rows))
    return Client(
        vertexai=True,
        project="tuneform-test",
        location="us-central1",
        credentials=Credentials(token="not-a-secret"),
        http_options=types.HttpOptions(base_url=shop.emulator.endpoint, api_version="v1"),
    )


def tune(sdk: Client, name: str, **config: Any) -> str:
    """A job as a console or a notebook makes it; its resource name."""
    data = types.TuningDataset(gcs_uri="gs://theirs/train.jsonl")
    with warnings.catch_warnings(action="ignore"):  # the SDK calls its own tuning experimental
        made = sdk.tunings.tune(
            base_model="gemini-2.5-flash",
            training_dataset=data,
            config=types.CreateTuningJobConfig(tuned_model_display_name=name, **config),
        )
    assert made.name
    return str(made.name)


def tuned(sdk: Client, name: str, **config: Any) -> str:
    """The same once it has ended."""
    made = tune(sdk, name, **config)
    until(lambda: sdk.tunings.get(name=made).has_ended, "the job ends")
    return made


def planned(shop: Shop) -> list[dict[str, Any]]:
    """The plan's actions about what was imported, or may be."""
    actions = shop.run("plan", "--format", "json").json["actions"]
    return [action for action in actions if "colours" not in action["name"]]


def documents(shop: Shop, name: str) -> dict[str, dict[str, Any]]:
    text = (shop.folder / "specs" / "imported" / f"{name}.yaml").read_text()
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_a_job_of_the_sdk_is_adopted_and_serves_on_without_a_new_job(shop: Shop, sdk: Client) -> None:
    job = tuned(sdk, "Old Müller Classifier!", epoch_count=3, labels={"team": "x"})
    endpoint = shop.live("tuningJobs")[0]["tunedModel"]["checkpoints"][-1]["endpoint"]
    before = shop.changes()

    told = shop.does("import", job, "--format", "json").json

    (one,) = told["imported"]
    written = documents(shop, NAME)
    assert (one["name"], one["file"]) == (NAME, f"specs/imported/{NAME}.yaml")
    assert written["Dataset"]["spec"]["training"] == "gs://theirs/train.jsonl"
    assert written["TuningJob"]["spec"]["hyperParameters"] == {
        "epochCount": 3,
        "adapterSize": "ADAPTER_SIZE_FOUR",
        "learningRateMultiplier": 1.0,
    }
    assert written["TuningJob"]["spec"]["tunedModelDisplayName"] == "Old Müller Classifier!"
    assert written["TunedModel"]["spec"]["serving"] == "pointer"
    assert all(
        "/tuningJobs" not in change and "/models" not in change for change in shop.changes()[len(before) :]
    )

    found = planned(shop)
    assert "create" not in {action["action"] for action in found}
    assert any("labels.tuneform-owner" in str(action) for action in found)

    shop.does("apply", f"specs/imported/{NAME}.yaml", "--yes")
    assert len(shop.live("tuningJobs")) == 1
    assert shop.does("endpoint", NAME).out.strip().rpartition("/")[2] == endpoint.rpartition("/")[2]
    assert shop.does("ask", NAME, "count two 3").out == "two\n"
    (seen,) = shop.does("status", NAME, "--format", "json").json["tunings"]
    assert [(a["state"], a["cause"].split()[0]) for a in seen["attempts"]] == [("succeeded", "imported")]
    assert planned(shop) == []


def test_a_dry_run_shows_the_yaml_and_the_revision_and_writes_nothing(shop: Shop, sdk: Client) -> None:
    job = tuned(sdk, "colours")
    before = shop.changes()

    told = shop.does("import", job, "--dry-run", "--format", "json").json
    text = shop.does("import", "--all", "--dry-run").out

    (one,) = told["imported"]
    assert one["name"] == "colours-2"
    assert f"→ shop/colours-2 {one['revision']}" in text
    assert "kind: TunedModel" in text
    assert not (shop.folder / "specs" / "imported").exists()
    assert shop.changes() == before
    assert shop.does("import", job, "--format", "json").json["imported"][0]["revision"] == one["revision"]


def test_jobs_of_other_owners_and_those_without_a_model_are_left_alone(shop: Shop, sdk: Client) -> None:
    theirs = tuned(sdk, "theirs", labels={"tuneform-owner": "somebody-else", "tuneform-name": "theirs"})
    shop.control.order({"jobs": {"phase": "dataset"}, "effect": {"kind": "failed", "message": "no"}})
    failed = tuned(sdk, "failed")
    mine = tuned(sdk, "mine")

    refused = shop.run("import", theirs, mine)
    assert refused.code == 1
    assert "error[E640]" in refused.err
    assert "it belongs to 'somebody-else' (tuneform-owner)" in refused.err
    assert not (shop.folder / "specs" / "imported").exists()

    told = shop.does("import", "--all", "--format", "json").json
    assert [one["name"] for one in told["imported"]] == ["mine"]
    reasons = {one["job"].rpartition("/")[2]: one["reason"] for one in told["refused"]}
    assert "somebody-else" in reasons[theirs.rpartition("/")[2]]
    assert "it is FAILED" in reasons[failed.rpartition("/")[2]]
    again = shop.does("import", "--all", "--format", "json").json
    assert again["imported"] == []
    assert "it is adopted already, as 'mine'" in {one["reason"] for one in again["refused"]}


def test_two_jobs_of_one_display_name_get_names_of_their_own(shop: Shop, sdk: Client) -> None:
    tuned(sdk, "twin", epoch_count=2)
    tuned(sdk, "twin", epoch_count=3)

    told = shop.does("import", "--all", "--format", "json").json

    assert {one["name"] for one in told["imported"]} == {"twin", "twin-2"}
    assert len({one["revision"] for one in told["imported"]}) == 2
    assert "create" not in {action["action"] for action in planned(shop)}


def test_a_job_that_still_runs_is_adopted_and_followed(shop: Shop, sdk: Client) -> None:
    (order,) = shop.control.order(STUCK)
    job = tune(sdk, "running", epoch_count=2)

    shop.does("import", job)
    assert "create" not in {action["action"] for action in planned(shop)}

    shop.control.take_back(order)
    shop.does("apply", "specs/imported/running.yaml", "--yes")
    assert len(shop.live("tuningJobs")) == 1
    assert shop.does("ask", "running", "count one 2").out == "one\n"


def test_an_import_that_was_cut_off_after_the_ledger_is_taken_up_again(shop: Shop, sdk: Client) -> None:
    job = tuned(sdk, "cut off", epoch_count=2)
    shop.does("import", job)
    (shop.folder / "specs" / "imported" / "cut-off.yaml").unlink()
    assert "retire" not in {action["action"] for action in planned(shop)}

    told = shop.does("import", job, "--format", "json").json

    assert [one["name"] for one in told["imported"]] == ["cut-off"]
    assert "create" not in {action["action"] for action in planned(shop)}


def test_data_that_is_gone_or_a_folder_outside_the_specs_is_an_error_and_nothing_is_written(
    shop: Shop, sdk: Client
) -> None:
    job = tuned(sdk, "gone")
    outside = shop.run("import", job, "--out", "elsewhere")
    shop.emulator.storage().bucket("theirs").blob("train.jsonl").delete()
    gone = shop.run("import", job)

    assert (outside.code, gone.code) == (1, 1)
    assert "is not in the spec folder" in outside.err
    assert "gs://theirs/train.jsonl" in gone.err
    assert not (shop.folder / "specs" / "imported").exists()
