"""Every bad folder is refused with the words on record; `TUNEFORM_GOLDEN=write` records them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuneform.errors import SpecErrors
from tuneform.specs import load
from tuneform.specs.reference.codes import CODES

from .bad_specs import TABLE, Bad

GOLDEN = Path(__file__).parents[2] / "golden" / "specs"
# What no file in a folder can show; test_load and test_resolve do.
ELSEWHERE = {
    *("E101", "E102", "E103", "E104", "E114", "E115", "W101"),
    # test_retirement and test_own_capabilities: they need a day, or a file beside the folder.
    *("E165", "E166", "E180", "E181", "E182", "E183", "W102", "W103", "W104"),
    # tests/unit/review/test_spending, tests/unit/capabilities/test_prices: they need data, or a price table.
    *("E171", "E172", "E185", "W171"),
    # tests/unit/policy, tests/unit/entrypoints/cli/policy: they need a judge, a day, or cases.
    *("E194", "E195", "E196", "W190", "W191"),
    # tests/unit/review/test_suitability: they need data.
    *("W201", "W202", "W203", "W204", "W205", "W206"),
}


def write(folder: Path, bad: Bad) -> None:
    folder.mkdir()
    (folder / "a.yaml").write_text(bad.base, encoding="utf-8")
    data = bad.text if isinstance(bad.text, bytes) else bad.text.encode()
    (folder / "bad.yaml").write_bytes(data)
    for name, content in bad.more.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: Bad) -> SpecErrors:
    monkeypatch.chdir(tmp_path)
    write(Path("specs"), bad)
    with pytest.raises(SpecErrors) as caught:
        load(Path("specs"))
    return caught.value


def recorded(group: str) -> dict[str, str]:
    sections = (GOLDEN / f"{group}.txt").read_text(encoding="utf-8").split("\n##### ")[1:]
    return dict(section.rstrip("\n").split(" #####\n", 1) for section in sections)


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, cases in TABLE.items() for name in cases]
)
def test_a_bad_folder_is_refused_in_the_recorded_words(
    group: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.environ.get("TUNEFORM_GOLDEN") == "write":
        pytest.skip("test_the_record_holds_the_table_and_nothing_else writes them all")
    assert said(tmp_path, monkeypatch, TABLE[group][name]).render() == recorded(group)[name]


@pytest.mark.parametrize("group", list(TABLE))
def test_the_record_holds_the_table_and_nothing_else(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.environ.get("TUNEFORM_GOLDEN") == "write":
        text = f"What tuneform says about the bad specs {group.upper()} in tests/unit/specs/bad_specs.py.\n"
        for number, (name, bad) in enumerate(TABLE[group].items()):
            folder = tmp_path / str(number)
            folder.mkdir()
            text += f"\n##### {name} #####\n{said(folder, monkeypatch, bad).render()}\n"
        (GOLDEN / f"{group}.txt").write_text(text, encoding="utf-8")
    assert list(recorded(group)) == list(TABLE[group])


def test_every_code_is_in_the_record() -> None:
    text = "".join((GOLDEN / f"{group}.txt").read_text(encoding="utf-8") for group in TABLE)
    assert {code for code in CODES if f"[{code}]" not in text} == ELSEWHERE
