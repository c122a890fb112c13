from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests


class Line:
    """The emulator's command line on one state directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tuneform_emulator", command, "--dir", str(self.root), *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def started(self, *options: str) -> dict[str, Any]:
        done = self("start", *options)
        assert done.returncode == 0, done.stderr
        return self.record()

    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "emulator.json").read_text())
        return found


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path / "state")
    yield made
    made("stop")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def ended(pid: int) -> bool:
    """A zombie has ended too: what started it, and should reap it, is gone."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def make_bucket(endpoint: str) -> None:
    answer = requests.post(
        endpoint + "/storage/v1/b", params={"project": "p1"}, json={"name": "kept-data"}, timeout=10
    )
    assert answer.status_code == 200


def test_start_is_idempotent_and_what_it_writes_is_true(line: Line) -> None:
    record = line.started()
    health = requests.get(record["endpoint"] + "/_emulator/health", timeout=10).json()
    assert health["pid"] == record["pid"]
    assert record["endpoint"] == f"http://127.0.0.1:{record['port']}"
    again = line("start")
    assert again.returncode == 0
    assert "runs already" in again.stdout
    assert line.record() == record
    assert os.getsid(record["pid"]) == record["pid"]


def test_status_counts_what_is_there(line: Line) -> None:
    absent = line("status")
    assert (absent.returncode, absent.stdout) == (3, "The emulator is not running.\n")
    record = line.started()
    make_bucket(record["endpoint"])
    found = line("status")
    assert found.returncode == 0
    assert record["endpoint"] in found.stdout
    assert "0 jobs, 0 models, 0 endpoints, 1 buckets" in found.stdout


def test_env_is_for_a_shell_or_a_program(line: Line) -> None:
    assert line("env").returncode == 3
    record = line.started()
    env = json.loads(line("env", "--format", "json").stdout)
    assert env == record["env"]
    assert env["STORAGE_EMULATOR_HOST"] == env["TUNEFORM_ENDPOINT"] == record["endpoint"]
    assert env["PULUMI_CONFIG_PASSPHRASE"] == ""
    assert (Path(env["TUNEFORM_LOCAL_PLUGINS"]) / "pulumi-resource-gcp").exists()
    lines = line("env").stdout.splitlines()
    assert f"export TUNEFORM_ENDPOINT={record['endpoint']}" in lines
    assert "export PULUMI_CONFIG_PASSPHRASE=''" in lines


def test_state_and_port_survive_stop_and_start(line: Line) -> None:
    first = line.started()
    make_bucket(first["endpoint"])
    stopped = line("stop")
    assert stopped.returncode == 0
    assert ended(first["pid"])
    assert not (line.root / "emulator.json").exists()
    assert "not running" in line("stop").stdout

    second = line.started()
    assert second["port"] == first["port"]
    assert requests.get(second["endpoint"] + "/storage/v1/b/kept-data", timeout=10).status_code == 200


def test_reset_wipes_and_starts_again(line: Line) -> None:
    first = line.started("--manual-clock")
    make_bucket(first["endpoint"])
    done = line("reset")
    assert done.returncode == 0, done.stderr
    second = line.record()
    assert (second["port"], second["manualClock"]) == (first["port"], True)
    assert second["pid"] != first["pid"]
    assert requests.get(second["endpoint"] + "/storage/v1/b/kept-data", timeout=10).status_code == 404


def test_reset_of_a_stopped_emulator_leaves_it_stopped(line: Line) -> None:
    make_bucket(line.started()["endpoint"])
    line("stop")
    assert line("reset").returncode == 0
    assert not (line.root / "emulator.json").exists()
    assert not (line.root / "emulator.db").exists()


