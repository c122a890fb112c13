"""Runs of `tuneform` as processes of their own, quickly started and killed without mercy."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

DEADLINE = 180.0
"""Seconds that a run may take; the longest that is meant takes ten, where the machine has nothing else to do."""
SETTINGS = ("TUNEFORM_", "PULUMI_", "GOOGLE_", "GEMINI_", "PYTHON")
"""Beginnings of the variables that a caller may have set and a newcomer has not."""
TUNEFORM = Path(sys.executable).with_name("tuneform")
ZYGOTE = Path(__file__).with_name("zygote.py")


@dataclass(frozen=True)
class Ended:
    """A run that has ended: its exit code (-9 when it was killed) and all that it printed."""

    code: int
    text: str


class Run(Protocol):
    """A run under way."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def is_over(self, seconds: float = 0.0) -> bool:
        """Whether it ended, after waiting so long for it."""
        ...

    def wait(self, seconds: float = DEADLINE) -> Ended:
        """How it ended; raises TimeoutError, having killed it, when it does not."""
        ...

    def kill(self) -> Ended:
        """SIGKILL, and wait until it is gone."""
        ...

    def pause(self) -> None:
        """SIGSTOP."""
        ...

    def wake(self) -> None:
        """SIGCONT."""
        ...


class Appliers(Protocol):
    """Starts runs."""

    def start(self, *arguments: str, folder: Path, env: Mapping[str, str], output: Path) -> Run:
        """Start `tuneform ARGUMENTS` in a folder; what it prints is appended to a file."""
        ...


def clean_environment() -> dict[str, str]:
    """This process's environment without settings but the day, in plain colours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, "TUNEFORM_TODAY": os.environ["TUNEFORM_TODAY"], "NO_COLOR": "1"}


@dataclass
class Installed:
    """`Appliers` that run the installed command, as people do."""

    def start(self, *arguments: str, folder: Path, env: Mapping[str, str], output: Path) -> Run:
        """See `Appliers`."""
        with output.open("ab") as printed:
            process = subprocess.Popen(
                [TUNEFORM, *arguments],
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        return _Started(process, output)


@dataclass
class _Started:
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_over(self, seconds: float = 0.0) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait(self, seconds: float = DEADLINE) -> Ended:
        if not self.is_over(seconds):
            self.kill()
            raise TimeoutError(f"still at work after {seconds} s: {_text(self.output)}")
        return Ended(self.process.returncode, _text(self.output))

    def kill(self) -> Ended:
        self.process.kill()
        return self.wait()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Forked:
    """`Appliers` whose runs are forked from a process that has imported everything: see `zygote`. To be closed."""

    def __init__(self) -> None:
        # Not below pytest's folders: a socket's path may have no more than 107 characters.
        self._folder = tempfile.TemporaryDirectory(prefix="runs-")
        self._socket = str(Path(self._folder.name) / "runs")
        self._zygote = subprocess.Popen(
            [sys.executable, ZYGOTE, self._socket],
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._zygote.stdout is not None
        if self._zygote.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("the process that runs are forked from did not start")

    def start(self, *arguments: str, folder: Path, env: Mapping[str, str], output: Path) -> Run:
        """See `Appliers`."""
        wanted = {
            "arguments": arguments,
            "folder": str(folder),
            "env": dict(env),
            "output": str(output),
        }
        asked = socket.socket(socket.AF_UNIX)
        asked.settimeout(DEADLINE)
        asked.connect(self._socket)
        asked.sendall(json.dumps(wanted).encode() + b"\n")
        answers = _Answers(asked)
        return _ForkedRun(answers.next(DEADLINE)["pid"], answers, output)

    def close(self) -> None:
        """End the process; what it still runs goes on."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.stdout.close()
        self._zygote.wait(DEADLINE)
        self._folder.cleanup()


@dataclass
class _Answers:
    """The lines that come back; the connection closes with the last one."""

    asked: socket.socket
    _read: bytes = b""

    def next(self, seconds: float) -> dict[str, int]:
        """The next one; raises TimeoutError."""
        self.asked.settimeout(max(seconds, 0.001))
        while b"\n" not in self._read:
            part = self.asked.recv(4096)
            if not part:
                raise RuntimeError("the process that runs are forked from has ended")
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        found: dict[str, int] = json.loads(line)
        return found

    def close(self) -> None:
        self.asked.close()


@dataclass
class _ForkedRun:
    pid: int
    answers: _Answers
    output: Path
    code: int | None = field(default=None)

    def is_over(self, seconds: float = 0.0) -> bool:
        if self.code is None:
            try:
                self.code = self.answers.next(seconds)["code"]
            except TimeoutError:
                return False
            self.answers.close()
        return True

    def wait(self, seconds: float = DEADLINE) -> Ended:
        if not self.is_over(seconds):
            self.kill()
            raise TimeoutError(f"still at work after {seconds} s: {_text(self.output)}")
        assert self.code is not None
        return Ended(self.code, _text(self.output))

    def kill(self) -> Ended:
        self._send(signal.SIGKILL)
        return self.wait()

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def wake(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self.code is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def _text(output: Path) -> str:
    return output.read_text(errors="replace") if output.exists() else ""
