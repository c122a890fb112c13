"""Banking77, 10,003 real questions of 77 intents, as a user's own spec folder outside the project."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from google.genai import Client, types
from google.oauth2.credentials import Credentials
from tests.functional.main_job.checkout import ROOT, Checkout, outputs

SHARED = Path(os.environ.get("TUNEFORM_SHARED_DATA", ROOT.parent / "shared" / "data"))
SOURCE = SHARED / "banking77"

pytestmark = pytest.mark.skipif(
    not (SOURCE / "train.csv").is_file(),
    reason=f"no Banking77 in {SOURCE}; TUNEFORM_SHARED_DATA names the folder that holds banking77/",
)

PROJECT = "bank-of-tests"
PARENT = f"projects/{PROJECT}/locations/us-central1"
BUCKET = f"{PROJECT}-data"
ROWS = 10_003
SOME_ROWS = 1_500
ASKED = 400
"""Rows and questions where jobs are compared with each other: enough to tell them apart, quick to train."""

SPECS = {
    "project.yaml": f"""\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {{name: bank}}
spec: {{projectId: {PROJECT}, location: us-central1, owner: bank-ml}}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {{name: data}}
spec: {{encryptionKey: {{ref: tuning-key}}}}
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {{name: tuning-key}}
spec: {{keyRing: tuneform}}
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {{name: tuning-runner}}
spec: {{projectRoles: [roles/aiplatform.user]}}
""",
    "intents.yaml": """\
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: banking-intents}
spec:
  bucket: {ref: data}
  task: classification
  columns: {input: text, output: category}
  training: train.csv
  test: test.csv
  split: {validation: 0.1}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: intents, labels: {team: support}}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: banking-intents}
  hyperParameters: {epochCount: 5, adapterSize: ADAPTER_SIZE_SIXTEEN, learningRateMultiplier: 1.0}
  encryptionKey: {ref: tuning-key}
  serviceAccount: {ref: tuning-runner}
  limits: {maxBillableTokens: 5_000_000, timeout: 6h}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: intents}
spec:
  job: {ref: intents}
  checkpoint: best
  gate: {exactMatch: {atLeast: 0.8, examples: 200}}
  keep: 2
  deletionPolicy: Delete
""",
}


@dataclass(frozen=True)
class Bank:
    """The folder after `up`, what it printed, and Google's SDK."""

    desk: Checkout
    printed: str
    client: Client = field(repr=False)

    def ask(self, endpoint: str, questions: list[str]) -> list[str]:
        """The answers, at temperature 0."""
        config = types.GenerateContentConfig(temperature=0)

        def one(question: str) -> str:
            answer = self.client.models.generate_content(model=endpoint, contents=question, config=config)
            return answer.text or ""

        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(one, questions))

    def get(self, name: str) -> dict[str, Any]:
        """A resource of Vertex AI."""
        return self.desk.answer(f"v1/{name}")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("bank")
    for name, text in SPECS.items():
        (folder / name).write_text(text)
    for name in ("train.csv", "test.csv"):
        shutil.copyfile(SOURCE / name, folder / name)
    desk = Checkout(folder)
    desk.does("emulator", "start", "--port", "0")
    begin = time.monotonic()
    printed = desk.does("up", ".")
    tell(f"`tuneform up .` took {time.monotonic() - begin:.0f} s")
    client = Client(
        vertexai=True,
        project=PROJECT,
        location="us-central1",
        credentials=Credentials(token="not-a-secret"),
        http_options=types.HttpOptions(base_url=desk.endpoint, api_version="v1beta1"),
    )
    yield Bank(desk, printed, client)
    desk.run("emulator", "stop")


def tell(text: str) -> None:
    """A figure for people (`pytest -s`, or -rP); speed is judged by benchmarks."""
    sys.stdout.write(f"Banking77: {text}\n")


def rows(name: str) -> list[tuple[str, str]]:
    with (SOURCE / name).open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def test_ten_thousand_rows_of_csv_become_one_job(bank: Bank) -> None:
    (job,) = bank.desk.answer(f"v1/{PARENT}/tuningJobs")["tuningJobs"]
    job = bank.get(job["name"])

    began, ended = (datetime.fromisoformat(job[name]) for name in ("createTime", "endTime"))
    tell(f"the job took {(ended - began).total_seconds():.1f} s for 5 epochs")
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    stats = job["tuningDataStats"]["supervisedTuningDataStats"]
    trained = int(stats["tuningDatasetExampleCount"])
    assert len(rows("train.csv")) == ROWS
    assert 0.89 < trained / ROWS < 0.91
    assert job["labels"]["tuneform-revision"] == outputs(bank.printed)["intents"]["revision"]


