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

from tuneform.entrypoints.cli.running.stacks import Target, engine_words, free_stale_lock, mend_state
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


def state_files(home: Path, **contents: str) -> Path:
    folder = home / "state" / ".pulumi" / "stacks" / "tuneform"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        file = "local.json" if name == "state" else "local.json.bak"
        (folder / file).write_text(content)
        (folder / f"{file}.attrs").write_text(json.dumps(name))
    return folder


def mended(home: Path) -> list[str]:
    return mend_state(Settings(None, home, {}), Target("local", "http://127.0.0.1:1", home, {}, adopt=True))


@pytest.mark.parametrize("cut_off", ["", '{"version": 3, "checkpoint": {'])
def test_a_state_that_was_cut_off_is_the_one_before_again(tmp_path: Path, cut_off: str) -> None:
    folder = state_files(tmp_path, state=cut_off, backup='{"version": 3}')

    assert "going on from the one before" in mended(tmp_path)[0]
    assert (folder / "local.json").read_text() == '{"version": 3}'
    assert (folder / "local.json.attrs").read_text() == '"backup"'


@pytest.mark.parametrize("cut_off", ["", '{"user'])
def test_notes_that_were_cut_off_are_removed_and_the_state_is_left(tmp_path: Path, cut_off: str) -> None:
    folder = state_files(tmp_path, state='{"version": 3}')
    (folder / "local.json.attrs").write_text(cut_off)

    assert "it does without" in mended(tmp_path)[0]
    assert [file.name for file in folder.iterdir()] == ["local.json"]


def test_without_one_before_it_is_put_aside(tmp_path: Path) -> None:
    folder = state_files(tmp_path, state="{")

    assert "local.json.broken" in mended(tmp_path)[0]
    assert not (folder / "local.json").exists()
    assert (folder / "local.json.broken").read_text() == "{"


def test_a_whole_state_and_none_at_all_are_left_alone(tmp_path: Path) -> None:
    assert mended(tmp_path) == []
    folder = state_files(tmp_path, state='{"version": 3}', backup="{")
    assert mended(tmp_path) == []
    assert (folder / "local.json").read_text() == '{"version": 3}'
