"""Runs the sweeps of tests/faults and writes the table of figures into docs/reliability.md.

    python -m benchmarks.reliability [--bounded] [FILES AND OTHER PYTEST ARGUMENTS…]

Everything, slow sweeps too, takes an hour and more; `--bounded` takes what `make test` takes; with files of
tests/faults only their sweeps are run. A row is a sweep, as it named itself with the fixture `tally`
(tests/faults/tally.py), and says on which commit it was run; rows of sweeps that were not run stay as they are. The
figures are counted, whether or not the tests passed. The exit code is pytest's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.tally import VARIABLE, Figures, read

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
COLUMNS = ("sweep", "points", "struck", "second attempts", "orphans", "divergences", "not settled", "run")


def main(arguments: Sequence[str]) -> int:
    """Run, write, and return pytest's exit code."""
    given = [argument for argument in arguments if argument != "--bounded"]
    chosen = ["-m", "not slow"] if "--bounded" in arguments else []
    files = [] if any(argument.startswith("tests/") for argument in given) else ["tests/faults"]
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "tally"
        rows.touch()
        done = subprocess.run(  # noqa: S603 (our own tests)
            [sys.executable, "-m", "pytest", "-q", "--show-capture=no", *files, *chosen, *given],
            cwd=ROOT,
            env={**os.environ, VARIABLE: str(rows)},
            check=False,
        )
        figures = read(rows)
    run = f"{_when()}, {_commit()}{', bounded' if chosen else ''}"
    PAGE.write_text(with_figures(PAGE.read_text(), figures, run))
    return done.returncode


def with_figures(page: str, figures: Sequence[Figures], run: str) -> str:
    """The page with these rows put into the table between its markers; raises ValueError when they are not there."""
    before, begin, rest = page.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    old = [line for line in inside.splitlines() if line.startswith("| ")][2:]  # below the head and its rule
    rows = {line.strip("| ").split(" | ")[0]: line for line in old}
    rows |= {row.sweep: _figures(row, run) for row in figures}
    lines = [_row(COLUMNS), _row("---" for _ in COLUMNS), *rows.values()]
    return f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}"


def _figures(row: Figures, run: str) -> str:
    counted = (row.second_attempts, row.orphans, row.divergences, row.unfinished)
    return _row((row.sweep, row.points, row.disturbed, *counted, run))


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _when() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _commit() -> str:
    head = _git("rev-parse", "--short", "HEAD").strip()
    changed = _git("status", "--porcelain", "infra", "tests").strip()
    return f"{head} with changes" if changed else head


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
