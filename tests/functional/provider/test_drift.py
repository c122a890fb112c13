"""What others change live: a preview and a refresh show it, with the field that differs, and an `up` puts it right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.functional.emulators import Emulator
from tests.functional.provider.conftest import Later
from tests.functional.provider.engine import (
    WITH_ENGINE,
    Ran,
    RunFailedError,
    Stack,
    edit,
    vertex,
    write_specs,
)

from tuneform.reconcile.plan.tuning import SETTLING

pytestmark = WITH_ENGINE

LABEL = "labels.team others → support"
TUNING = ("TuningJob/intents", "TunedModel/intents")


@pytest.fixture
def applied(stack: Stack) -> Stack:
    stack.up()
    return stack


def held(stack: Stack, kind: str) -> dict[str, Any]:
    """The outputs in the state of our resource of a kind."""
    state = stack.stack().export_stack().deployment
    assert state is not None
    found = [one for one in state["resources"] if one["type"] == f"tuneform:index:{kind}"]
    assert len(found) == 1
    outputs: dict[str, Any] = found[0]["outputs"]
    return outputs


def repaired(stack: Stack, before: dict[str, Any], emulator: Emulator, *changed: str) -> Ran:
    """An `up` that changes these and pays nothing, after which nothing is left to do."""
    ran = stack.up()
    assert ran.changed == dict.fromkeys(changed, "update")
    assert stack.outputs() == before
    assert len(vertex(emulator, "tuningJobs")) == 1
    assert stack.preview().changed == {}
    assert all("drift" not in held(stack, kind) for kind in ("Dataset", "TuningJob", "TunedModel"))
    return ran


def refreshed(stack: Stack, *expected: str) -> Ran:
    """A refresh that finds these to differ, shows it, and writes nothing live."""
    ran = stack.refresh()
    assert sorted(name for name, fields in ran.fields.items() if fields) == sorted(expected)
    return ran


def test_a_changed_label_is_shown_by_name_and_put_back(applied: Stack, emulator: Emulator) -> None:
    before = applied.outputs()
    (model,) = vertex(emulator, "models")
    path = f"/v1/{model['name']}?updateMask=labels"
    body = {"name": model["name"], "labels": {**model["labels"], "team": "others"}}
    assert emulator.call("PATCH", path, json=body).ok

    preview = applied.preview()
    assert preview.changed == {"TuningJob/intents": "update"}
    assert preview.fields["TuningJob/intents"] == ["labels.team"]
    ran = refreshed(applied, "TuningJob/intents")
    assert ran.fields["TuningJob/intents"] == ["labels.team"]
    assert f"drift: updates the model, no training: {LABEL}" in ran.said
    assert held(applied, "TuningJob")["drift"] == [f"updates the model, no training: {LABEL}"]
    assert vertex(emulator, "models")[0]["labels"]["team"] == "others", "a refresh changes nothing live"

    repaired(applied, before, emulator, "TuningJob/intents")
    assert vertex(emulator, "models")[0]["labels"]["team"] == "support"


def test_moved_traffic_is_shown_and_moved_back(applied: Stack, emulator: Emulator) -> None:
    before = applied.outputs()
    served = before["intents"]
    (model,) = vertex(emulator, "models")
    other = next(
        c["checkpointId"] for c in model["checkpoints"] if c["checkpointId"] != served["checkpoint"]["id"]
    )
    path = f"/v1/{served['endpoint']}"
    deployed = {"model": served["model"], "checkpointId": other}
    answer = emulator.call(
        "POST", f"{path}:deployModel", json={"deployedModel": deployed, "trafficSplit": {"0": 100}}
    )
    assert answer.ok, answer.text

    assert applied.preview().fields["TunedModel/intents"] == ["checkpoint"]
    ran = refreshed(applied, "TunedModel/intents")
    assert "drift: promotes" in ran.said
    seen = held(applied, "TunedModel")
    assert (seen["state"], seen["checkpoint"]["id"]) == ("DRIFTED", other)
    assert len(emulator.call("GET", path).json()["deployedModels"]) == 2, "a refresh changes nothing live"

    repaired(applied, before, emulator, "TunedModel/intents")
    assert held(applied, "TunedModel")["state"] == "SERVING"
    assert len(emulator.call("GET", path).json()["deployedModels"]) == 1


def test_a_replaced_dataset_object_is_shown_by_its_split_and_put_back(
    applied: Stack, emulator: Emulator
) -> None:
    before = applied.outputs()
    test = held(applied, "Dataset")["test"]
    bucket = emulator.storage().bucket("tuneform-test-data")
    name = test["uri"].partition("tuneform-test-data/")[2]
    content = bucket.blob(name).download_as_bytes()
    bucket.blob(name).upload_from_string(b"poison\n")

    assert applied.preview().fields["Dataset/intents"] == ["test"]
    ran = refreshed(applied, "Dataset/intents")
    assert f"{test['uri']}: someone replaced the object" in ran.said
    assert bucket.blob(name).download_as_bytes() == b"poison\n", "a refresh changes nothing live"

    repaired(applied, before, emulator, "Dataset/intents")
    assert bucket.blob(name).download_as_bytes() == content


def test_a_model_that_somebody_deleted_is_trained_again_only_when_that_is_asked_for(
    lasting_emulator: Emulator, later: Later, tmp_path: Path
) -> None:
    emulator = lasting_emulator
    applied = Stack(tmp_path / "stack", write_specs(tmp_path / "specs"), emulator.endpoint)
    applied.up()
    served = applied.outputs()["intents"]
    path = f"/v1/{served['endpoint']}"
    for deployed in emulator.call("GET", path).json()["deployedModels"]:
        assert emulator.call("POST", f"{path}:undeployModel", json={"deployedModelId": deployed["id"]}).ok
    (model,) = vertex(emulator, "models")
    for deployed in model.get("deployedModels", []):
        there = f"/v1/{deployed['endpoint']}:undeployModel"
        emulator.call("POST", there, json={"deployedModelId": deployed["deployedModelId"]})
    assert emulator.call("DELETE", f"/v1/{model['name']}").ok
    later.ahead = 2 * SETTLING  # until then the model may only be late

    with pytest.raises(RunFailedError, match=r"was deleted by someone else(?s:.*)onModelLost: retrain"):
        applied.up()
    assert len(vertex(emulator, "tuningJobs")) == 1

    edit(applied, "  baseModel:", "  onModelLost: retrain\n  baseModel:")
    assert "onModelLost is retrain" in applied.preview().said
    applied.up()
    again = applied.outputs()["intents"]
    assert (again["revision"], again["endpoint"]) == (served["revision"], served["endpoint"])
    assert again["model"] != served["model"]
    assert len(vertex(emulator, "tuningJobs")) == 2
    assert applied.preview().changed == {}


def test_what_is_retained_outlives_its_documents_and_can_be_taken_up_again(
    stack: Stack, emulator: Emulator
) -> None:
    edit(stack, "  checkpoint: best\n", "  checkpoint: best\n  deletionPolicy: Retain\n")
    stack.up()
    before = stack.outputs()
    file = stack.specs / "tuning.yaml"
    whole = file.read_text()
    file.write_text(whole.partition("---\napiVersion: tuneform.dev/v1\nkind: TuningJob")[0])

    removed = stack.up().changed
    assert [removed[name] for name in TUNING] == ["delete", "delete"]
    assert [model["displayName"] for model in vertex(emulator, "models")] == ["intents"]
    assert emulator.call("GET", f"/v1/{before['intents']['endpoint']}").json()["deployedModels"]

    file.write_text(whole)
    stack.up()
    assert stack.outputs() == before
    assert len(vertex(emulator, "tuningJobs")) == 1
