"""A user's checkout: the installed `tuneform` run as a process, on files, with an emulator of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

ROOT = Path(__file__).parents[3]
TUNEFORM = Path(sys.executable).with_name("tuneform")
DEADLINE = 300
SETTINGS = ("TUNEFORM_", "PULUMI_", "GOOGLE_", "PYTHON")
"""Beginnings of the variables that a caller may have set and a newcomer has not.

Of Python's, PYTHONDONTWRITEBYTECODE doubles the time of every run.
"""


PROJECT = "tuneform-demo"
PARENT = f"projects/{PROJECT}/locations/us-central1"


@dataclass(frozen=True)
class Ended:
    """A command that has ended; `text` is all that it printed."""

    code: int
    text: str


@dataclass(frozen=True)
class Checkout:
    """A folder with Pulumi.yaml and specs/, and all local state below it."""

    folder: Path

    def __post_init__(self) -> None:
        """Give its emulator a port of its own: where a killed one listened, no other test's may answer."""
        noted = self.folder / ".tuneform" / "emulator" / "port"
        noted.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            noted.write_text(f"{free.getsockname()[1]}\n")

    @classmethod
    def of_this_project(cls, folder: Path) -> Checkout:
        """The project's own files, as a clone has them; the engine that is built already is used again."""
        for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "specs", folder / "specs")
        (folder / "infra").symlink_to(ROOT / "infra")
        return cls(folder)

    @property
    def env(self) -> dict[str, str]:
        """The environment of its commands: nothing of the caller's settings but the day, the engine on PATH."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        engine = ROOT / ".tuneform" / "engine" / "bin"
        path = os.pathsep.join([str(engine), kept["PATH"]])
        return {**kept, "PATH": path, "NO_COLOR": "1", "TUNEFORM_TODAY": os.environ["TUNEFORM_TODAY"]}

    def run(
        self, *arguments: str, cwd: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> Ended:
        """Run `tuneform` to its end; `settings` are environment variables for this run."""
        done = subprocess.run(
            [TUNEFORM, *arguments],
            cwd=cwd or self.folder,
            env={**self.env, **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Ended(done.returncode, done.stdout)

    def does(self, *arguments: str) -> str:
        """Run `tuneform`, which must succeed, and return what it printed."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended.text
        return ended.text

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `tuneform` and do not wait; it leads a process group of its own."""
        return subprocess.Popen(
            [TUNEFORM, *arguments],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def endpoint(self) -> str:
        """Where its emulator listens."""
        record = json.loads((self.folder / ".tuneform" / "emulator" / "emulator.json").read_text())
        return str(record["endpoint"])

    def answer(self, path: str) -> dict[str, Any]:
        """What its emulator answers to a GET."""
        answer = requests.get(f"{self.endpoint}/{path}", timeout=30)
        assert answer.ok, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def live(self, kind: str) -> list[dict[str, Any]]:
        """All tuningJobs, models or endpoints of its project."""
        found: list[dict[str, Any]] = self.answer(f"v1/{PARENT}/{kind}?pageSize=100").get(kind, [])
        return found

    def counts(self) -> dict[str, int]:
        """How many jobs, models, endpoints and buckets its emulator holds."""
        answer = requests.get(f"{self.endpoint}/_emulator/counts", timeout=10)
        return {str(name): int(count) for name, count in answer.json().items()}

    def shrink(self) -> None:
        """Keep one tuning of the example, short enough to be trained in seconds; this is its first commit."""
        (self.folder / "specs" / "next-number.yaml").unlink()
        self.edit("support-intents.yaml", epochs(3))
        self.commit()

    def commit(self) -> None:
        """Remember the specs as they are now."""
        shutil.rmtree(self.folder / "committed", ignore_errors=True)
        shutil.copytree(self.folder / "specs", self.folder / "committed")

    def revert(self) -> None:
        """Put the specs back to what `commit` remembered."""
        shutil.rmtree(self.folder / "specs")
        shutil.copytree(self.folder / "committed", self.folder / "specs")

    def processes(self) -> list[psutil.Process]:
        """Everything that works for its stacks: supervisors, engines and plugins."""
        mark = f"file://{self.folder}/"
        return [process for process in psutil.process_iter() if mark in _backend(process)]

    def edit(self, file: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Change the documents of a spec file; comments are lost, meaning is not."""
        path = self.folder / "specs" / file
        documents = list(yaml.safe_load_all(path.read_text()))
        change(documents)
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False))


def epochs(count: int) -> Callable[[list[dict[str, Any]]], None]:
    """An edit that gives every TuningJob of a file this epochCount."""

    def change(documents: list[dict[str, Any]]) -> None:
        for document in documents:
            if document["kind"] == "TuningJob":
                document["spec"]["hyperParameters"]["epochCount"] = count

    return change


def outputs(text: str) -> dict[str, dict[str, str]]:
    """What `up` printed of each model: endpoint, model, revision, checkpoint, metrics."""
    found: dict[str, dict[str, str]] = {}
    name = ""
    for line in text.splitlines():
        if re.fullmatch(r"[a-z][-a-z0-9]*", line):
            name = line
        elif match := re.fullmatch(r"  (endpoint|model|revision|checkpoint|metrics) +(\S.*)", line):
            found.setdefault(name, {})[match[1]] = match[2]
    return found


def _backend(process: psutil.Process) -> str:
    try:
        return process.environ().get("PULUMI_BACKEND_URL", "")
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return ""
