"""docs/guide-coverage.md: each row says how its statement is met, and what it points to is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guide-coverage.md"
GUIDES = (
    "vertex-supervised-tuning",
    "vertex-tuning-overview",
    "gemini-api-fine-tuning",
    "gemini-api-intro-2024",
    "gemini-api-tutorial",
)
HOW = ("enforced", "shown", "documented", "not")
NONE = "–"


class Row(NamedTuple):
    """A statement of a guide."""

    id: str
    statement: str
    how: str
    where: str
    test: str


def _sections() -> dict[str, list[Row]]:
    """The rows below each heading that names a guide."""
    found = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        if named := re.search(r"^\S.*`([\w-]+)`$", section, re.MULTILINE):
            lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
            cells = [re.split(r"(?<!\\) \| ", line.removeprefix("| ").removesuffix(" |")) for line in lines]
            found[named[1]] = [Row(*row) for row in cells]
    return found


SECTIONS = _sections()
ROWS = [row for rows in SECTIONS.values() for row in rows]


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the test functions of a module."""
    return frozenset(
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@cache
def anchors(page: Path) -> frozenset[str]:
    """The headings of a page as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def test_every_guide_has_its_statements_and_none_is_there_twice() -> None:
    assert tuple(SECTIONS) == GUIDES
    assert all(SECTIONS.values())
    assert len({row.id for row in ROWS}) == len(ROWS) >= 120
    assert len({row.statement for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_points_to_what_there_is(row: Row) -> None:
    assert row.how in HOW
    assert row.where
    assert row.how != "not" or len(row.where.split()) > 3, "a reason"
    if row.how in ("enforced", "shown"):
        path, _, name = row.test.strip("`").partition("::")
        assert name in names_in(ROOT / path), row.test
    else:
        assert row.test == NONE
    links = re.findall(r"\]\(([^)]+)\)", row.where)
    assert links or row.how != "documented"
    for link in links:
        page, _, anchor = link.partition("#")
        assert not anchor or anchor in anchors(PAGE.parent / page), link
        assert (PAGE.parent / page).is_file(), link
