"""Dataset content in Cloud Storage: every split under its digest, so that the same content is stored once."""

from __future__ import annotations

from collections.abc import Mapping

from tuneform.datasets import Prepared, Split
from tuneform.reconcile.desired import Content
from tuneform.reconcile.ports import Objects


def folder(bucket: str, name: str) -> str:
    """The URI prefix that holds all content of one Dataset document."""
    return f"gs://{bucket}/datasets/{name}/"


def placed(prepared: Prepared, bucket: str, name: str) -> Mapping[str, Content]:
    """Where each split lies, or will lie: `training`, `validation` and `test`, as far as there are any."""
    return {split.name: _content(split, bucket, name) for split in _splits(prepared)}


def upload(objects: Objects, prepared: Prepared, bucket: str, name: str) -> Mapping[str, Content]:
    """Store each split that is not there yet."""
    for split in _splits(prepared):
        objects.put(_content(split, bucket, name).uri, split.jsonl())
    return placed(prepared, bucket, name)


def remove(objects: Objects, bucket: str, name: str) -> None:
    """Delete all content of one Dataset document, old generations included."""
    for uri in objects.under(folder(bucket, name)):
        objects.delete(uri)


def _splits(prepared: Prepared) -> list[Split]:
    return [split for split in (prepared.training, prepared.validation, prepared.test) if split is not None]


def _content(split: Split, bucket: str, name: str) -> Content:
    uri = f"{folder(bucket, name)}{split.digest.removeprefix('sha256:')}.jsonl"
    return Content(uri, split.digest, split.examples, split.tokens)
