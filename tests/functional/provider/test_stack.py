"""The program and the provider under the real engine, against the emulator."""

from __future__ import annotations

import json
import random
import re
import runpy
import shutil
import signal
import threading
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pulumi
import pytest
from tests.functional.emulators import Emulator
from tests.functional.provider.engine import WITH_ENGINE, RunFailedError, Stack, edit, vertex, write_specs

from tuneform import specs
from tuneform.capabilities.prices import Price, PriceTable
from tuneform.entrypoints import inputs
from tuneform.entrypoints.program.resources import Dataset, TunedModel, TuningJob

pytestmark = WITH_ENGINE

PROGRAM = Path(__file__).parents[3] / "infra"
POLICY = """
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec: {enforcement: deny, rules: [{name: epochs, builtin: max-epochs, params: {most: 1}}]}
"""
EXPORTED = ("endpoint", "model", "revision", "checkpoint", "metrics")


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come to that"
        threading.Event().wait(0.05)
    return found


def test_the_first_up_serves_a_model_and_the_next_one_changes_nothing(
    stack: Stack, emulator: Emulator
) -> None:
    preview = stack.preview()
    assert "one tuning job" in preview.said
    then = "has succeeded and passed its gate: "
    assert f"{then}creates the serving endpoint intents" in preview.said
    assert re.search(rf"{then}promotes r1-\w+, checkpoint best: nothing serves yet", preview.said)
    assert vertex(emulator, "tuningJobs") == []
    assert list(emulator.storage().list_buckets()) == [], "a preview changes nothing"

    stack.up()
    served = stack.outputs()["intents"]
    assert served["endpoint"].endswith("/endpoints/intents")
    assert served["checkpoint"]["epoch"] in (1, 2)
    assert served["metrics"]["evalLoss"] > 0
    bucket = emulator.storage().get_bucket("tuneform-test-data")
    assert bucket.default_kms_key_name.endswith("/cryptoKeys/tuning-key")
    assert bucket.iam_configuration.public_access_prevention == "enforced"

    reordered_as_jsonl(stack.specs / "data")
    edit(stack, "data/train.csv", "data/pairs.jsonl")
    assert stack.up().changed == {}
    assert stack.outputs()["intents"] == served
    assert len(vertex(emulator, "tuningJobs")) == 1


