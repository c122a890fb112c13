"""What an audit keeps of what it has read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.entrypoints.cli.auditing.journal import Journal
from tuneform.errors import MachineError, SettingsError

QUESTION = {"rules": "sha256:1", "today": "2026-06-01"}
ENTRIES = {
    ("acme-prod", "project"): {"n": 1},
    ("acme-prod", "buckets"): {"n": 2},
    ("", "folders/1"): {"n": 3},
}


def kept(path: Path, *, ended: bool = False) -> None:
    with Journal(path, QUESTION) as journal:
        for (project, part), entry in ENTRIES.items():
            journal.keep(project, part, entry)
        if ended:
            journal.end()


def entries(path: Path, question: dict[str, str] = QUESTION) -> dict[tuple[str, str], object]:
    with Journal(path, question) as journal:
        return dict(journal.entries)


def test_what_was_kept_is_there_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "below" / "audit.jsonl"
    kept(path)
    assert entries(path) == ENTRIES
    assert entries(path) == ENTRIES, "and in the one after it"


def test_wherever_it_is_cut_off_what_was_written_whole_counts_and_what_follows_is_sound(
    tmp_path: Path,
) -> None:
    whole = tmp_path / "whole.jsonl"
    kept(whole)
    data = whole.read_bytes()
    ends = [index + 1 for index, byte in enumerate(data) if byte == 10]
    path = tmp_path / "cut.jsonl"
    for size in range(len(data)):
        path.write_bytes(data[:size])
        lines = max(0, sum(end <= size for end in ends) - 1)
        if 0 < size < len('{"form":'):
            with pytest.raises(SettingsError):
                entries(path)
            continue
        with Journal(path, QUESTION) as journal:
            assert list(journal.entries) == list(ENTRIES)[:lines]
            journal.keep("later", "project", {})
        assert list(entries(path)) == [*list(ENTRIES)[:lines], ("later", "project")]


def test_one_that_came_to_its_end_is_begun_anew(tmp_path: Path) -> None:
    kept(tmp_path / "j", ended=True)
    assert entries(tmp_path / "j") == {}


def test_one_of_another_question_is_begun_anew(tmp_path: Path) -> None:
    kept(tmp_path / "j")
    assert entries(tmp_path / "j", {**QUESTION, "today": "2026-06-02"}) == {}
    assert entries(tmp_path / "j") == {}, "the first one is gone"


def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    for text in ("notes\n", '{"a": 1}\n', "no end of line"):
        path = tmp_path / "notes"
        path.write_text(text)
        with pytest.raises(SettingsError, match="no journal"):
            Journal(path, QUESTION)
        assert path.read_text() == text


def test_two_audits_do_not_write_one_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", QUESTION), pytest.raises(MachineError, match="another audit"):
        Journal(tmp_path / "j", QUESTION)
    assert entries(tmp_path / "j") == {}


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        Journal(tmp_path / "file" / "j", QUESTION)
