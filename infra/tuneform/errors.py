"""Every error that tuneform raises on purpose.

    TuneformError
    ├── SpecErrors            what is written is wrong: all diagnostics of a run at once
    ├── DatasetErrors         the same for datasets: file and row
    ├── PriceErrors           the same for a price table
    ├── ProjectListErrors     the same for a file of projects to audit
    ├── SettingsError         a flag, an environment variable, a stack setting
    ├── MachineError          this machine lacks something: engine, emulator, credentials
    ├── RemoteError           a remote call failed; its subclass decides what may follow
    │   ├── Retryable         nothing happened; the same call may be sent again
    │   ├── Ambiguous         it may have happened; look before doing anything else
    │   └── Terminal          it will not work until somebody changes something
    │       ├── NotFound      the thing named does not exist
    │       └── AlreadyExists a thing of that name exists
    ├── LedgerConflict        somebody else changed a ledger record first
    └── ReconcileError        the world does not allow what the specs ask for

Each carries a message (what is wrong and where), a remedy (what to do now) and a stable code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unicodedata import combining, east_asian_width

# Longer source lines are shown in part.
_LINE = 160
# Of more things that an error is about, the first are named.
_NAMES = 3


@dataclass(frozen=True)
class Position:
    """A place in a text file; `line` and `column` count from 1."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong, at one place.

    `excerpt` is the source line that `position` points into, empty when there is none to show; `length` is
    how many characters of it are meant. `about` is what the place does not show: the projects, or the documents, for
    which it is wrong, where it is not wrong for all.
    """

    code: str
    message: str
    position: Position | None = None
    hint: str = ""
    excerpt: str = ""
    length: int = 1
    severity: str = field(default="error")
    about: tuple[str, ...] = ()

    def render(self, also: Sequence[Position] = ()) -> str:
        """The diagnostic as a compiler would print it: place, code, message, source line, caret, for what, hint.

        `also` are the other places of which the same is to be said.
        """
        place = f"{self.position}: " if self.position else ""
        lines = [f"{place}{self.severity}[{self.code}]: {self.message}"]
        if self.position and self.excerpt:
            gutter = str(self.position.line)
            blank = " " * len(gutter)
            text, column = _window(self.excerpt, self.position.column)
            before, meant = text[: column - 1], text[column - 1 : column - 1 + self.length]
            indent = "".join("\t" if char == "\t" else " " * _width(char) for char in before)
            lines += [f" {gutter} | {text}", f" {blank} | {indent}{'^' * max(1, sum(map(_width, meant)))}"]
        if self.about:
            lines.append(f"   = for: {_listed(self.about)}")
        if also:
            lines.append(f"   = also at: {_listed([*map(str, also)])}")
        if self.hint:
            lines.append(f"   = hint: {self.hint}")
        return "\n".join(lines)


def told_once(found: Iterable[Diagnostic]) -> Iterator[str]:
    """Diagnostics as text, each kind once: at its first place, with the other places where the same is to be said.

    A model that retires is in thousands of documents, and what else there is to say would be lost among them.
    """
    alike: dict[Diagnostic, list[Diagnostic]] = {}
    for diagnostic in found:
        said = replace(diagnostic, position=None, excerpt="", length=1)
        alike.setdefault(said, []).append(diagnostic)
    for first, *others in alike.values():
        yield first.render([other.position for other in others if other.position])


def _listed(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line around a column, and the column in that part."""
    if len(line) <= _LINE:
        return line, column
    start = max(0, min(column - 1 - _LINE // 2, len(line) - _LINE))
    end = start + _LINE
    left, right = "…" if start else "", "…" if end < len(line) else ""
    return f"{left}{line[start:end]}{right}", column - start + len(left)


def _width(char: str) -> int:
    """How many cells of a terminal the character fills."""
    if combining(char):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


class TuneformError(Exception):
    """Something a person can act on: what is wrong, what to do now, and a stable code to look up."""

    code = "E000"

    def __init__(self, message: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or type(self).code

    def render(self) -> str:
        """The text that a person sees."""
        remedy = f"\n   = remedy: {self.remedy}" if self.remedy else ""
        return f"error[{self.code}]: {self.message}{remedy}"


class _Diagnosed(TuneformError):
    """An error that is a list of diagnostics."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(diagnostic.message for diagnostic in self.diagnostics))

    def render(self) -> str:
        """All diagnostics, in the order found."""
        return "\n\n".join(diagnostic.render() for diagnostic in self.diagnostics)


class SpecErrors(_Diagnosed):
    """What is wrong in the specs: every diagnostic of every file."""

    code = "E100"


class DatasetErrors(_Diagnosed):
    """What is wrong in a dataset: every diagnostic, with file and row."""

    code = "E200"


class PriceErrors(_Diagnosed):
    """What is wrong in a price table: every diagnostic, with its line."""

    code = "E185"


class ProjectListErrors(_Diagnosed):
    """What is wrong in a file of projects: every diagnostic, with its line."""

    code = "E650"


class SettingsError(TuneformError):
    """A flag, an environment variable or a stack setting that cannot be used."""

    code = "E300"


class MachineError(TuneformError):
    """This machine lacks something: the engine, the emulator, credentials, a free port."""

    code = "E400"


class RemoteError(TuneformError):
    """A remote call failed. `retry_after` is in seconds, where the service named a delay."""

    code = "E500"

    def __init__(
        self, message: str, *, remedy: str = "", code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.retry_after = retry_after


class Retryable(RemoteError):
    """The call did nothing: it may be sent again, after `retry_after` where given."""

    code = "E510"


class Ambiguous(RemoteError):
    """The call may have taken effect: look at the world before anything else is sent."""

    code = "E520"


class Terminal(RemoteError):
    """The call will fail again until somebody changes something."""

    code = "E530"


class NotFound(Terminal):
    """The thing named does not exist."""

    code = "E531"


class AlreadyExists(Terminal):
    """A thing of that name exists already."""

    code = "E532"


class LedgerConflict(TuneformError):
    """Somebody else changed the ledger record between our read and our write."""

    code = "E540"


class ReconcileError(TuneformError):
    """The world as it is does not allow what the specs ask for."""

    code = "E600"