def test_the_program_that_plain_pulumi_runs_declares_the_same(
    stack: Stack, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language host runs infra/__main__.py as a file; here the file is the inline program."""
    monkeypatch.setenv("TUNEFORM_ENDPOINT", emulator.endpoint)
    declared = stack.preview()

    def program() -> None:
        runpy.run_path(str(PROGRAM), run_name="__main__")

    stack.program = program
    assert stack.preview().steps == declared.steps

    policy = stack.specs / "house.yaml"
    policy.write_text(POLICY)
    with pytest.raises(RunFailedError, match="house/epochs: 2 epochs; 1 are the most"):
        stack.preview()
    policy.write_text(POLICY.replace("deny", "warn"))
    assert "W190" in stack.preview().said
    policy.unlink()

    edit(stack, "ref: data", "ref: dta")
    with pytest.raises(RunFailedError, match="did you mean 'data'"):
        stack.preview()


def reordered_as_jsonl(data: Path) -> None:
    """The same pairs in another order, format and file."""
    rows = (data / "train.csv").read_text().splitlines()[1:]
    random.Random(1).shuffle(rows)
    pairs = [dict(zip(("text_input", "output"), row.split(","), strict=True)) for row in rows]
    (data / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    (data / "train.csv").unlink()


def test_a_label_trains_nothing_a_recipe_trains_once_and_going_back_is_free(
    stack: Stack, emulator: Emulator
) -> None:
    stack.up()
    first = stack.outputs()["intents"]

    edit(stack, "team: support", "team: help")
    labelled = stack.up()
    assert labelled.changed == {"TuningJob/intents": "update"}
    assert "no training: labels.team support → help" in labelled.said
    assert len(vertex(emulator, "tuningJobs")) == 1

    edit(stack, "epochCount: 2", "epochCount: 3")
    preview = stack.preview()
    assert preview.changed == {"TuningJob/intents": "update", "TunedModel/intents": "update"}
    assert "hyperParameters.epochCount 2 → 3" in preview.said
    stack.up()
    second = stack.outputs()["intents"]
    assert second["revision"] != first["revision"]
    assert second["endpoint"] == first["endpoint"]
    assert len(vertex(emulator, "tuningJobs")) == 2

    edit(stack, "epochCount: 3", "epochCount: 2")
    assert "no cost" in stack.preview().said
    stack.up()
    assert stack.outputs()["intents"] == first
    assert len(vertex(emulator, "tuningJobs")) == 2


def test_a_lost_state_is_adopted_and_destroy_leaves_keys_records_and_the_state_bucket(
    stack: Stack, emulator: Emulator
) -> None:
    stack.up()
    before = stack.outputs()
    shutil.rmtree(stack.home / "state")
    stack.settings = {"adopt": True}

    again = stack.up()
    imported = sorted(name for name, step in again.steps.items() if step == "import")
    assert [name.partition("/")[0] for name in imported] == ["Account", "Bucket", "CryptoKey", "KeyRing"]
    assert stack.outputs() == before
    assert len(vertex(emulator, "tuningJobs")) == 1
    assert stack.up().changed == {}, "an import option of something managed is no change"

    stack.destroy()
    assert vertex(emulator, "models") == []
    assert vertex(emulator, "endpoints") == []
    assert len(vertex(emulator, "tuningJobs")) == 1
    assert [bucket.name for bucket in emulator.storage().list_buckets()] == ["tuneform-test-tuneform-state"]
    ring = f"projects/{emulator.project}/locations/{emulator.location}/keyRings/tuneform"
    assert [key.name for key in emulator.kms().list_crypto_keys(parent=ring)] == [
        f"{ring}/cryptoKeys/tuning-key"
    ]


def test_without_adopt_what_exists_already_is_an_error(stack: Stack, emulator: Emulator) -> None:
    emulator.storage().create_bucket("tuneform-test-data", location="us-central1")
    with pytest.raises(RunFailedError, match="already"):
        stack.up()


def test_what_others_changed_is_put_right(stack: Stack, emulator: Emulator) -> None:
    stack.up()
    before = stack.outputs()
    path = f"/v1/projects/{emulator.project}/locations/{emulator.location}/endpoints/intents"
    for deployed in emulator.call("GET", path).json()["deployedModels"]:
        emulator.call("POST", f"{path}:undeployModel", json={"deployedModelId": deployed["id"]})
    assert emulator.call("DELETE", path).ok
    bucket = emulator.storage().bucket("tuneform-test-data")
    blob = next(blob for blob in bucket.list_blobs(prefix="datasets/intents/"))
    blob.delete()

    assert stack.preview().changed == {"Dataset/intents": "update", "TunedModel/intents": "update"}
    stack.refresh()
    assert stack.up().changed == {"Dataset/intents": "update", "TunedModel/intents": "update"}
    assert stack.outputs() == before
    assert bucket.blob(blob.name).exists()
    assert stack.preview().changed == {}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_cut_off_goes_on_with_the_same_job(
    slow_emulator: Emulator, tmp_path: Path, sent: signal.Signals
) -> None:
    emulator = slow_emulator
    stack = Stack(tmp_path / "stack", write_specs(tmp_path / "specs"), emulator.endpoint)
    failed: list[RunFailedError] = []

    def run() -> None:
        try:
            stack.up()
        except RunFailedError as error:
            failed.append(error)

    running = threading.Thread(target=run)
    running.start()
    eventually(lambda: [j for j in vertex(emulator, "tuningJobs") if j["state"] == "JOB_STATE_RUNNING"])
    engines = [p for p in psutil.Process().children() if p.name() == "pulumi" and "up" in p.cmdline()]
    plugins = engines[0].children()
    assert len(plugins) == 2
    engines[0].send_signal(sent)
    running.join(60)
    assert failed
    _, alive = psutil.wait_procs(plugins, timeout=20)
    assert alive == [], "no plugin outlives its engine"

    stack.unlock()
    again = stack.up()
    assert "one tuning job" not in again.said
    assert len(vertex(emulator, "tuningJobs")) == 1
    assert stack.outputs()["intents"]["endpoint"].endswith("/endpoints/intents")


def test_a_plan_that_is_blocked_fails_in_the_preview_already(stack: Stack) -> None:
    edit(stack, "  encryptionKey: {ref: tuning-key}", "  limits: {maxBillableTokens: 10}")
    with pytest.raises(RunFailedError, match=r"over limits.maxBillableTokens 10"):
        stack.preview()
    edit(stack, "maxBillableTokens: 10", "maxCost: 0.01 USD")
    with pytest.raises(RunFailedError, match=r"cannot be kept: the price of the base model is unknown"):
        stack.preview()
    price = Price("gemini-2.5-flash", "USD", Decimal("0.5"), "a contract", date(2026, 10, 1))
    stack.settings = {**stack.settings, "prices": PriceTable({price.model: price})}
    assert re.search(r"one tuning job, about .* tokens \(.* to .*\), about 0\.\d\d USD", stack.preview().said)


def test_a_gate_that_is_not_passed_keeps_what_serves(stack: Stack, emulator: Emulator) -> None:
    stack.up()
    served = stack.outputs()["intents"]
    edit(stack, "epochCount: 2", "epochCount: 3")
    edit(stack, "{evalLoss: {atMost: 100}}", "{evalLoss: {atMost: 0.0001}}")
    for _ in range(2):
        with pytest.raises(RunFailedError, match="did not pass its gate"):
            stack.up()
    endpoint = emulator.call("GET", "/v1/" + served["endpoint"]).json()
    numbered = [deployed["model"].rpartition("/")[2] for deployed in endpoint["deployedModels"]]
    assert numbered == [served["model"].rpartition("/")[2]], "Vertex names the project by its number"
    assert len(vertex(emulator, "tuningJobs")) == 2


def test_resources_are_imported_by_their_id(stack: Stack, emulator: Emulator) -> None:
    stack.up()
    before = stack.outputs()["intents"]
    shutil.rmtree(stack.home / "state")
    there = pulumi.ResourceOptions(import_="demo/intents")

    def program() -> None:
        tree = specs.load(stack.specs)
        dataset = Dataset("intents", inputs.dataset(tree, tree.find(specs.Dataset, "intents", "demo")), there)
        document = tree.find(specs.TuningJob, "intents", "demo")
        given = inputs.tuning_job(tree, document, training=dataset.training, validation=dataset.validation)
        job = TuningJob("intents", given, there)
        served = tree.find(specs.TunedModel, "intents", "demo")
        values: dict[str, Any] = {"revision": job.revision, "model": job.model, "test": dataset.test}
        model = TunedModel("intents", inputs.tuned_model(tree, served, **values), there)
        pulumi.export("intents", {name: getattr(model, name) for name in EXPORTED})

    stack.program = program
    ran = stack.up()
    assert {name: step for name, step in ran.steps.items() if name.endswith("/intents")} == {
        "Dataset/intents": "import",
        "TuningJob/intents": "import",
        "TunedModel/intents": "import",
    }
    assert stack.outputs()["intents"] == before
    assert stack.up().changed == {}
    assert len(vertex(emulator, "tuningJobs")) == 1
