"""Edits of a tuning's life, each by `tuneform preview` and `tuneform up` as processes."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.functional.main_job.asking import ask, asking, serving, with_id
from tests.functional.main_job.checkout import Checkout, epochs, outputs

NAME = "support-intents"
UNCHANGED = re.compile(r"everything unchanged \(\d+ resources\)")
QUESTION = "Name the intent of the customer's message. Answer with the intent only.\n\nWhere is my parcel?"


@pytest.fixture(scope="module")
def first(checkout: Checkout) -> dict[str, dict[str, str]]:
    """The outputs of the first commit, applied."""
    checkout.shrink()
    return outputs(checkout.does("up"))


@pytest.fixture
def applied(checkout: Checkout, first: dict[str, dict[str, str]]) -> Checkout:
    """The first commit is applied, whatever an earlier test did: that must give what it gave at first."""
    checkout.revert()
    assert outputs(checkout.does("up")) == first
    return checkout


def test_a_recipe_edit_trains_once_while_the_old_model_serves_and_back_costs_nothing(
    checkout: Checkout, first: dict[str, dict[str, str]]
) -> None:
    jobs = checkout.counts()["jobs"]
    checkout.edit("support-intents.yaml", epochs(4))

    foreseen = checkout.does("preview")

    assert re.search(
        r"new revision r1-[0-9a-f]{16} \(recipe changed: hyperParameters.epochCount 3 → 4\): "
        r"one tuning job, (\d+,\d+) tokens \((\d+,\d+) an epoch × 4, as Vertex AI counted them before\), price unknown",
        foreseen,
    )
    assert foreseen.count("new revision r1-") == 1
    assert "the old one serves until this one is ready" in foreseen
    assert checkout.counts()["jobs"] == jobs, "a preview changes nothing"

    with asking(checkout, NAME, QUESTION) as heard:
        second = outputs(checkout.does("up"))[NAME]

    assert checkout.counts()["jobs"] == jobs + 1
    assert second["endpoint"] == first[NAME]["endpoint"]
    assert second["revision"] in foreseen
    assert second["revision"] != first[NAME]["revision"]
    assert heard.failures == []
    assert len(heard.answers) > 10
    assert heard.served == [first[NAME]["model"], second["model"]]
    assert serving(checkout, NAME) == [second["model"]]
    assert ask(checkout, NAME, QUESTION)

    checkout.revert()
    foreseen = checkout.does("preview")
    assert re.search(rf"adopts {first[NAME]['revision']}, trained .*, no cost", foreseen)
    assert "new revision" not in foreseen
    with asking(checkout, NAME, QUESTION) as heard:
        assert outputs(checkout.does("up")) == first
    assert heard.failures == []
    assert checkout.counts()["jobs"] == jobs + 1
    assert serving(checkout, NAME) == [first[NAME]["model"]]


def test_a_label_reaches_model_and_endpoint_without_training(applied: Checkout) -> None:
    before = applied.counts()

    def relabel(documents: list[dict[str, Any]]) -> None:
        for document in documents:
            if document["kind"] in ("TuningJob", "TunedModel"):
                document["metadata"].setdefault("labels", {})["team"] = "care"

    applied.edit("support-intents.yaml", relabel)
    foreseen = applied.does("preview")
    assert "updates the model, no training: labels.team support → care" in foreseen
    assert "updates the endpoint, no training: labels.team" in foreseen
    assert "2 to update" in foreseen

    applied.does("up", "--quiet")

    assert applied.counts() == before
    assert [model["labels"]["team"] for model in applied.live("models") if _serves(applied, model)] == [
        "care"
    ]
    endpoint = next(e for e in applied.live("endpoints") if e["name"].endswith(f"/endpoints/{NAME}"))
    assert endpoint["labels"]["team"] == "care"


def test_only_content_makes_a_dataset_another_one(applied: Checkout) -> None:
    """Rows in another order, a file renamed, JSONL instead of CSV: no change. One row: a new revision."""
    data = applied.folder / "specs" / "data" / NAME
    before = applied.counts()
    header, *rows = (data / "train.csv").read_text().splitlines()
    (data / "train.csv").write_text("\n".join([header, *reversed(rows), ""]))
    (data / "validation.csv").rename(data / "held-out.csv")
    _as_pairs(data / "test.csv", data / "test.jsonl")

    def point_there(documents: list[dict[str, Any]]) -> None:
        documents[0]["spec"]["validation"] = f"data/{NAME}/held-out.csv"
        documents[0]["spec"]["test"] = f"data/{NAME}/test.jsonl"

    applied.edit("support-intents.yaml", point_there)
    assert UNCHANGED.search(applied.does("preview"))

    (data / "train.csv").write_text("\n".join([header, *rows[1:], rows[0].upper(), ""]))
    foreseen = applied.does("preview")
    assert re.search(
        r"new revision r1-\w+ \(recipe changed: training sha256:\w{12}… → sha256:\w{12}…\)", foreseen
    )
    assert "training: 650 examples" in foreseen
    assert "validation:" not in foreseen
    applied.does("up", "--quiet")
    assert applied.counts()["jobs"] == before["jobs"] + 1


def test_a_removed_tuning_is_gone_live_and_its_jobs_are_history(
    applied: Checkout, first: dict[str, dict[str, str]]
) -> None:
    others = applied.counts()
    specs = applied.folder / "specs"
    shutil.copytree(Path(__file__).parents[3] / "specs", applied.folder / "example", dirs_exist_ok=True)
    shutil.copy(applied.folder / "example" / "next-number.yaml", specs)
    applied.edit("next-number.yaml", epochs(2))
    assert set(outputs(applied.does("up"))) == {NAME, "next-number"}
    jobs = applied.counts()["jobs"]
    assert jobs == others["jobs"] + 1

    # The same pairs as CSV, in the other tuning's place: nothing changes.
    _as_csv(specs / "data" / "next-number" / "pairs.jsonl", specs / "data" / "next-number" / "pairs.csv")
    applied.edit("next-number.yaml", _from_csv)
    assert UNCHANGED.search(applied.does("preview"))

    (specs / "next-number.yaml").unlink()
    foreseen = applied.does("preview")
    assert "3 to delete" in foreseen
    assert outputs(applied.does("up")) == first

    assert applied.counts() == {**others, "jobs": jobs}
    names = {found["displayName"] for kind in ("models", "endpoints") for found in applied.live(kind)}
    assert names == {NAME}
    listed = applied.answer("storage/v1/b/tuneform-demo-data/o?prefix=datasets/next-number/")
    assert listed.get("items", []) == []
    states = [
        job["state"] for job in applied.live("tuningJobs") if job["labels"]["tuneform-name"] == "next-number"
    ]
    assert states == ["JOB_STATE_SUCCEEDED"]


def _serves(checkout: Checkout, model: dict[str, Any]) -> bool:
    return serving(checkout, NAME) == [f"{with_id(model['name'])}@{model['versionId']}"]


def _as_pairs(source: Path, target: Path) -> None:
    with source.open() as file:
        rows = [{"text_input": row["text"], "output": row["intent"]} for row in csv.DictReader(file)]
    target.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source.unlink()


def _as_csv(source: Path, target: Path) -> None:
    pairs = [json.loads(line) for line in source.read_text().splitlines()]
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["answer", "question"])
        writer.writeheader()
        writer.writerows({"question": pair["text_input"], "answer": pair["output"]} for pair in pairs)
    source.unlink()


def _from_csv(documents: list[dict[str, Any]]) -> None:
    spec = documents[0]["spec"]
    spec["training"] = "data/next-number/pairs.csv"
    spec["columns"] = {"input": "question", "output": "answer"}
