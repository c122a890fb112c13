"""What a file of examples is, for somebody who has just been asked for one."""

from __future__ import annotations

import csv
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tuneform.datasets.files import open_file
from tuneform.datasets.prepare import format_of
from tuneform.datasets.problems import Problems
from tuneform.datasets.rows import USUAL_COLUMNS, first_line


@dataclass(frozen=True)
class Detected:
    """A file's format, one of those that a Dataset names, and for CSV the header's columns."""

    format: str
    columns: tuple[str, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """Whether nothing says which columns are input and output: neither their names nor their number."""
        usual = any(set(names) <= set(self.columns) for names in USUAL_COLUMNS)
        return self.format == "csv" and not usual and len(self.columns) != 2


def detect(file: str, *, root: Path) -> Detected:
    """The format of a file below `root`, and its columns.

    Raises:
        DatasetErrors: there is no such file, or its format cannot be told.
    """
    problems = Problems()
    origin, stream = open_file(root, file)
    with closing(stream):
        form = format_of(origin, stream, file, problems)
        problems.raise_if_any()
        header = next(csv.reader([first_line(stream).decode(errors="replace")]), []) if form == "csv" else []
    return Detected(form, tuple(name.strip() for name in header))
