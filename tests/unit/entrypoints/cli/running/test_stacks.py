"""Stacks: which one a folder is applied to, and what a killed run leaves behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi import automation

from tuneform.entrypoints.cli.running.stacks import Target, engine_words, free_stale_lock
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import MachineError


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


def test_a_living_process_is_another_run_at_work(tmp_path: Path) -> None:
    lock = locked(tmp_path, os.getpid(), socket.gethostname())

    with pytest.raises(MachineError, match="another run is at work on the stack local") as caught:
        freed(tmp_path)
    assert str(lock) in caught.value.message
    assert lock.exists()


def test_the_lock_of_another_host_and_one_that_is_only_being_written_stay(tmp_path: Path) -> None:
    elsewhere = locked(tmp_path, dead_process(), "another-host")
    half_written = elsewhere.with_name("0.json")
    half_written.write_text("{")

    assert freed(tmp_path) == []
    assert elsewhere.exists()
    assert half_written.exists()


def test_an_engine_that_was_ended_early_is_no_empty_error() -> None:
    silent = automation.CommandError(automation.CommandResult("", "", -2))
    speaking = automation.CommandError(automation.CommandResult("", "error: no such stack\n", 255))

    assert engine_words(silent) == "the engine was ended before it had said anything"
    assert engine_words(speaking) == "no such stack"
