"""Which limits a dataset has: those of the models that are tuned with it."""

from __future__ import annotations

import json
from pathlib import Path

from tuneform import capabilities
from tuneform.datasets import DatasetSource
from tuneform.datasets.limits import Limit, Limits, documented, of_dataset
from tuneform.specs import Dataset, load

SPECS = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-demo, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: words}
spec: {bucket: {ref: data}, training: "gs://bucket/words.jsonl"}
"""
OWN = """\
[sources.case]
title = "Support case"
date = 2026-11-02
[models."gemini-2.5-flash"]
supervised.text_examples = { value = 500, source = "case" }
supervised.training_file = { value = "3MB", source = "case" }
supervised.validation_examples = "unknown"
"""


def limits(tmp_path: Path, *models: str, own: str = "") -> Limits:
    jobs = [
        f"---\napiVersion: tuneform.dev/v1\nkind: TuningJob\nmetadata: {{name: job-{number}}}\n"
        f"spec: {{baseModel: {model}, dataset: {{ref: words}}}}\n"
        for number, model in enumerate(models)
    ]
    (tmp_path / "a.yaml").write_text(SPECS + "".join(jobs))
    (tmp_path / "own.toml").write_text(own)
    tree = load(tmp_path, capabilities.read([tmp_path / "own.toml"]))
    return of_dataset(tree, tree.find(Dataset, "words", "demo"))


def test_what_is_documented_holds_for_every_documented_model(tmp_path: Path) -> None:
    for model in capabilities.built_in().models.values():
        if model.supervised.offered.value:
            assert limits(tmp_path, model.name) == documented()
    assert limits(tmp_path) == documented()
    file = documented().training_file
    assert file is not None
    assert file.value == 2**30
    assert "2026-09-25" in file.source


def test_of_several_models_the_strictest_counts(tmp_path: Path) -> None:
    found = limits(tmp_path, "gemini-2.5-pro", "gemini-2.5-flash", own=OWN)
    assert found.text_examples is not None
    assert found.text_examples.value == 500
    assert "'Support case', 2026-11-02" in found.text_examples.source
    assert found.validation_examples == documented().validation_examples


def test_what_is_unknown_of_the_model_is_no_limit(tmp_path: Path) -> None:
    assert limits(tmp_path, "gemini-9-flash") == Limits()
    assert limits(tmp_path, "gemini-2.5-flash", own=OWN).validation_examples is None


def test_they_reach_the_provider_where_they_are_others_than_it_knows(tmp_path: Path) -> None:
    plain = {"training": {"file": "a"}, "format": "auto"}
    assert DatasetSource.from_json(plain).to_json() == plain
    for found in (Limits(), limits(tmp_path, "gemini-2.5-flash", own=OWN), Limits(Limit(3, "a page"))):
        sent = json.loads(json.dumps(DatasetSource.from_json({**plain, "limits": found.to_json()}).to_json()))
        assert DatasetSource.from_json(sent).limits == found
