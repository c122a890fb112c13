"""A user's checkout: the installed `tuneform` run as a process, on files, with an emulator of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

ROOT = Path(__file__).parents[3]
TUNEFORM = Path(sys.executable).with_name("tuneform")
DEADLINE = 300


@dataclass(frozen=True)
class Ended:
    """A command that has ended; `text` is all that it printed."""

    code: int
    text: str


@dataclass(frozen=True)
class Checkout:
    """A folder with Pulumi.yaml and specs/, and all local state below it."""

    folder: Path

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
        """The environment of its commands: nothing of the caller's settings, the engine on PATH."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TUNEFORM_", "PULUMI_", "GOOGLE_"))}
        engine = ROOT / ".tuneform" / "engine" / "bin"
        return {**kept, "PATH": os.pathsep.join([str(engine), kept["PATH"]]), "NO_COLOR": "1"}

    def run(self, *arguments: str, cwd: Path | None = None) -> Ended:
        """Run `tuneform` to its end."""
        done = subprocess.run(
            [TUNEFORM, *arguments],
            cwd=cwd or self.folder,
            env=self.env,
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

    def counts(self) -> dict[str, int]:
        """How many jobs, models, endpoints and buckets its emulator holds."""
        answer = requests.get(f"{self.endpoint}/_emulator/counts", timeout=10)
        return {str(name): int(count) for name, count in answer.json().items()}

    def edit(self, file: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Change the documents of a spec file; comments are lost, meaning is not."""
        path = self.folder / "specs" / file
        documents = list(yaml.safe_load_all(path.read_text()))
        change(documents)
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False))
