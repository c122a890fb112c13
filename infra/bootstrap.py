"""Makes .venv what requirements.lock and pyproject.toml say; does nothing when it is that already.

Run by the Makefile, with the standard library alone: it is what installs everything else. A stamp inside
.venv, written last, tells what it was made from, so an environment that was left half made is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

OLDEST_PYTHON = (3, 11)
REPOSITORY = Path(__file__).resolve().parent.parent
PLAIN_SECONDS = 5  # between two lines of progress where lines stay


class SetUpError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def main() -> int:
    """Make the environment of this checkout; the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        running = ".".join(map(str, sys.version_info[:3]))
        print(f"error: Python 3.11 or later is needed, and {sys.executable} is {running}", file=sys.stderr)
        print(
            "   = remedy: install Python 3.11, or name one: make PYTHON=/path/to/python3.11", file=sys.stderr
        )
        return 1
    try:
        set_up(REPOSITORY)
    except SetUpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the next run starts the environment anew", file=sys.stderr)
        return 130
    return 0


def set_up(repository: Path) -> None:
    """Bring `repository`/.venv up to date. Raises SetUpError."""
    wanted = stamp_of(repository)
    present = read_stamp(repository)
    if present == wanted:
        return
    logs = repository / ".tuneform" / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (repository / ".tuneform" / "set-up.lock").open("w") as lock:
        wait_for(lock)
        present = read_stamp(repository)  # another run may have made it meanwhile
        if present == wanted:
            return
        stamp_path(repository).unlink(missing_ok=True)
        if without_project(present) != without_project(wanted):
            make_environment(repository, logs)
            install_packages(repository, logs)
        install_project(repository, logs)
        stamp_path(repository).write_text(json.dumps(wanted), encoding="utf-8")


def stamp_path(repository: Path) -> Path:
    """Where the stamp lies."""
    return repository / ".venv" / "tuneform-stamp.json"


def stamp_of(repository: Path) -> dict[str, str]:
    """What an up-to-date environment is made from; its folder too, which its scripts hold as a path."""
    return {
        "lock": digest(repository / "requirements.lock"),
        "project": digest(repository / "pyproject.toml"),
        "folder": str(repository),
    }


def read_stamp(repository: Path) -> dict[str, str]:
    """What the environment there is made from; empty when there is none, or one without an end."""
    try:
        stamp = json.loads(stamp_path(repository).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    python_there = python_of(repository).exists()  # False where the Python that it links to was uninstalled
    return stamp if python_there and isinstance(stamp, dict) else {}


def without_project(stamp: dict[str, str]) -> dict[str, str]:
    """The part of a stamp that all packages depend on, rather than our own alone."""
    return {key: value for key, value in stamp.items() if key != "project"}


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def python_of(repository: Path) -> Path:
    """The environment's interpreter."""
    return repository / ".venv" / "bin" / "python"


def wait_for(lock: TextIO) -> None:
    """Hold `lock` until this process ends, waiting for another set-up of the same checkout."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another set-up of this checkout is running: waiting for it", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


def make_environment(repository: Path, logs: Path) -> None:
    """An empty .venv with pip in it, in place of whatever is there."""
    # Debian packages these two apart from Python.
    for module in ("venv", "ensurepip"):
        if find_spec(module) is None:
            version = ".".join(map(str, sys.version_info[:2]))
            raise SetUpError(
                f"{sys.executable} has no `{module}`, which makes the environment\n"
                f"   = remedy: install it (Debian and Ubuntu: apt-get install python{version}-venv)"
            )
    # The interpreter below an active environment: that environment may be the one that is cleared.
    base = getattr(sys, "_base_executable", "") or sys.executable
    command = [base, "-m", "venv", "--clear", str(repository / ".venv")]
    follow(command, logs / "venv.log", lambda _: "making .venv")


def install_packages(repository: Path, logs: Path) -> None:
    """Everything in the lock, each file checked against its hashes."""
    lock = repository / "requirements.lock"
    total = len(re.findall(r"^[\w.-]+==", lock.read_text(encoding="utf-8"), re.MULTILINE))

    def describe(output: str) -> str:
        if "Installing collected packages" in output:
            return f"installing {total} packages: unpacking"
        return (
            f"installing {total} packages: {len(re.findall('^Collecting ', output, re.MULTILINE))} collected"
        )

    # Everything is in the lock, so there is nothing to resolve; what is never imported need not be compiled.
    options = ("--no-deps", "--no-compile", "--require-hashes", "--requirement", str(lock))
    pip(repository, logs / "pip-packages.log", describe, *options)


def install_project(repository: Path, logs: Path) -> None:
    """This checkout itself, editable, with its commands."""
    # Its build tools are in the lock: nothing is fetched for it.
    options = ("--no-deps", "--no-build-isolation", "--editable", str(repository))
    pip(repository, logs / "pip-project.log", lambda _: "installing tuneform", *options)


def pip(repository: Path, log: Path, describe: Callable[[str], str], *options: str) -> None:
    """`pip install` in the environment, with the user's own pip settings."""
    command = [str(python_of(repository)), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    follow([*command, *options], log, describe)


def follow(command: list[str], log: Path, describe: Callable[[str], str]) -> None:
    """Run `command`, its output in `log`, saying on stderr what it does. Raises SetUpError when it fails."""
    started = time.monotonic()
    said = started
    line = ""
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, **quiet},
        )
    try:
        while process.poll() is None:
            try:
                process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                seconds = time.monotonic() - started
                line = f"{describe(log.read_text(encoding='utf-8', errors='replace'))}, {seconds:.0f} s"
                said = show(line, said)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if line and sys.stderr.isatty():
            print(file=sys.stderr)
    if process.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        raise SetUpError(
            f"{' '.join(command[1:4])} failed (exit code {process.returncode}); the whole log is {log}\n"
            + "\n".join(f"   | {text}" for text in tail)
        )


def show(line: str, said: float) -> float:
    """Show a line of progress: in place on a terminal, else every few seconds; when one was last shown."""
    now = time.monotonic()
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
    elif now - said >= PLAIN_SECONDS:
        print(line, file=sys.stderr, flush=True)
    else:
        return said
    return now


if __name__ == "__main__":
    sys.exit(main())
