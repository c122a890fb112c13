"""Stacks: which one a folder is applied to, and what a killed run leaves behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.cli.stacks import Target, free_stale_lock


def locked(home: Path, pid: int, host: str) -> Path:
    folder = home / "state" / ".pulumi" / "locks" / "organization" / "tuneform" / "local"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / f"{pid}.json"
    lock.write_text(json.dumps({"pid": pid, "hostname": host, "username": "someone"}))
    return lock


def freed(home: Path) -> list[str]:
    target = Target("local", "http://127.0.0.1:1", home, {}, adopt=True)
    return free_stale_lock(Settings(None, home, {}), target)


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_of_a_dead_process_of_this_host_is_freed_and_told(tmp_path: Path) -> None:
    pid = dead_process()
    lock = locked(tmp_path, pid, socket.gethostname())

    assert freed(tmp_path) == [f"freed the lock of process {pid}, which is gone"]
    assert not lock.exists()


def test_the_lock_of_a_living_process_or_of_another_host_stays(tmp_path: Path) -> None:
    living = locked(tmp_path, os.getpid(), socket.gethostname())
    elsewhere = locked(tmp_path, dead_process(), "another-host")

    assert freed(tmp_path) == []
    assert living.exists()
    assert elsewhere.exists()
