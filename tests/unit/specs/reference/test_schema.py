"""The JSON Schema, as a validator that is not pydantic reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tuneform.specs import KINDS
from tuneform.specs.reference.environments import EXAMPLE
from tuneform.specs.reference.examples import EXAMPLES
from tuneform.specs.reference.schema import as_text, schema
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.files import spec_files
from tuneform.specs.text.plain import Reader
from tuneform.specs.text.source import Source

from ..bad_specs import TABLE
from ..environments import JOB

ROOT = Path(__file__).parents[4]
FILE = ROOT / "specs" / "tuneform.schema.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


BEYOND = {
    "too many labels": "the project's count too",
    "split and validation": "it compares two fields",
    "shares of more than everything": "it adds two fields",
    "key of two minds": "it compares two fields",
    "unknown project in projects": "it looks at another document",
    "unknown project in in": "it compares two parts",
    "project not listed in in": "it compares two parts",
    "null with nothing to take away": "it compares layers",
    "required field taken away": "it compares layers",
    "null as a default": "nulls are what `in` is for, and the two share a schema",
    "wrong for one project": "it looks at another document",
    "adapter size for one project": "Google's documents say it",
    "default that leads nowhere": "it looks at another document",
    "same live name in two projects": "it compares what comes out",
    "document of one name for a project": "it looks at another document",
    "limits without epochs": "it looks at two fields that lie apart",
    "no base model": "nothing is written for it, which is the same as to leave it out",
}
"""What a schema cannot say."""


def documents(text: str) -> Iterator[Any]:
    """The values of each document, as the language reads them: YAML 1.2, so that `yes` is text."""
    file = SpecFile(Source(Path("a.yaml"), text))
    for value in file.read(Reader()).values:
        yield json.loads(json.dumps(value))


def test_it_is_a_schema_of_the_dialect_that_it_names(validator: Draft202012Validator) -> None:
    validator.check_schema(validator.schema)


def test_the_file_beside_the_example_is_up_to_date_and_every_example_names_it() -> None:
    assert FILE.read_text(encoding="utf-8") == as_text(), f"run: tuneform schema > {FILE.relative_to(ROOT)}"
    for path in spec_files(FILE.parent)[0]:
        for document in path.read_text(encoding="utf-8").split("---\n"):  # the server looks in each
            assert document.startswith(f"# yaml-language-server: $schema={FILE.name}\n"), path


@pytest.mark.parametrize("path", spec_files(FILE.parent)[0], ids=lambda path: path.stem)
def test_it_accepts_the_specs(validator: Draft202012Validator, path: Path) -> None:
    for document in documents(path.read_text(encoding="utf-8")):
        assert list(validator.iter_errors(document)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_accepts_the_example_of_each_kind(validator: Draft202012Validator, kind: str) -> None:
    for document in documents(EXAMPLES[kind]):
        assert list(validator.iter_errors(document)) == []


def test_it_accepts_documents_of_several_projects(validator: Draft202012Validator) -> None:
    for document in documents(EXAMPLE):
        assert list(validator.iter_errors(document)) == []
    # What a project lacks in spec it may have in `in`, and null takes away.
    (bare,) = documents(
        JOB.replace("  dataset: {ref: words}\n", "")
        + "in: {dev: {dataset: {ref: words}, limits: null, baseModel: null, preTunedModel: {ref: other}}}\n"
    )
    assert list(validator.iter_errors(bare)) == []


def test_every_field_of_every_kind_says_what_it_means() -> None:
    for name, definition in schema()["$defs"].items():
        assert definition["description"], name
        for field, said in definition["properties"].items():
            assert said.get("description"), f"{name}.{field}"


@pytest.mark.parametrize("group", ["documents", "fields", "environments"])
def test_it_rejects_what_is_wrong_with_a_document_by_itself(
    validator: Draft202012Validator, group: str
) -> None:
    """All that a schema can say; the rest compares values, and is named here."""
    accepted = set()
    for name, bad in TABLE[group].items():
        assert isinstance(bad.text, str)
        texts = [bad.base, bad.text] if group == "environments" else [bad.text]
        read = [document for text in texts for document in documents(text)]
        if not any(list(validator.iter_errors(document)) for document in read):
            accepted.add(name)
    assert accepted == BEYOND.keys() & TABLE[group].keys()
