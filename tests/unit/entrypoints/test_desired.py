"""Spec documents as the core's data: every reference followed, every dataset read once, its bytes on demand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tuneform.datasets import Prepared
from tuneform.entrypoints.desired import ReadDataset, desired_of, reader
from tuneform.errors import DatasetErrors, ReconcileError
from tuneform.reconcile.desired import Content, Desired, Gate, HyperParameters, Limits
from tuneform.reconcile.recipe import revision
from tuneform.specs import Dataset, Document, Project, Tree, load

SPECS = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: demo-project, location: us-central1, owner: ml-team, labels: {env: demo, team: all}}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key}
spec: {keyRing: ring}
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: runner}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: words}
spec:
  bucket: {ref: data}
  training: {file: words.jsonl}
  validation: {examples: [{input: v, output: w}]}
  test: {examples: [{input: t, output: u}]}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: unused}
spec: {bucket: {ref: data}, training: {examples: [{input: x, output: y}]}}
"""
JOBS = """\
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: words, labels: {team: own}, previousNames: [verbs, nouns]}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: words}
  hyperParameters: {epochCount: 4, adapterSize: ADAPTER_SIZE_EIGHT, learningRateMultiplier: 1.0}
  encryptionKey: {ref: tuning-key}
  serviceAccount: {ref: runner}
  limits: {maxBillableTokens: 5000, timeout: 6h, retries: 1}
  whenSuperseded: finish
  onModelLost: retrain
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: bare}
spec: {baseModel: gemini-2.5-flash, dataset: {ref: words}}
"""
MODELS = """\
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: words-served, previousNames: [served]}
spec:
  job: {ref: words}
  checkpoint: best
  gate: {exactMatch: {atLeast: 0.5, examples: 3}, evalLoss: {atMost: 2}, noWorseThan: serving}
  keep: 1
  serving: pointer
  deletionPolicy: Retain
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "base.yaml").write_text(SPECS)
    (tmp_path / "jobs.yaml").write_text(JOBS)
    (tmp_path / "models.yaml").write_text(MODELS)
    (tmp_path / "words.jsonl").write_text(
        '{"text_input": "a", "output": "b"}\n{"text_input": "c", "output": "d"}\n'
    )
    return load(tmp_path)


def read(tree: Tree, **options: Any) -> tuple[Desired, Callable[[Content], bytes]]:
    return desired_of(
        tree, tree.of(Project)[0], **{"read_datasets": reader(tree, _nothing_remote), **options}
    )


def _nothing_remote(uri: str) -> bytes:
    raise AssertionError(f"nothing here lies in Cloud Storage, and {uri} was asked for")


def counting(tree: Tree) -> tuple[ReadDataset, list[str]]:
    names: list[str] = []
    plain = reader(tree, _nothing_remote)

    def noted(document: Document[Dataset]) -> Prepared:
        names.append(document.name)
        return plain(document)

    return noted, names


def test_every_field_of_a_tuning_job_arrives(tree: Tree) -> None:
    desired, _ = read(tree)
    bare, words = desired.tunings

    assert (bare.name, words.name) == ("bare", "words")
    assert words.training.uri.startswith("gs://demo-project-data/datasets/words/")
    assert (words.training.examples, words.validation and words.validation.examples) == (2, 1)
    assert words.hyper_parameters == HyperParameters(4, "ADAPTER_SIZE_EIGHT", 1.0)
    assert words.kms_key == "projects/demo-project/locations/us-central1/keyRings/ring/cryptoKeys/tuning-key"
    assert words.service_account == "runner@demo-project.iam.gserviceaccount.com"
    assert words.labels == {"env": "demo", "team": "own"}
    assert words.limits == Limits(5000, timedelta(hours=6), 1)
    assert (words.when_superseded, words.on_model_lost) == ("finish", "retrain")
    assert words.previous_names == ("verbs", "nouns")
    assert (words.retain, words.keep) == (True, None)


def test_what_is_left_out_stays_unset(tree: Tree) -> None:
    bare = read(tree)[0].tunings[0]

    assert bare.hyper_parameters == HyperParameters()
    assert (bare.kms_key, bare.service_account, bare.export_last_checkpoint_only) == (None, None, None)
    assert (bare.on_model_lost, bare.retain, bare.keep) == ("report", False, 2)
    assert bare.display_name == "bare"


def test_every_field_of_a_tuned_model_arrives(tree: Tree) -> None:
    desired, _ = read(tree)
    (served,) = desired.servings

    assert (served.name, served.tuning, served.checkpoint, served.keep) == (
        "words-served",
        "words",
        "best",
        1,
    )
    assert served.revision == revision(desired.tunings[1])
    assert served.gate == Gate(0.5, 3, 2.0, None, no_worse_than_serving=True)
    assert served.test is not None
    assert served.test.examples == 1
    assert (served.pointer, served.retain) == (True, True)
    assert (served.previous_names, served.tuning_names) == (("served",), ("verbs", "nouns"))
    assert served.kms_key == desired.tunings[1].kms_key
    assert served.labels == {"env": "demo", "team": "all"}


def test_a_whole_folder_asks_for_all_datasets_and_for_what_they_need(tree: Tree) -> None:
    desired, _ = read(tree)

    assert desired.whole
    folders = [content.uri.split("/")[-2] for content in desired.contents]
    assert sorted(folders) == ["unused", "words", "words", "words"]
    assert desired.needs is not None
    assert desired.needs.accounts == ("runner@demo-project.iam.gserviceaccount.com",)


def test_a_part_asks_for_its_documents_and_their_datasets_and_removes_nothing(tree: Tree) -> None:
    noted, names = counting(tree)

    desired, _ = read(tree, read_datasets=noted, part=lambda document: document.kind == "TunedModel")

    assert not desired.whole
    assert desired.tunings == ()
    assert [served.name for served in desired.servings] == ["words-served"]
    assert names == ["words"]
    assert desired.servings[0].revision == revision(read(tree)[0].tunings[1])


def test_the_supply_gives_the_bytes_of_every_split_and_reads_each_dataset_once_more(tree: Tree) -> None:
    noted, names = counting(tree)
    desired, supply = read(tree, read_datasets=noted)
    names.clear()

    given = {content.uri: supply(content) for content in desired.contents}

    assert sorted(names) == ["unused", "words"]
    lines = {uri: data.count(b"\n") for uri, data in given.items()}
    assert all(lines[content.uri] == content.examples for content in desired.contents)


def test_a_dataset_that_changed_since_it_was_planned_is_not_uploaded_as_what_it_was(
    tree: Tree, tmp_path: Path
) -> None:
    desired, supply = read(tree)
    (tmp_path / "words.jsonl").write_text('{"text_input": "a", "output": "z"}\n')

    with pytest.raises(ReconcileError, match="'words' has changed since it was planned"):
        supply(desired.tunings[1].training)


def test_what_is_no_dataset_of_theirs_is_not_supplied(tree: Tree) -> None:
    _, supply = read(tree)

    with pytest.raises(ReconcileError, match="is not in the bucket"):
        supply(Content("gs://demo-project-data/datasets/other/x.jsonl", "sha256:x", 1, 1))


def test_the_faults_of_all_datasets_are_told_at_once(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        SPECS.rsplit("---\n", 1)[-1]
        .replace("unused", "broken")
        .replace("{examples: [{input: x, output: y}]}", "b.csv")
    )
    (tmp_path / "b.csv").write_text("text_input,output\n")
    (tmp_path / "words.jsonl").write_text("{}\n")

    with pytest.raises(DatasetErrors) as caught:
        read(load(tmp_path))

    assert {str(d.position).split(":")[0].rpartition("/")[2] for d in caught.value.diagnostics} == {
        "b.csv",
        "words.jsonl",
    }
