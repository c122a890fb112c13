"""docs/report.md: its commands are commands, its states are those that a report has, and its picture is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.unit.review.report.samples import everything

from tuneform.entrypoints.cli.looking.report import command
from tuneform.entrypoints.cli.looking.reporting import CLOSE
from tuneform.review.report.page import SYMBOLS
from tuneform.review.report.statistics import LONGEST_LABEL, MOST_LABELS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "report.md").read_text(encoding="utf-8")


def test_its_commands_are_taken() -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        program, name, *arguments = shlex.split(line, comments=True)
        assert (program, name) == ("tuneform", "report")
        command.make_context(name, arguments)


def test_it_explains_every_state_under_its_sign() -> None:
    rows = re.findall(r"^\| ([✓…!✗○] .+?) \|", PAGE, re.MULTILINE)
    for tuning in everything().tunings:
        sign = SYMBOLS[tuning.standing.tone]
        assert any(row.startswith(sign) and tuning.standing.word in row for row in rows), tuning.standing


def test_its_numbers_are_those_of_the_code_and_what_it_points_to_is_there() -> None:
    assert f"more than {CLOSE} tunings" in PAGE
    assert f"at most {MOST_LABELS} of them, cut to {LONGEST_LABEL} characters" in PAGE
    targets = [target for target in re.findall(r"\]\(([^)#]+)", PAGE) if "://" not in target]
    assert [target for target in targets if not (DOCS / target).exists()] == []
