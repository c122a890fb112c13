"""What an audit has read so far, in a file, so that a run that was interrupted goes on where it was.

Each line is a JSON object: the question first (which rules, which projects, which day), then one for each part that was
read to its end, and `{"end": true}` once all are. A line without its end was cut off and does not count. A journal of
another question, or one that has its end, is begun anew.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from tuneform.errors import MachineError, SettingsError

FORM = "tuneform-audit-1"

Entry = Mapping[str, Any]


class Journal:
    """An open journal. `entries` are what an earlier run kept, by (project, part)."""

    def __init__(self, path: Path, question: Mapping[str, Any]) -> None:
        """Open or begin it, for this process alone.

        Raises:
            SettingsError: there is something else in the file, or it cannot be written.
            MachineError: another audit is writing it.
        """
        self.path = path
        self.entries: dict[tuple[str, str], Entry] = {}
        self._file = _opened(path)
        try:
            self._resume({"form": FORM, **question})
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def keep(self, project: str, part: str, entry: Entry) -> None:
        """Write down that a part was read to its end; it is in the file when this returns."""
        self._write({"project": project, "part": part, "entry": entry})

    def end(self) -> None:
        """Write down that everything was."""
        self._write({"end": True})

    def _resume(self, question: Mapping[str, Any]) -> None:
        head, kept, good, ended = _read(self._file, self.path)
        if ended or head != question:
            self._file.seek(0)
            self._file.truncate()
            self._write(question)
            return
        self.entries = kept
        self._file.seek(good)
        self._file.truncate()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
        self._file.flush()


def _opened(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise SettingsError(
            f"the journal {path} cannot be written: {error.strerror}",
            remedy="name another one with --state FILE",
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise MachineError(
            f"another audit is writing the journal {path}",
            remedy="wait for it, or name another journal with --state FILE",
        ) from error
    return file


def _read(
    file: BinaryIO, path: Path
) -> tuple[Mapping[str, Any] | None, dict[tuple[str, str], Entry], int, bool]:
    """The question, the parts, where the last whole line ends, and whether the run came to its end."""
    file.seek(0)
    head: Mapping[str, Any] | None = None
    kept: dict[tuple[str, str], Entry] = {}
    good, ended = 0, False
    for number, line in enumerate(file):
        try:
            said = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            said = None
        if number == 0 and said is None and line.startswith(b'{"form":'):
            break  # the run was cut off before anything was read
        if number == 0:
            if not isinstance(said, dict) or said.get("form") != FORM:
                raise SettingsError(
                    f"{path} is no journal of an audit",
                    remedy="name a file that is not there yet with --state",
                )
            head = said
        elif not isinstance(said, dict):
            break
        elif "entry" in said:
            kept[said["project"], said["part"]] = said["entry"]
        ended = bool(said.get("end"))
        good += len(line)
    return head, kept, good, ended