def test_the_served_model_is_right_on_most_of_the_test_set(bank: Bank) -> None:
    questions = rows("test.csv")
    assert len(questions) == 3_080
    begin = time.monotonic()

    answers = bank.ask(f"{PARENT}/endpoints/intents", [question for question, _ in questions])

    share = sum(a == b for a, (_, b) in zip(answers, questions, strict=True)) / len(questions)
    tell(f"exact match {share:.3f} on {len(questions)} questions in {time.monotonic() - begin:.0f} s")
    assert share >= 0.82


@pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")
def test_epochs_rank_and_learning_rate_change_curves_and_answers(bank: Bank) -> None:
    """Jobs beside each other, made with Google's SDK on some of the rows."""
    uri = _upload(bank, rows("train.csv")[:: ROWS // SOME_ROWS])
    plain = {"epoch_count": 3, "adapter_size": "ADAPTER_SIZE_SIXTEEN"}
    wanted: Mapping[str, dict[str, Any]] = {
        "plain": plain,
        "more epochs": {**plain, "epoch_count": 6},
        "lower rank": {**plain, "adapter_size": "ADAPTER_SIZE_ONE"},
        "slower": {**plain, "learning_rate_multiplier": 0.1},
    }
    questions = rows("test.csv")[:: 3_080 // ASKED]

    jobs = {
        name: bank.client.tunings.tune(
            base_model="gemini-2.5-flash",
            training_dataset=types.TuningDataset(gcs_uri=uri),
            config=types.CreateTuningJobConfig(tuned_model_display_name=name, **hyper),
        )
        for name, hyper in wanted.items()
    }
    curves, answers, right = {}, {}, {}
    for name, job in jobs.items():
        assert job.name is not None
        done = _ended(bank, job.name)
        curves[name] = _train_loss(bank, done["experiment"])
        answers[name] = bank.ask(done["tunedModel"]["endpoint"], [question for question, _ in questions])
        right[name] = sum(a == b for a, (_, b) in zip(answers[name], questions, strict=True)) / len(questions)
        tell(f"{name}: last loss {curves[name][-1]:.3f}, exact match {right[name]:.3f}")

    assert len({tuple(curve) for curve in curves.values()}) == len(wanted)
    assert len({tuple(answer) for answer in answers.values()}) == len(wanted)
    assert len(curves["more epochs"]) == 2 * len(curves["plain"])
    last = {name: sum(curve[-20:]) / 20 for name, curve in curves.items()}
    assert last["more epochs"] < last["plain"] < min(last["lower rank"], last["slower"])
    assert right["plain"] > max(right["lower rank"], right["slower"])


def _upload(bank: Bank, pairs: list[tuple[str, str]]) -> str:
    turns = (
        [{"role": "user", "parts": [{"text": asked}]}, {"role": "model", "parts": [{"text": said}]}]
        for asked, said in pairs
    )
    data = "\n".join(json.dumps({"contents": turn}) for turn in turns).encode()
    url = f"{bank.desk.endpoint}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=some.jsonl"
    answer = requests.post(url, data=data, timeout=60)
    assert answer.ok, answer.text
    return f"gs://{BUCKET}/some.jsonl"


def _ended(bank: Bank, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while not (job := bank.get(name)).get("endTime"):
        assert time.monotonic() < deadline, job
    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    return job


def _train_loss(bank: Bank, experiment: str) -> list[float]:
    context = bank.get(experiment)
    board = context["metadata"]["backing_tensorboard_resource"]
    (run,) = bank.get(f"{board}/experiments/{experiment.rpartition('/')[2]}/runs")["tensorboardRuns"]
    (series,) = (
        item["name"]
        for item in bank.get(f"{run['name']}/timeSeries")["tensorboardTimeSeries"]
        if item["displayName"] == "/train_total_loss"
    )
    values = bank.get(f"{series}:read?maxDataPoints=-1")["timeSeriesData"]["values"]
    return [point["scalar"].get("value", 0.0) for point in values]
