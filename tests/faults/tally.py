"""What the sweeps count, for docs/reliability.md.

A sweep adds its figures with the fixture `tally`:

    tally("crash: apply", points=300, disturbed=298, complaints=found)

With the environment variable TUNEFORM_TALLY, a file, every addition becomes one JSON line of it; rows of one name are
added up by `python -m benchmarks.reliability`, which sets it. Without it only the columns are checked.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from tests.faults.endings import Complaint

VARIABLE = "TUNEFORM_TALLY"


@dataclass(frozen=True)
class Figures:
    """One addition to a row.

    `points` were tried; `disturbed` says at how many something did go wrong (a kill, a fault, an order of calls): the
    rest were not met. The others count points with at least one such complaint.
    """

    sweep: str
    points: int
    disturbed: int
    second_attempts: int = 0
    orphans: int = 0
    divergences: int = 0
    unfinished: int = 0


class Tally(Protocol):
    """Adds to a row of the table."""

    def __call__(
        self, sweep: str, *, points: int, disturbed: int, complaints: Iterable[Iterable[Complaint]] = ()
    ) -> None:
        """`complaints` are those of each point that has any, point by point."""
        ...


def add(sweep: str, *, points: int, disturbed: int, complaints: Iterable[Iterable[Complaint]] = ()) -> None:
    """See `Tally`."""
    kinds = Counter(kind for found in complaints for kind in {complaint.kind for complaint in found})
    figures = Figures(
        sweep,
        points,
        disturbed,
        kinds["second attempt"],
        kinds["orphan"],
        kinds["divergence"],
        kinds["unfinished"],
    )
    if name := os.environ.get(VARIABLE):
        with Path(name).open("a") as rows:
            rows.write(json.dumps(asdict(figures)) + "\n")


def read(path: Path) -> list[Figures]:
    """The rows of a file, those of one name added up, in the order in which they first came."""
    rows: dict[str, Figures] = {}
    for line in path.read_text().splitlines():
        new = Figures(**json.loads(line))
        old = rows.get(new.sweep)
        rows[new.sweep] = new if old is None else _sum(old, new)
    return list(rows.values())


def _sum(old: Figures, new: Figures) -> Figures:
    one, two = asdict(old), asdict(new)
    return Figures(old.sweep, **{name: one[name] + two[name] for name in one if name != "sweep"})
