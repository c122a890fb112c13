"""A user's own capability file: what it extends and corrects, and what is said of one that is wrong."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuneform import capabilities
from tuneform.capabilities import Capabilities
from tuneform.capabilities.columns import MODEL
from tuneform.capabilities.words import page

CASE = '[sources.case]\ntitle = "Support case 4711"\ndate = 2026-11-02\n'
FLASH = '[models."gemini-2.5-flash"]\n'


def read(tmp_path: Path, *texts: str) -> Capabilities:
    files = [tmp_path / f"own-{number}.toml" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return capabilities.read(files)


def test_a_cell_is_corrected_and_the_others_stay(tmp_path: Path) -> None:
    known = read(tmp_path, CASE + FLASH + 'customer_managed_keys = { value = true, source = "case" }\n')
    assert known.found == ()
    flash, before = known.models["gemini-2.5-flash"], capabilities.built_in().models["gemini-2.5-flash"]
    assert flash.customer_managed_keys.value is True
    assert "'Support case 4711', 2026-11-02, in " in flash.customer_managed_keys.says
    assert flash.supervised == before.supervised
    assert known.models["gemini-2.5-pro"] == capabilities.built_in().models["gemini-2.5-pro"]


def test_a_new_model_is_known_and_what_is_left_out_is_unknown(tmp_path: Path) -> None:
    text = (
        CASE + '[models."publishers/google/models/gemini-4"]\n'
        'supervised.adapter_sizes = { value = [8, 4], source = "case" }\n'
    )
    model = read(tmp_path, text).find("gemini-4")
    assert model is not None
    assert model.supervised.adapter_sizes.value == (4, 8)
    assert model.supervised.offered.value is None
    assert model.retirement.value is None


def test_unknown_takes_a_cell_back_and_a_later_file_wins(tmp_path: Path) -> None:
    later = date(2028, 1, 1)
    known = read(
        tmp_path,
        CASE + FLASH + 'retirement = "unknown"\nsupervised.adapter_sizes = "unknown"\n',
        CASE.replace("case", "mail")
        + FLASH
        + 'retirement = { value = 2028-01-01, at_least = true, source = "mail" }\n',
    )
    assert known.found == ()
    flash = known.models["gemini-2.5-flash"]
    assert (flash.retirement.value, flash.retirement.at_least) == (later, True)
    assert flash.supervised.adapter_sizes.value is None


def test_a_built_in_source_may_be_cited_and_a_model_that_is_gone_may_come_back(tmp_path: Path) -> None:
    known = read(
        tmp_path, '[models."gemini-2.0-flash"]\nretirement = { value = 2027-06-01, source = "lifecycle" }\n'
    )
    assert known.found == ()
    assert known.models["gemini-2.0-flash"].retirement.value == date(2027, 6, 1)
    assert known.models["gemini-2.0-flash"].replacements.value == ("gemini-3.1-flash-lite",)


def test_no_file_changes_nothing_and_a_file_does_not_change_what_is_built_in(tmp_path: Path) -> None:
    before = page()
    assert capabilities.read([]) is capabilities.built_in()
    read(tmp_path, CASE + FLASH + 'customer_managed_keys = { value = true, source = "case" }\n')
    assert page() == before


WRONG = {
    "not TOML": ("[vertex]\nbatch_size = 1 2\n", "E180", 2, "is not TOML"),
    "a model by its long name": (
        CASE + '[models."publishers/google/models/gemini-2.5-flash"]\nsize = "unknown"\n',
        "E181",
        5,
        "'size'",
    ),
    "at least of another form": (
        CASE + FLASH + 'retirement = { value = 2027-01-01, source = "case", at_least = 1 }\n',
        "E182",
        5,
        "has no at_least",
    ),
    "a section of another name": ("[model]\n", "E181", 1, "did you mean 'models'?"),
    "a cell of another name": (
        CASE + FLASH + 'adapter_size = "unknown"\n',
        "E181",
        5,
        "unknown cell 'adapter_size'",
    ),
    "a cell of another name in a method": (
        CASE + FLASH + 'supervised.adapter_size = "unknown"\n',
        "E181",
        5,
        "did you mean 'supervised.adapter_sizes'?",
    ),
    "a method of another name": (FLASH + 'supervise.offered = "unknown"\n', "E181", 2, "'supervise'"),
    "a platform's cell of another name": ('[vertex]\nbatchsize = "unknown"\n', "E181", 2, "'batch_size'"),
    "a bare value": (CASE + FLASH + "customer_managed_keys = true\n", "E182", 5, "is no cell"),
    "no source": (FLASH + "customer_managed_keys = { value = true }\n", "E183", 2, "names no source"),
    "a source that is not there": (
        CASE + FLASH + 'customer_managed_keys = { value = true, source = "cases" }\n',
        "E183",
        5,
        "did you mean 'case'?",
    ),
    "a part of a cell that there is none of": (
        CASE + FLASH + 'customer_managed_keys = { value = true, sources = "case" }\n',
        "E181",
        5,
        "did you mean 'source'?",
    ),
    "a source without a title": ("[sources.a]\ndate = 2026-01-01\n", "E183", 1, "has no title"),
    "a source without a day": ('[sources.a]\ntitle = "t"\n', "E183", 1, "needs one day"),
    "a source of two days": (
        '[sources.a]\ntitle = "t"\ndate = 2026-01-01\nread = 2026-01-01\n',
        "E183",
        1,
        "needs one day",
    ),
    "a day in quotes": ('[sources.a]\ntitle = "t"\ndate = "2026-01-01"\n', "E183", 1, "needs one day"),
    "an address that is none": (
        '[sources.a]\ntitle = "t"\nread = 2026-01-01\nurl = "ftp://x"\n',
        "E183",
        1,
        "no address",
    ),
    "a source of a key that is taken": (
        '\n[sources.sft]\ntitle = "t"\nread = 2026-01-01\n',
        "E183",
        2,
        "is there already",
    ),
    "a rank that there is none of": (
        CASE + FLASH + 'supervised.adapter_sizes = { value = [3], source = "case" }\n',
        "E182",
        5,
        "a list of ranks",
    ),
    "an empty list": (
        CASE + FLASH + 'tuning_locations = { value = [], source = "case" }\n',
        "E182",
        5,
        "a list of regions",
    ),
    "a place that is no region": (
        CASE + FLASH + 'tuning_locations = { value = ["us"], source = "case" }\n',
        "E182",
        5,
        "a list of regions",
    ),
    "a day with a time": (
        CASE + FLASH + 'retirement = { value = 2027-01-01T00:00:00, source = "case" }\n',
        "E182",
        5,
        "a day, such as",
    ),
    "a number that is not positive": (
        CASE + FLASH + 'supervised.text_examples = { value = 0, source = "case" }\n',
        "E182",
        5,
        "a whole number above 0",
    ),
    "a truth value for a number": (
        CASE + FLASH + 'supervised.text_examples = { value = true, source = "case" }\n',
        "E182",
        5,
        "a whole number above 0",
    ),
    "at least of what has no order": (
        CASE + FLASH + 'customer_managed_keys = { value = true, source = "case", at_least = true }\n',
        "E182",
        5,
        "has no at_least",
    ),
    "a table that is none": ("models = 3\n", "E182", 1, "holds tables"),
    "a model that is no table": ("[models]\nflash = 3\n", "E182", 2, "is no table"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_said_at_its_line_and_stops_nothing_else(name: str, tmp_path: Path) -> None:
    text, code, line, words = WRONG[name]
    known = read(tmp_path, text)
    (found,) = known.found
    assert (found.code, found.severity) == (code, "error")
    assert found.position is not None
    assert (found.position.path.name, found.position.line) == ("own-0.toml", line)
    assert words in found.render()
    assert found.excerpt == text.splitlines()[line - 1]
    assert known.models["gemini-2.5-flash"] == capabilities.built_in().models["gemini-2.5-flash"]


def test_all_mistakes_come_in_one_run(tmp_path: Path) -> None:
    known = read(tmp_path, "[model]\n[vertex]\nx = 1\n", "[sources.a]\n", "= 3")
    assert [found.code for found in known.found] == ["E181", "E181", "E183", "E180"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    if content is not None:
        file.write_bytes(content)
    (found,) = capabilities.read([file]).found
    assert found.code == "E180"
    assert "own.toml" in found.message


def test_a_correction_by_an_older_document_is_a_warning_and_holds(tmp_path: Path) -> None:
    old = CASE.replace("2026-11-02", "2025-01-01")
    known = read(tmp_path, old + FLASH + 'retirement = { value = 2030-01-01, source = "case" }\n')
    (found,) = known.found
    assert (found.code, found.severity) == ("W104", "warning")
    assert "2026-10-07" in found.hint
    assert known.models["gemini-2.5-flash"].retirement.value == date(2030, 1, 1)


def test_a_file_of_the_documented_form_is_sound(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", page(), re.DOTALL)
    known = read(tmp_path, shown)
    assert known.found == ()
    assert known.models["gemini-4-flash"].supervised.offered.value is True
    assert known.models["gemini-3.5-flash"].tuning_locations.value is None


NAMES = ("gemini-2.5-flash", "a", "title", "date", "value", "source", *(column.name for column in MODEL))
TOML = st.recursive(
    st.one_of(st.text(max_size=9), st.integers(), st.booleans(), st.dates(), st.floats(allow_nan=False)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("models", "sources", "vertex", *NAMES)), inner, max_size=4)
    ),
    max_leaves=9,
)


def written(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}" = {written(inner)}' for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


@given(
    st.one_of(
        st.text(max_size=60),
        st.dictionaries(st.sampled_from(("models", "sources", "vertex", "retired", "x")), TOML, max_size=4),
        st.tuples(st.integers(0, 400), st.text(max_size=5)),
    )
)
@example("a = " + "[" * 5000)
@example("[" * 5000)
@example(f"a = {'9' * 5000}")
@settings(deadline=None)
def test_whatever_is_in_the_file_it_is_read_or_said_to_be_wrong(
    tmp_path_factory: pytest.TempPathFactory, content: object
) -> None:
    match content:
        case str():
            text = content
        case dict():
            text = "\n".join(f'"{name}" = {written(value)}' for name, value in content.items())
        case (int() as at, str() as put):
            text = CASE + FLASH + 'customer_managed_keys = { value = true, source = "case" }\n'
            text = text[:at] + put + text[at + 1 :]
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(text, encoding="utf-8")
    known = capabilities.read([file])
    assert all(found.render() for found in known.found)
    assert known.find("gemini-2.5-flash")


def test_a_name_with_a_nul_is_no_file() -> None:
    (found,) = capabilities.read([Path("a\0b")]).found
    assert found.code == "E180"
