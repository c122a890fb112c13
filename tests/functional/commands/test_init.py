"""`tuneform init` in a real terminal: questions, answers typed by a person, a folder that checks."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

PATIENCE = 60.0
"""Seconds that a question may take to come."""


class Terminal:
    """The other side of a terminal in which a command runs."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._side, theirs = pty.openpty()
        self.text = ""
        command = [sys.executable, "-m", "tuneform.entrypoints.cli.main", *arguments]
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def answer(self, question: str, typed: str) -> None:
        """Wait for a question, and type an answer."""
        self._until(question)
        os.write(self._side, f"{typed}\n".encode())

    def ended(self) -> int:
        """Read to the end; the exit code."""
        self._until(None)
        os.close(self._side)
        return self._process.wait(PATIENCE)

    def _until(self, question: str | None) -> None:
        begin = len(self.text)
        while question is None or question not in self.text[begin:]:
            assert select.select([self._side], [], [], PATIENCE)[0], f"no {question!r} in:\n{self.text}"
            try:
                self.text += os.read(self._side, 4096).decode()
            except OSError:  # the command has ended
                assert question is None, self.text
                return


def test_a_few_questions_in_a_terminal_end_with_a_folder_that_checks(tmp_path: Path) -> None:
    rows = "".join(f"{n},question {n},{('yes', 'no')[n % 2]}\n" for n in range(60))
    (tmp_path / "asked.csv").write_text("id,text,intent\n" + rows)

    terminal = Terminal(tmp_path, "init")
    terminal.answer("base model", "")
    terminal.answer("location", "")
    terminal.answer("name of the tuning", "No Name")
    terminal.answer("is not a name", "intents")
    terminal.answer("project id", "my-project")
    terminal.answer("owner", "ml-team")
    terminal.answer("file of examples", "asked.csv")
    terminal.answer("what the model is asked", "text")
    terminal.answer("what it should answer", "intent")

    assert terminal.ended() == 0, terminal.text
    assert "specs: 5 documents, nothing is wrong" in terminal.text
    assert Terminal(tmp_path, "check").ended() == 0
    assert Terminal(tmp_path, "init").ended() == 1, "there are specs now"
