from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from tuneform import specs
from tuneform.entrypoints import inputs
from tuneform.entrypoints.program import ProgramSettings, declare
from tuneform.entrypoints.program.adoption import Live, Wanted, _live

SPECS = """
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-test, location: us-central1, owner: ml-team, labels: {env: test, team: all}}
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key}
spec: {keyRing: ring}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: runner}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: intents}
spec:
  bucket: {ref: data}
  training: {examples: [{input: a, output: b}, {input: c, output: d}]}
  split: {validation: 0.5}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: intents, labels: {team: support}}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: intents}
  hyperParameters: {epochCount: 4}
  encryptionKey: {ref: tuning-key}
  serviceAccount: {ref: runner}
  limits: {timeout: 6h, retries: 1}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: served}
spec: {job: {ref: intents}, checkpoint: 3, gate: {evalLoss: {atMost: 2.0}}, deletionPolicy: Retain}
"""
OTHER = """
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: other}
spec: {projectId: tuneform-other, location: us-central1, owner: ml-team}
"""
KEY = "projects/tuneform-test/locations/us-central1/keyRings/ring/cryptoKeys/tuning-key"


@pytest.fixture
def tree(tmp_path: Path) -> specs.Tree:
    (tmp_path / "specs.yaml").write_text(SPECS)
    return specs.load(tmp_path)


def test_a_dataset_names_bucket_root_and_source(tree: specs.Tree) -> None:
    given = inputs.dataset(tree, tree.find(specs.Dataset, "intents", "demo"))
    assert given["bucket"] == "tuneform-test-data"
    assert given["root"] == str(tree.root.resolve())
    assert given["source"]["split"]["validation"] == 0.5
    assert given["project"] == {
        "name": "demo",
        "projectId": "tuneform-test",
        "location": "us-central1",
        "servingLocation": "us-central1",
        "owner": "ml-team",
        "stateBucket": "tuneform-test-tuneform-state",
    }


def test_which_splits_there_will_be_is_known_beforehand(tree: specs.Tree) -> None:
    document = tree.find(specs.Dataset, "intents", "demo")
    assert inputs.has_split(document, "validation")
    assert not inputs.has_split(document, "test")


def test_a_tuning_names_what_it_refers_to_and_leaves_out_what_is_not_set(tree: specs.Tree) -> None:
    document = tree.find(specs.TuningJob, "intents", "demo")
    given = inputs.tuning_job(tree, document, training={"digest": "x"}, validation=None)
    assert given["encryptionKey"] == KEY
    assert given["serviceAccount"] == "runner@tuneform-test.iam.gserviceaccount.com"
    assert given["labels"] == {"env": "test", "team": "support"}
    assert given["hyperParameters"] == {"epochCount": 4}
    assert given["limits"] == {"timeoutSeconds": 21600, "retries": 1}
    assert given["displayName"] == "intents"
    assert given["deletionPolicy"] == "Retain", "as its TunedModel says"
    assert not {"validation", "description", "exportLastCheckpointOnly"} & set(given)


def test_a_model_names_job_gate_and_checkpoint(tree: specs.Tree) -> None:
    document = tree.find(specs.TunedModel, "served", "demo")
    given = inputs.tuned_model(tree, document, revision="r1-x", model=None, test=None)
    assert given["job"] == "intents"
    assert given["checkpoint"] == 3
    assert given["gate"] == {"evalLoss": {"atMost": 2.0}}
    assert given["encryptionKey"] == KEY
    assert "model" not in given


def test_how_many_models_are_kept_is_said_once(tree: specs.Tree, tmp_path: Path) -> None:
    served = inputs.tuning_job(
        tree, tree.find(specs.TuningJob, "intents", "demo"), training={}, validation=None
    )
    assert "keep" not in served, "its TunedModel says it"
    (tmp_path / "specs.yaml").write_text(SPECS.rpartition("---")[0])
    alone = specs.load(tmp_path)
    document = alone.find(specs.TuningJob, "intents", "demo")
    given = inputs.tuning_job(alone, document, training={}, validation=None)
    assert (given["keep"], given["deletionPolicy"]) == (2, "Delete")


def test_earlier_names_and_what_happens_to_a_lost_model_reach_the_resources(tmp_path: Path) -> None:
    text = SPECS.replace("{name: intents", "{name: answers, previousNames: [intents]").replace(
        "{ref: intents}", "{ref: answers}"
    )
    text = text.replace("  baseModel", "  onModelLost: retrain\n  baseModel")
    text = text.replace("checkpoint: 3, gate: {", "serving: pointer, gate: {noWorseThan: serving, ")
    (tmp_path / "specs.yaml").write_text(text)
    tree = specs.load(tmp_path)
    dataset = inputs.dataset(tree, tree.find(specs.Dataset, "answers", "demo"))
    job = inputs.tuning_job(tree, tree.find(specs.TuningJob, "answers", "demo"), training={}, validation=None)
    served = tree.find(specs.TunedModel, "served", "demo")
    model = inputs.tuned_model(tree, served, revision="r1-x", model=None, test=None)
    assert dataset["previousNames"] == job["previousNames"] == model["jobPreviousNames"] == ["intents"]
    assert "previousNames" not in model
    assert job["onModelLost"] == "retrain"
    assert (model["serving"], model["gate"]["noWorseThan"]) == ("pointer", "serving")


def test_a_setting_that_is_none_is_refused_before_anything_is_declared(tree: specs.Tree) -> None:
    with pytest.raises(pulumi.RunError, match="set it to succeeded or accepted"):
        declare(tree, ProgramSettings(wait="never"))
    with pytest.raises(pulumi.RunError, match="there is no Project 'elsewhere': demo"):
        declare(tree, ProgramSettings(project="elsewhere"))


def test_several_projects_need_one_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "specs.yaml").write_text(f"{SPECS.partition('---')[0]}---{OTHER}")
    with pytest.raises(pulumi.RunError, match="tuneform:project"):
        declare(specs.load(tmp_path), ProgramSettings())


@pytest.mark.parametrize(
    ("labels", "same"),
    [
        ({"env": "test", "goog-pulumi-provisioned": "true"}, True),
        ({"env": "other"}, False),
        ({}, False),
    ],
)
def test_labels_that_are_as_wanted_are_left_alone_by_an_import(labels: dict[str, str], same: bool) -> None:
    found = _live(Wanted("bucket", "storage", "b/bucket", {"env": "test"}), {"labels": labels})
    assert found == (Live(("labels", "pulumiLabels", "effectiveLabels")) if same else Live())
