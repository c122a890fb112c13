from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.entrypoints.provider.world import PROJECT_JSON, Live, LiveSession
from tests.unit.reconcile.builders import job, record

from tuneform.entrypoints.provider.resources.base import Call
from tuneform.entrypoints.provider.resources.dataset import DatasetResource
from tuneform.entrypoints.provider.wire import UNKNOWN
from tuneform.reconcile.desired import Project
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import JobState, Stored
from tuneform.reconcile.ports import Ports

ROWS = [f"question {n},answer {n % 3}" for n in range(20)]


class Bucket:
    """`ports.Objects` in memory. What was put has its digest noted; whatever else lies there is not intact."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.noted: dict[str, tuple[str, bytes]] = {}

    def read(self, uri: str) -> bytes:
        return self.objects[uri]

    def chunks(self, uri: str) -> Iterator[bytes]:
        yield self.objects[uri]

    def exists(self, uri: str) -> bool:
        return uri in self.objects

    def put(self, uri: str, data: bytes, digest: str, _note: str) -> bool:
        self.objects[uri], self.noted[uri] = data, (digest, data)
        return True

    def stored(self, prefix: str) -> tuple[Stored, ...]:
        return tuple(self._stored(uri) for uri in self.under(prefix))

    def _stored(self, uri: str) -> Stored:
        digest, data = self.noted.get(uri, ("", b""))
        return Stored(uri, len(self.objects[uri]), digest, self.objects[uri] == data)

    def copy(self, source: str, target: str) -> None:
        self.objects[target] = self.objects[source]

    def delete(self, uri: str) -> None:
        self.objects.pop(uri, None)

    def under(self, prefix: str) -> tuple[str, ...]:
        return tuple(uri for uri in self.objects if uri.startswith(prefix))


class BucketSession(LiveSession):
    def __init__(self, bucket: Bucket, live: Live | None = None) -> None:
        super().__init__(live or Live())
        self.bucket = bucket

    def ports(self, project: Project) -> Ports:
        return replace(super().ports(project), objects=self.bucket)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.csv").write_text("\n".join(["text_input,output", *ROWS, ""]))
    return tmp_path


def inputs(folder: Path, training: str = "train.csv", **more: Any) -> dict[str, Any]:
    source = {"training": {"file": training}, "format": "auto", **more}
    return {
        "project": PROJECT_JSON,
        "name": "intents",
        "bucket": "demo-data",
        "root": str(folder),
        "source": source,
    }


def asked(bucket: Bucket, given: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> Call:
    return Call(BucketSession(bucket), given, given, outputs or {})


def test_a_preview_knows_all_outputs_and_uploads_nothing(bucket: Bucket, folder: Path) -> None:
    outputs = DatasetResource().foresee(asked(bucket, inputs(folder, split={"test": 0.2})))
    assert outputs["training"]["examples"] == 16
    assert outputs["test"]["examples"] == 4
    assert outputs["training"]["uri"].startswith("gs://demo-data/datasets/intents/")
    assert bucket.objects == {}


def test_apply_puts_what_the_preview_said(bucket: Bucket, folder: Path) -> None:
    resource = DatasetResource()
    call = asked(bucket, inputs(folder))
    assert resource.apply(call) == resource.foresee(call)
    assert len(bucket.objects) == 1


def test_order_format_file_name_and_folder_are_no_difference(
    bucket: Bucket, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder)))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    pairs = [dict(zip(("text_input", "output"), row.split(","), strict=True)) for row in reversed(ROWS)]
    (elsewhere / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    assert resource.differences(asked(bucket, inputs(elsewhere, "pairs.jsonl"), outputs)) == {}


def test_a_row_is_a_difference_even_in_a_file_that_was_read_before(bucket: Bucket, folder: Path) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder)))
    with (folder / "train.csv").open("a") as file:
        file.write("one more,answer 1\n")
    assert resource.differences(asked(bucket, inputs(folder), outputs)) == {"training": True}


def test_an_object_that_somebody_deleted_is_a_difference_and_is_put_back(
    bucket: Bucket, folder: Path
) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder, split={"test": 0.2})))
    bucket.delete(outputs["test"]["uri"])
    session = BucketSession(bucket)
    given = inputs(folder, split={"test": 0.2})
    call = Call(session, given, given, outputs)
    assert resource.differences(call) == {"test": False}
    seen = resource.look(call)
    assert seen == {
        "training": outputs["training"],
        "warnings": [],
        "drift": [f"uploads 4 examples to {outputs['test']['uri']}: it is not in the bucket"],
    }
    resource.foresee(call)
    assert session.said[-1] == seen["drift"][0], "the preview says what is repaired"
    assert resource.apply(call) == outputs
    assert resource.differences(call) == {}
    assert resource.look(call) == outputs


def test_an_object_that_somebody_replaced_is_a_difference_of_its_split_and_is_put_back(
    bucket: Bucket, folder: Path
) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder, split={"test": 0.2})))
    uri = outputs["training"]["uri"]
    before, bucket.objects[uri] = bucket.objects[uri], b"poison\n"
    call = asked(bucket, inputs(folder, split={"test": 0.2}), outputs)
    assert resource.differences(call) == {"training": False}
    seen = resource.look(call)
    assert seen is not None
    assert "training" not in seen
    assert seen["drift"] == [f"uploads 16 examples to {uri}: someone replaced the object"]
    resource.apply(call)
    assert bucket.objects[uri] == before
    assert resource.differences(call) == {}


def test_drift_that_is_held_and_gone_is_a_difference(bucket: Bucket, folder: Path) -> None:
    """Somebody put it right by hand after a refresh: the state is to forget it."""
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder)))
    call = asked(bucket, inputs(folder), {**outputs, "drift": ["uploads …"]})
    assert resource.differences(call) == {"drift": False}
    assert resource.apply(call) == outputs


def renamed(folder: Path) -> dict[str, Any]:
    return {**inputs(folder), "name": "answers", "previousNames": ["intents"]}


def test_a_rename_is_an_update_that_moves_the_content(bucket: Bucket, folder: Path) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder)))
    call = Call(BucketSession(bucket), renamed(folder), inputs(folder), outputs)
    assert resource.replaced(call) == ()
    assert resource.differences(call) == {"training": True}
    moved = resource.apply(call)
    assert moved["training"]["digest"] == outputs["training"]["digest"]
    assert list(bucket.objects) == [moved["training"]["uri"]]
    assert moved["training"]["uri"].startswith("gs://demo-data/datasets/answers/")
    assert resource.differences(asked(bucket, renamed(folder), moved)) == {}

    bare = {**inputs(folder), "name": "answers"}
    assert resource.replaced(Call(BucketSession(bucket), bare, inputs(folder), outputs)) == ("name",)


def test_content_that_a_running_job_reads_stays_under_the_earlier_name_until_it_has_ended(
    bucket: Bucket, folder: Path
) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder)))
    uri = outputs["training"]["uri"]
    reads = BucketSession(bucket, Live((job(JobState.RUNNING, training_uri="", validation_uri=uri),)))
    moved = resource.apply(Call(reads, renamed(folder), inputs(folder), outputs))
    assert set(bucket.objects) == {uri, moved["training"]["uri"]}
    assert resource.differences(Call(reads, renamed(folder), renamed(folder), moved)) == {}
    ended = asked(bucket, renamed(folder), moved)
    assert resource.differences(ended) == {"name": False}
    resource.apply(ended)
    assert list(bucket.objects) == [moved["training"]["uri"]]


def test_a_delete_leaves_what_a_kept_revision_was_trained_on(bucket: Bucket, folder: Path) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder, split={"test": 0.2})))
    training = outputs["training"]["uri"]
    kept = replace(record(AttemptState.SUCCEEDED), training=training)
    resource.remove(Call(BucketSession(bucket, Live(records=(kept,))), inputs(folder)))
    assert list(bucket.objects) == [training]
    retained = Live(records=(replace(kept, retain=True),))
    resource.remove(Call(BucketSession(bucket, retained), inputs(folder)))
    assert bucket.objects == {}


def test_an_update_keeps_earlier_content_and_a_delete_takes_all_of_it(bucket: Bucket, folder: Path) -> None:
    resource = DatasetResource()
    resource.apply(asked(bucket, inputs(folder)))
    (folder / "train.csv").write_text("text_input,output\na,b\n")
    resource.apply(asked(bucket, inputs(folder)))
    bucket.objects["gs://demo-data/datasets/other/x.jsonl"] = b""
    assert len(bucket.objects) == 3
    resource.remove(asked(bucket, inputs(folder)))
    assert list(bucket.objects) == ["gs://demo-data/datasets/other/x.jsonl"]


def test_a_dataset_none_of_whose_objects_is_there_is_gone(bucket: Bucket, folder: Path) -> None:
    resource = DatasetResource()
    outputs = resource.apply(asked(bucket, inputs(folder)))
    bucket.objects.clear()
    assert resource.look(asked(bucket, inputs(folder), outputs)) is None


def test_errors_in_the_data_are_failures_with_file_and_line(bucket: Bucket, folder: Path) -> None:
    (folder / "train.csv").write_text("text_input,output\na,b\nc\n")
    (failure,) = DatasetResource().flaws(asked(bucket, inputs(folder)))
    assert failure.path == "source"
    assert "train.csv:3:1: error[E" in failure.reason


def test_a_missing_file_is_a_failure(bucket: Bucket, folder: Path) -> None:
    (failure,) = DatasetResource().flaws(asked(bucket, inputs(folder, "gone.csv")))
    assert "gone.csv" in failure.reason


def test_data_that_is_not_known_yet_is_foreseen_as_unknown(bucket: Bucket, folder: Path) -> None:
    call = asked(bucket, {**inputs(folder), "bucket": UNKNOWN})
    assert list(DatasetResource().flaws(call)) == []
    assert set(DatasetResource().foresee(call).values()) == {UNKNOWN}
