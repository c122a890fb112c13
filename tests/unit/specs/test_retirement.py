"""Models near their documented retirement and past it, on days of the test's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tuneform import capabilities
from tuneform.errors import Diagnostic, SpecErrors
from tuneform.specs import load

from .bad_specs import BASE, kind

DUE = date(2026, 10, 20)
"""The documented retirement of gemini-2.5-flash."""


def warnings(
    tmp_path: Path, today: date, text: str = BASE, own: str = "", model: str = ""
) -> tuple[Diagnostic, ...]:
    (tmp_path / "a.yaml").write_text(text.replace("gemini-2.5-flash", model or "gemini-2.5-flash"))
    file = tmp_path / "own.toml"
    file.write_text(own)
    return load(tmp_path, capabilities.on(capabilities.read([file]), today)).warnings


@pytest.mark.parametrize(
    ("today", "code", "words"),
    [
        (date(2026, 7, 21), None, ""),
        (date(2026, 7, 22), "W102", "retires in 90 days: on 2026-10-20"),
        (date(2026, 10, 19), "W102", "retires in a day: on 2026-10-20"),
        (DUE, "W102", "retires in 0 days"),
        (date(2026, 10, 21), "W103", "was to retire on 2026-10-20, a day ago"),
        (date(2026, 11, 21), "W103", "was to retire on 2026-10-20, 32 days ago"),
    ],
)
def test_from_ninety_days_before_and_ever_after(
    tmp_path: Path, today: date, code: str | None, words: str
) -> None:
    found = warnings(tmp_path, today)
    assert [one.code for one in found] == ([code] if code else [])
    for one in found:
        assert one.severity == "warning"
        assert words in one.message
        assert one.position is not None
        assert one.excerpt[one.position.column - 1 :].startswith("gemini-2.5-flash")
        assert "'Model versions and lifecycle', 2026-10-07" in one.hint


def test_what_is_proposed_is_tuned_the_same_way_lasts_and_says_what_does_not_fit(tmp_path: Path) -> None:
    locked = BASE.replace("  dataset: {ref: words}\n", "  dataset: {ref: words}\n  encryptionKey: {ref: k}\n")
    text = locked + "---\n" + kind("EncryptionKey", "keyRing: r", "name: k")
    (found,) = warnings(tmp_path, date(2026, 11, 21), text)
    first, second = found.hint.index("gemini-3.1-flash-lite ("), found.hint.index("gemini-3.5-flash (")
    assert first < second, "what the document names as the replacement comes first"
    assert found.hint.count("(without encryptionKey; served from eu or us)") == 2
    for name in ("gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-2.5-flash-lite"):
        assert name not in found.hint


def test_where_nothing_lasts_longer_it_says_so(tmp_path: Path) -> None:
    (found,) = warnings(tmp_path, date(2027, 4, 1))
    assert "no document names another model for SUPERVISED" in found.hint


def test_or_later_is_said_as_such(tmp_path: Path) -> None:
    served = BASE.replace("owner: ml-team", "owner: ml-team, servingLocation: us")
    (near,) = warnings(tmp_path, date(2027, 5, 1), served, model="gemini-3.1-flash-lite")
    assert "retires in 6 days: not before 2027-05-07" in near.message
    (past,) = warnings(tmp_path, date(2027, 6, 1), served, model="gemini-3.1-flash-lite")
    assert "may be retired since 2027-05-07, 25 days ago" in past.message


def test_a_model_that_is_gone_is_not_unknown(tmp_path: Path) -> None:
    (found,) = warnings(tmp_path, date(2026, 7, 1), model="gemini-2.0-flash")
    assert found.code == "W103"


def test_a_file_of_the_user_s_puts_it_off(tmp_path: Path) -> None:
    own = '[sources.m]\ntitle = "Mail"\ndate = 2026-10-10\n[models."gemini-2.5-flash"]\n'
    assert (
        warnings(
            tmp_path, date(2026, 11, 21), own=own + 'retirement = { value = 2028-01-01, source = "m" }\n'
        )
        == ()
    )
    assert warnings(tmp_path, date(2026, 11, 21), own=own + 'retirement = "unknown"\n') == ()


def test_on_no_day_nothing_retires(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE)
    assert load(tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("cell", "more", "code"),
    [
        ("supervised.most_epochs = { value = 3", "  hyperParameters: {epochCount: 4}\n", "E165"),
        ("supervised.most_epochs = { value = 4", "  hyperParameters: {epochCount: 4}\n", ""),
        ("supervised.adapter_sizes = { value = [1]", "  hyperParameters: {adapterSize: ADAPTER_SIZE_TWO}\n", "E160"),
        ("supervised.offered = { value = false", "", "E163"),
        ('tuning_locations = { value = ["europe-west1"]', "", "E161"),
        ('serving_locations = { value = ["europe-west1"]', "", "E164"),
        ("intermediate_checkpoints = { value = false", "", ""),
    ],
)  # fmt: skip
def test_a_file_of_the_user_s_decides_what_is_refused(
    cell: str, more: str, code: str, tmp_path: Path
) -> None:
    own = f'[sources.m]\ntitle = "Mail"\ndate = 2026-10-10\n[models."gemini-2.5-flash"]\n{cell}, source = "m" }}\n'
    text = BASE.replace("  dataset: {ref: words}\n", "  dataset: {ref: words}\n" + more)
    try:
        assert warnings(tmp_path, date(2026, 7, 1), text, own) == ()
    except SpecErrors as wrong:
        (found,) = wrong.diagnostics
        assert found.code == code
        assert "'Mail', 2026-10-10, in " in found.hint
    else:
        assert not code


def test_a_checkpoint_is_not_chosen_where_there_is_only_the_last(tmp_path: Path) -> None:
    own = '[sources.m]\ntitle = "Mail"\ndate = 2026-10-10\n[models."gemini-2.5-flash"]\n'
    own += 'intermediate_checkpoints = { value = false, source = "m" }\n'
    with pytest.raises(SpecErrors) as caught:
        warnings(tmp_path, DUE, BASE + "  checkpoint: 2\n", own)
    assert [one.code for one in caught.value.diagnostics] == ["E166"]


def test_mistakes_in_the_user_s_file_come_with_those_of_the_specs(tmp_path: Path) -> None:
    text = BASE.replace("dataset: {ref: words}", "dataset: {ref: word}")
    with pytest.raises(SpecErrors) as caught:
        warnings(tmp_path, DUE, text, "[model]\n")
    assert {one.code for one in caught.value.diagnostics} == {"E140", "E181"}
