"""Names and documents for jobs that were made without tuneform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reconcile.builders import JOB, PROJECT

from tuneform.entrypoints.cli.looking.importing.documents import Known, Written, refusals, written
from tuneform.entrypoints.cli.looking.importing.naming import unique, valid
from tuneform.reconcile.live import Job, JobState, Model
from tuneform.specs import load
from tuneform.specs.kinds.base import NAME
from tuneform.specs.text.write import as_yaml

KEY = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"
ACCOUNT = "runner@demo-project.iam.gserviceaccount.com"
FOREIGN = Job(
    name=JOB,
    state=JobState.SUCCEEDED,
    labels={"team": "x", "google-internal": "1"},
    base_model="gemini-2.5-flash",
    training_uri="gs://theirs/train.jsonl",
    validation_uri="gs://theirs/val.jsonl",
    epochs=3,
    adapter_size="ADAPTER_SIZE_FOUR",
    learning_rate_multiplier=0.5,
    model=f"{PROJECT.parent}/models/7@1",
    kms_key=KEY,
    service_account=ACCOUNT,
    display_name="Their Model",
    description="made by hand",
)
KNOWN = Known({"demo-data": "data"}, {}, {}, frozenset({"intents"}))


def made(job: Job = FOREIGN, known: Known = KNOWN, **more: Any) -> Written:
    return written(job, known, **{"model": None, "bucket": "data", "how": "pointer", **more})


def by_kind(one: Written) -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(one.text)}


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Our Old Müller Classifier v2!", "our-old-muller-classifi"),
        ("2024_intents", "intents"),
        ("--", "imported"),
        ("部署", "imported"),
        ("gemini-2.5-flash-1b2c", "gemini-2-5-flash-1b2c"),
    ],
)
def test_a_display_name_becomes_a_name(shown: str, name: str) -> None:
    assert valid(shown) == name


@given(st.text(), st.integers(0, 30))
def test_whatever_the_display_name_the_name_is_one_and_nobody_elses(shown: str, others: int) -> None:
    taken: set[str] = set()
    for _ in range(others):
        taken.add(unique(valid(shown), taken))

    name = unique(valid(shown), taken)

    assert NAME.fullmatch(name)
    assert name not in taken
    assert len(taken) == others


def test_a_job_becomes_the_documents_that_would_have_made_it() -> None:
    documents = by_kind(made())

    assert documents["TuningJob"]["spec"] == {
        "baseModel": "gemini-2.5-flash",
        "dataset": {"ref": "their-model"},
        "hyperParameters": {
            "epochCount": 3,
            "adapterSize": "ADAPTER_SIZE_FOUR",
            "learningRateMultiplier": 0.5,
        },
        "encryptionKey": {"ref": "their-model"},
        "serviceAccount": {"ref": "their-model"},
        "description": "made by hand",
        "tunedModelDisplayName": "Their Model",
    }
    assert documents["TuningJob"]["metadata"]["labels"] == {"team": "x"}
    assert documents["EncryptionKey"]["spec"] == {"existing": KEY}
    assert documents["ServiceAccount"]["spec"] == {"accountId": "runner"}
    assert documents["Dataset"]["spec"]["validation"] == "gs://theirs/val.jsonl"
    assert documents["TunedModel"]["spec"]["deletionPolicy"] == "Retain"


def test_what_the_service_has_not_settled_is_left_out() -> None:
    bare = replace(
        FOREIGN, epochs=0, adapter_size="", learning_rate_multiplier=0.0, kms_key="", service_account=""
    )

    spec = by_kind(made(bare))["TuningJob"]["spec"]

    assert not {"hyperParameters", "encryptionKey", "serviceAccount", "exportLastCheckpointOnly"} & set(spec)


def test_what_the_project_has_as_defaults_and_the_job_has_not_is_taken_away(tmp_path: Path) -> None:
    """Else the documents would describe another recipe, and it would be trained anew."""
    defaults: dict[str, Any] = {
        "TuningJob": {
            "hyperParameters": {"epochCount": 9, "adapterSize": "ADAPTER_SIZE_ONE"},
            "encryptionKey": {"ref": "key"},
            "exportLastCheckpointOnly": True,
        },
        "Dataset": {"preamble": "Name it.", "split": {"test": 0.1}, "format": "csv"},
        "TunedModel": {"gate": {"exactMatch": {"atLeast": 0.9}}, "keep": 5},
        "EncryptionKey": {"keyRing": "ring"},
    }
    one = replace(FOREIGN, adapter_size="", kms_key="")

    def outcome(name: str, defaults: dict[str, Any]) -> list[Any]:
        said = {"projectId": "demo-project", "location": "us-central1", "owner": "x", "defaults": defaults}
        head = {"apiVersion": "tuneform.dev/v1"}
        around = [
            {**head, "kind": "Project", "metadata": {"name": "demo"}, "spec": said},
            {**head, "kind": "DatasetBucket", "metadata": {"name": "data"}, "spec": {}},
            {**head, "kind": "EncryptionKey", "metadata": {"name": "key"}, "spec": {"keyRing": "ring"}},
        ]
        text = as_yaml(around) + made(one, known=replace(KNOWN, defaults=defaults)).text
        (tmp_path / name).write_text(text)
        return [document for document in load(tmp_path / name).documents if document.kind != "Project"]

    assert outcome("with.yaml", defaults) == outcome("without.yaml", {})


def test_the_project_is_named_where_there_are_several() -> None:
    several = by_kind(made(known=replace(KNOWN, project="demo"))).values()

    assert {document["metadata"]["project"] for document in several} == {"demo"}
    assert all("project" not in document["metadata"] for document in by_kind(made()).values())


def test_keys_and_accounts_that_are_declared_are_referred_to_by_the_next_job_as_well() -> None:
    first = made()
    known = KNOWN.and_of(first)

    second = made(known=known)

    assert second.name == "their-model-2"
    assert set(by_kind(second)) == {"Dataset", "TuningJob", "TunedModel"}
    assert by_kind(second)["TuningJob"]["spec"]["encryptionKey"] == {"ref": "their-model"}


def test_a_model_that_was_renamed_since_keeps_its_new_name() -> None:
    model = Model(FOREIGN.model, "New Name", "", {})

    spec = by_kind(made(model=model))["TuningJob"]["spec"]

    assert spec["tunedModelDisplayName"] == "New Name"
    assert "description" not in spec


def test_references_are_on_one_line_and_nothing_is_an_alias() -> None:
    text = made().text

    assert "job: {ref: their-model}" in text
    assert "&" not in text.replace("`", "")
    assert "# " + JOB in text
    assert "pointer" not in made(how="endpoint").header


def test_what_was_tuned_further_by_preference_is_written_down(tmp_path: Path) -> None:
    further = replace(
        FOREIGN,
        method="PREFERENCE_TUNING",
        beta=0.2,
        pre_tuned=f"{PROJECT.parent}/models/5@2",
        pre_tuned_checkpoint="3",
    )
    assert [*refusals(further, PROJECT)] == []
    documents = by_kind(one := made(further))
    job = documents["TuningJob"]["spec"]
    assert job["preTunedModel"] == {"name": further.pre_tuned, "checkpoint": 3}
    assert "baseModel" not in job
    assert (job["method"], job["hyperParameters"]["beta"]) == ("PREFERENCE_TUNING", 0.2)
    assert documents["Dataset"]["spec"]["format"] == "preference-jsonl"
    around = (
        "kind: Project\nmetadata: {name: demo}\nspec: {projectId: p, location: us-central1, owner: team}\n"
    )
    bucket = "kind: DatasetBucket\nmetadata: {name: data}\nspec: {}\n"
    version = "apiVersion: tuneform.dev/v1\n"
    text = f"{version}{around}---\n{version}{bucket}---\n{one.text}"
    (tmp_path / "a.yaml").write_text(text.replace("projectId: p,", f"projectId: {PROJECT.project_id},"))
    assert load(tmp_path).documents


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"labels": {"tuneform-owner": "others"}}, "belongs to 'others'"),
        ({"labels": {"tuneform-owner": "team", "tuneform-name": "a"}}, "it is ours already, as 'a'"),
        ({"training_uri": ""}, "neither supervised nor preference tuning"),
        ({"training_uri": "projects/p/locations/l/datasets/1"}, "Vertex AI dataset"),
        ({"adapter_size": "ADAPTER_SIZE_SIXTY_FOUR"}, "adapterSize ADAPTER_SIZE_SIXTY_FOUR"),
        ({"service_account": "a@elsewhere.iam.gserviceaccount.com"}, "of another project"),
        ({"state": JobState.FAILED, "model": ""}, "it is FAILED"),
        ({"state": JobState.CANCELLING, "model": ""}, "it is CANCELLING"),
    ],
)
def test_what_cannot_be_written_down_is_refused_by_name(fields: dict[str, Any], reason: str) -> None:
    (said,) = refusals(replace(FOREIGN, **fields), PROJECT)

    assert reason in said


def test_a_job_that_runs_or_has_succeeded_is_not_refused() -> None:
    assert [*refusals(FOREIGN, PROJECT)] == []
    assert [*refusals(replace(FOREIGN, state=JobState.RUNNING, model=""), PROJECT)] == []
