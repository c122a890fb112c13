"""The JSON form of what a dataset asks for."""

from __future__ import annotations

from typing import Any

import pytest

from tuneform.datasets import DatasetSource, Fractions, Part
from tuneform.errors import DatasetErrors
from tuneform.specs.kinds.dataset import Dataset

FULL = {
    "training": {"file": "a.csv"},
    "validation": {"uri": "gs://bucket/b.jsonl"},
    "test": {"examples": [{"input": "a", "output": "b"}]},
    "format": "csv",
    "columns": {"input": "q", "output": "a"},
    "preamble": "Be brief.",
}


@pytest.mark.parametrize(
    "plain",
    [
        FULL,
        {"training": {"file": "a"}, "format": "auto"},
        {"training": {"file": "a"}, "format": "auto", "split": {"validation": 0.1, "test": 0.2, "seed": 3}},
    ],
)
def test_json_comes_back_as_it_was(plain: dict[str, Any]) -> None:
    assert DatasetSource.from_json(plain).to_json() == plain


def test_a_plain_text_is_a_file_or_a_uri() -> None:
    source = DatasetSource.from_json({"training": "a.csv", "test": "gs://bucket/a"})
    assert (source.training, source.test) == (Part(file="a.csv"), Part(uri="gs://bucket/a"))


def test_numbers_may_arrive_as_floats() -> None:
    source = DatasetSource.from_json(
        {"training": "a", "split": {"test": 0.0, "validation": 0.5, "seed": 3.0}}
    )
    assert source.split == Fractions(validation=0.5, test=0.0, seed=3)
    assert isinstance(source.split.seed, int)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"training": None}, "training"),
        ({"training": {}}, "training"),
        ({"training": {"file": "a", "uri": "gs://b/c"}}, "exactly one"),
        ({"training": ""}, "exactly one"),
        ({"training": {"examples": [{"input": "a"}]}}, "example 1"),
        ({"training": {"examples": [{"input": 1, "output": "b"}]}}, "texts"),
        ({"format": "parquet"}, "'parquet'"),
        ({"columns": {"input": "a"}}, "columns"),
        ({"columns": {"input": "a", "output": "a"}}, "different"),
        ({"split": {"validation": 0.1}}, "validation is given twice"),
        ({"split": {"test": 1}}, "below 1"),
        ({"split": {"test": -0.1}}, "below 1"),
        ({"split": {"test": float("nan")}}, "below 1"),
        ({"split": {"seed": 1.5}}, "seed"),
        ({"split": {"seed": float("inf")}}, "seed"),
        ({"split": {"train": 0.5}}, "split"),
        ({"preamble": 3}, "preamble"),
        ({"preambel": "x"}, "'preambel'"),
        ({"limits": {"textExamples": 3}}, "limits"),
        ({"limits": []}, "limits"),
    ],
)
def test_a_malformed_source_says_what_is_wrong(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DatasetErrors) as caught:
        DatasetSource.from_json({**FULL, **change})
    (wrong,) = caught.value.diagnostics
    assert wrong.code == "E203"
    assert words in wrong.message


def spec(**fields: Any) -> DatasetSource:
    return DatasetSource.from_spec(Dataset.model_validate({"bucket": {"ref": "data"}, **fields}))


def test_a_spec_gives_what_its_json_gives() -> None:
    inline = {"examples": ({"input": "a", "output": "b"},)}
    assert spec(**{**FULL, "test": inline}, task="classification") == DatasetSource.from_json(FULL)
    divided = {"training": "a.csv", "split": {"validation": 0.1, "test": 0.1, "seed": 4}}
    assert spec(**divided) == DatasetSource.from_json(divided)


def test_columns_that_a_spec_does_not_name_are_left_to_the_header() -> None:
    assert spec(training="a.csv").columns is None
    assert spec(training="a.csv", columns={"input": "text"}).columns == ("text", "output")


@pytest.mark.parametrize(("test", "remote"), [(None, False), ("b.csv", False), ("gs://bucket/b.csv", True)])
def test_a_source_with_any_part_in_cloud_storage_is_remote(test: str | None, remote: bool) -> None:
    assert DatasetSource.from_json({"training": "a.csv", "test": test}).is_remote is remote


def test_a_preamble_is_the_same_with_and_without_the_line_feed_of_a_yaml_block() -> None:
    """What is asked has it before the question, and so has what was trained."""
    assert DatasetSource.from_json({"training": "a", "preamble": "Be brief.\n"}).preamble == "Be brief."
