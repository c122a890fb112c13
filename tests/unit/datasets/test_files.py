"""What a dataset may name: files of the spec folder, and objects."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneform.datasets import DatasetSource, prepare
from tuneform.errors import DatasetErrors, Diagnostic, NotFound, Terminal

from .helpers import no_fetch, pair_jsonl

ROWS = pair_jsonl([("a", "b")])


def refusal(root: Path, training: Any, fetch: Callable[[str], bytes] = no_fetch) -> Diagnostic:
    with pytest.raises(DatasetErrors) as caught:
        prepare(DatasetSource.from_json({"training": training}), root=root, fetch=fetch)
    (wrong,) = caught.value.diagnostics
    return wrong


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A spec folder with a data set beside it, outside."""
    (tmp_path / "outside.jsonl").write_bytes(ROWS)
    inner = tmp_path / "specs"
    (inner / "data").mkdir(parents=True)
    (inner / "data" / "in.jsonl").write_bytes(ROWS)
    return inner


def test_a_file_below_the_folder_is_read(root: Path) -> None:
    source = DatasetSource.from_json({"training": "data/../data/in.jsonl"})
    assert prepare(source, root=root, fetch=no_fetch).training.examples == 1


@pytest.mark.parametrize("path", ["../outside.jsonl", "data/../../outside.jsonl", "/etc/passwd", "/dev/zero"])
def test_a_path_out_of_the_folder_is_refused(root: Path, path: str) -> None:
    wrong = refusal(root, path)
    assert wrong.code == "E202"
    assert path in wrong.message
    assert "gs://" in wrong.hint


def test_a_link_out_of_the_folder_is_refused(root: Path) -> None:
    (root / "link.jsonl").symlink_to(root.parent / "outside.jsonl")
    assert refusal(root, "link.jsonl").code == "E202"


def test_a_link_that_stays_inside_is_followed(root: Path) -> None:
    (root / "link.jsonl").symlink_to(root / "data" / "in.jsonl")
    source = DatasetSource.from_json({"training": "link.jsonl"})
    assert prepare(source, root=root, fetch=no_fetch).training.examples == 1


def test_a_spec_folder_that_is_itself_a_link_is_no_way_out(root: Path) -> None:
    (root.parent / "alias").symlink_to(root)
    source = DatasetSource.from_json({"training": "data/in.jsonl"})
    assert prepare(source, root=root.parent / "alias", fetch=no_fetch).training.examples == 1


@pytest.mark.parametrize("path", ["data/no.jsonl", "data", "a\0b", "x" * 5000, "data/in.jsonl/x"])
def test_what_is_not_a_file_is_missed_with_a_remedy(root: Path, path: str) -> None:
    wrong = refusal(root, path)
    assert wrong.code == "E201"
    assert wrong.hint


def test_a_pipe_is_not_a_file(root: Path) -> None:
    os.mkfifo(root / "pipe.jsonl")
    assert refusal(root, "pipe.jsonl").code == "E201"


def test_a_loop_of_links_is_an_error(root: Path) -> None:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    assert refusal(root, "a").code == "E201"


def test_an_object_that_is_not_there_is_named(root: Path) -> None:
    def fetch(uri: str) -> bytes:
        raise NotFound(f"no object {uri}")

    wrong = refusal(root, "gs://bucket/a.jsonl", fetch)
    assert wrong.code == "E201"
    assert "gs://bucket/a.jsonl" in wrong.message


def test_other_errors_of_fetching_are_not_hidden(root: Path) -> None:
    def fetch(uri: str) -> bytes:
        raise Terminal("forbidden")

    with pytest.raises(Terminal, match="forbidden"):
        prepare(DatasetSource.from_json({"training": "gs://bucket/a"}), root=root, fetch=fetch)


def test_a_bad_line_of_an_object_is_named_by_uri_and_line(root: Path) -> None:
    wrong = refusal(root, "gs://bucket/a.jsonl", lambda uri: ROWS + b"{\n")
    assert wrong.message.startswith("gs://bucket/a.jsonl: line 2: not JSON")


@pytest.mark.parametrize("uri", ["gs://bucket", "gs://bucket/", "gs:///a", "s3://bucket/a"])
def test_a_malformed_uri_is_refused_before_anything_is_fetched(root: Path, uri: str) -> None:
    assert refusal(root, {"uri": uri}).code == "E203"
