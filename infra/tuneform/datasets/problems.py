"""Collecting what is wrong with a dataset, with its place, up to a number that a person can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuneform.errors import DatasetErrors, Diagnostic, Position

SHOWN = 20
LONGEST_NAME = 40


class RowError(Exception):
    """One example that cannot be used; whoever reads the rows knows its place."""

    def __init__(self, code: str, message: str, *, hint: str = "", column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.column = column


def quoted(name: object) -> str:
    """A name found in the data, for a message: short, whatever it turns out to be."""
    text = repr(name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


@dataclass(frozen=True)
class Origin:
    """Where rows come from. `path` is set for local files; `label` names it to people in every case.

    `counted` says what the number of a row counts, from 1: lines of the text, or examples of a list.
    """

    label: str
    path: Path | None = None
    counted: Literal["line", "example"] = "line"

    def diagnostic(
        self,
        code: str,
        message: str,
        *,
        number: int = 0,
        column: int = 1,
        hint: str = "",
        severity: str = "error",
    ) -> Diagnostic:
        """A diagnostic about row `number`, or about the whole when it is 0.

        Texts of the row are never quoted: training data may hold what should not be in a log.
        """
        if self.path is not None and (self.counted == "line" or not number):
            position = Position(self.path, max(number, 1), column)
            return Diagnostic(code, message, position, hint=hint, severity=severity)
        place = f"{self.label}: {self.counted} {number}" if number else self.label
        return Diagnostic(code, f"{place}: {message}", hint=hint, severity=severity)


class Problems:
    """What is wrong, as found: the first 20 are kept, the others counted."""

    def __init__(self) -> None:
        self._kept: list[Diagnostic] = []
        self._count = 0

    @property
    def count(self) -> int:
        """How many there are, kept or not."""
        return self._count

    def add(self, diagnostic: Diagnostic) -> None:
        """Take note of one."""
        self._count += 1
        if len(self._kept) < SHOWN:
            self._kept.append(diagnostic)

    def raise_if_any(self) -> None:
        """Raise DatasetErrors with all that was found, if anything was."""
        if not self._count:
            return
        more = self._count - len(self._kept)
        rest = [Diagnostic("E249", f"and {more} more")] if more else []
        raise DatasetErrors([*self._kept, *rest])
