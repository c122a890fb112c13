"""What `tuneform explain` says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from tuneform.capabilities import built_in, columns, on
from tuneform.errors import SettingsError
from tuneform.specs import KINDS
from tuneform.specs.kinds import Metadata, SpecModel
from tuneform.specs.reference.codes import CODES
from tuneform.specs.reference.explain import explain
from tuneform.specs.shape import fields


def paths(model: type[SpecModel], under: str) -> Iterator[str]:
    for field in fields(model).values():
        yield f"{under}.{field.name}"
        if field.model:
            yield from paths(field.model, f"{under}.{field.name}")


PARTS: dict[str, type[SpecModel]] = {"metadata": Metadata, **KINDS}
ALL = [path for name, model in PARTS.items() for path in paths(model, name)]


@pytest.mark.parametrize("path", ALL)
def test_every_field_at_any_depth_is_explained(path: str) -> None:
    first, *rest = explain(path, CODES).splitlines()
    assert first.lower().startswith(path.lower() + ": ")
    assert any(rest[1:]), "what it means"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_shows_its_fields_those_not_supported_and_an_example(kind: str) -> None:
    text = explain(kind.lower(), CODES)
    assert text.startswith(f"{kind}: ")
    for name in (*fields(KINDS[kind]), *KINDS[kind].not_yet):
        assert f"\n  {name} " in text
    assert "\nExample:\n" in text
    assert f"kind: {kind}\n" in text


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_explained_in_any_case(code: str) -> None:
    assert explain(code.lower(), CODES).startswith(f"{code}: {CODES[code].title}\n")


def test_spec_and_metadata_may_stand_in_a_path() -> None:
    assert explain("TuningJob.spec.limits", CODES) == explain("TuningJob.limits", CODES)
    assert explain("TuningJob.metadata.labels", CODES) == explain("metadata.labels", CODES)


@pytest.mark.parametrize(
    ("what", "said", "remedy"),
    [
        ("TuningJb", "nothing is called 'TuningJb'", "did you mean 'TuningJob'?"),
        ("E999", "nothing is called 'E999'", "or name a code"),
        ("TuningJob.limts", "TuningJob has no field 'limts'", "did you mean 'limits'?"),
        ("TuningJob.limits.tmeout", "TuningJob.limits has no field 'tmeout'", "did you mean 'timeout'?"),
        ("TuningJob.baseModel.x", "TuningJob.baseModel has no fields", "leave out what follows it"),
        ("TuningJob.outputUri", "TuningJob.outputUri is not supported yet", "open models"),
        ("", "nothing is called ''", "the kinds are"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest_name(what: str, said: str, remedy: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        explain(what, CODES)
    assert wrong.value.message == said
    assert remedy in wrong.value.remedy


@pytest.mark.parametrize("model", built_in().models)
def test_a_model_is_shown_with_every_cell_and_its_sources(model: str) -> None:
    text = explain(model, CODES)
    assert text.startswith(f"{model}: ")
    for column in columns.MODEL:
        assert re.search(rf"^  {re.escape(column.name)} +(unknown|\S.* \[\d\])$", text, re.MULTILINE), (
            column.name
        )
    cited = set(re.findall(r"\[\d\]$", text, re.MULTILINE))
    assert cited == set(re.findall(r"^  (\[\d\]) '", text, re.MULTILINE))


def test_a_model_says_how_far_its_retirement_is() -> None:
    known = on(built_in(), date(2026, 11, 21))
    assert "was 32 days ago" in explain("gemini-2.5-flash", CODES, known)
    assert "is 179 days" in explain("publishers/google/models/gemini-3.5-flash", CODES, known)


def test_the_platforms_are_shown() -> None:
    text = explain("models", CODES)
    assert "Gemini API:" in text
    for name in (*built_in().models, *built_in().vertex, *built_in().gemini_api):
        assert f"  {name}" in text


def test_a_model_that_no_document_names() -> None:
    with pytest.raises(SettingsError) as caught:
        explain("gemini-2.5-flsh", CODES)
    assert caught.value.remedy == "did you mean 'gemini-2.5-flash'?"