def test_a_port_in_use_is_named(line: Line, taken: int) -> None:
    done = line("start", "--port", str(taken))
    assert done.returncode == 1
    assert f"Port {taken} is in use by another process" in done.stderr
    assert "Choose another with --port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_held_by_another_emulator_names_its_pid(line: Line, tmp_path: Path) -> None:
    record = line.started()
    done = Line(tmp_path / "other")("start", "--port", str(record["port"]))
    assert done.returncode == 1
    assert f"another tuneform emulator (pid {record['pid']})" in done.stderr


def test_a_taken_preferred_port_is_passed_over(line: Line, taken: int) -> None:
    line.root.mkdir()
    (line.root / "port").write_text(f"{taken}\n")
    assert line.started()["port"] != taken


def test_another_port_than_the_running_one_is_an_error(line: Line) -> None:
    record = line.started()
    done = line("start", "--port", str(record["port"] + 1))
    assert done.returncode == 1
    assert f"runs already, on port {record['port']}" in done.stderr


def test_the_record_of_a_killed_process_is_cleaned_up(line: Line) -> None:
    first = line.started()
    os.kill(first["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while not ended(first["pid"]):
        assert time.monotonic() < deadline
    done = line("start")
    assert done.returncode == 0
    assert f"process {first['pid']} is gone" in done.stderr
    assert line.record()["pid"] != first["pid"]


def test_a_record_of_a_process_that_is_not_ours_is_cleaned_up_and_the_process_left_alone(
    line: Line, taken: int
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        line.root.mkdir()
        record = {"pid": stranger.pid, "port": 1, "endpoint": "http://127.0.0.1:1", "env": {}}
        (line.root / "emulator.json").write_text(json.dumps(record))
        done = line("stop")
        assert done.returncode == 0
        assert f"process {stranger.pid} is not our emulator" in done.stderr
        assert stranger.poll() is None


def test_a_record_that_cannot_be_read_is_cleaned_up(line: Line) -> None:
    line.root.mkdir()
    (line.root / "emulator.json").write_text("{")
    done = line("status")
    assert done.returncode == 3
    assert "could not be read" in done.stderr


def test_a_server_that_cannot_start_shows_the_end_of_its_log(line: Line) -> None:
    line.root.mkdir()
    (line.root / "emulator.db").write_bytes(b"this is not a database, and long enough to be seen as none" * 9)
    done = line("start")
    assert done.returncode == 1
    assert "ended with code 1" in done.stderr
    assert "is not a database" in done.stderr
    assert "reset" in done.stderr


def test_a_manual_clock_goes_on_where_it_stood(line: Line) -> None:
    endpoint = line.started("--manual-clock")["endpoint"]
    step = {"seconds": 86400}
    first = requests.post(endpoint + "/_emulator/clock:advance", json=step, timeout=10).json()["now"]
    line("stop")
    endpoint = line.started("--manual-clock")["endpoint"]
    same = requests.post(endpoint + "/_emulator/clock:advance", json={"seconds": 0}, timeout=10).json()["now"]
    assert same == first


def settings(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(record["endpoint"] + "/_emulator/settings", timeout=30).json()
    return dict(found["settings"])


def test_settings_are_given_at_the_start_and_kept_over_restarts(line: Line) -> None:
    first = settings(line.started("--set", "list_lag_seconds=3", "--set", "labels_copied=false"))
    assert (first["list_lag_seconds"], first["labels_copied"]) == (3.0, False)
    assert line("stop").returncode == 0
    second = settings(line.started("--set", "labels_copied=true"))
    assert second == {**first, "labels_copied": True}
    changed = settings(line.started("--set", "list_lag_seconds=1"))
    assert changed["list_lag_seconds"] == 1.0
    assert line("reset").returncode == 0
    assert settings(line.record())["list_lag_seconds"] == 0.0


def test_a_setting_that_is_none_starts_nothing(line: Line) -> None:
    refused = line("start", "--set", "lag=3")
    assert refused.returncode == 2
    assert "list_lag_seconds" in refused.stderr
    assert not (line.root / "emulator.json").exists()
