"""docs/reliability.md, made by a command: its table is where the command puts it, and counts what sweeps add."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import reliability
from tests.faults import tally
from tests.faults.endings import Complaint

ORPHAN, SECOND = Complaint("orphan", "an endpoint"), Complaint("second attempt", "two jobs")


def table(page: str) -> list[list[str]]:
    _, begin, rest = page.partition(reliability.BEGIN)
    inside, end, _ = rest.partition(reliability.END)
    assert begin
    assert end
    rows = [line for line in inside.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_page_has_the_table_with_these_columns_and_counts_in_them() -> None:
    head, _, *rows = table(reliability.PAGE.read_text())
    assert tuple(head) == reliability.COLUMNS
    assert all(len(row) == len(head) and all(cell.isdecimal() for cell in row[1:-1]) for row in rows)


def test_what_sweeps_add_becomes_rows_and_the_rest_of_the_page_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "tally"
    monkeypatch.setenv(tally.VARIABLE, str(rows))
    tally.add("one", points=10, disturbed=9, complaints=[[ORPHAN, ORPHAN, SECOND], [ORPHAN]])
    tally.add("other", points=3, disturbed=3)
    tally.add("one", points=5, disturbed=5, complaints=[[SECOND]])

    page = f"before\n{reliability.BEGIN}\nold\n{reliability.END}\nafter\n"
    earlier = reliability.with_figures(
        page, [tally.Figures(name, 1, 1) for name in ("one", "kept")], "yesterday"
    )
    made = reliability.with_figures(earlier, tally.read(rows), "today")

    assert made.startswith("before\n")
    assert made.endswith("\nafter\n")
    assert "old" not in made
    assert table(made)[2:] == [
        ["one", "15", "14", "2", "2", "0", "0", "today"],
        ["kept", "1", "1", "0", "0", "0", "0", "yesterday"],
        ["other", "3", "3", "0", "0", "0", "0", "today"],
    ]


def test_a_page_without_markers_is_not_written() -> None:
    with pytest.raises(ValueError, match="lacks"):
        reliability.with_figures("no markers", [], "today")
