"""The engine never outlives the command that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tuneform.entrypoints.cli.running import supervise

SUPERVISED = "import time, sys, os; print(os.getpid(), flush=True); time.sleep(600)"


def started(code: str) -> subprocess.Popen[str]:
    """A process that starts the supervisor, as `tuneform up` does, and then only waits."""
    starter = (
        "import subprocess, sys; subprocess.run([sys.executable, "
        f"{supervise.__file__!r}, sys.executable, '-c', {code!r}])"
    )
    return subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=0.1)
    return not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="the engine is supervised on POSIX systems")
def test_when_its_parent_is_killed_the_command_ends_too() -> None:
    with started(SUPERVISED) as parent:
        assert parent.stdout is not None
        command = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        assert ends(command)


def test_the_exit_code_is_that_of_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, supervise.__file__, sys.executable, "-c", "raise SystemExit(7)"],
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 7
