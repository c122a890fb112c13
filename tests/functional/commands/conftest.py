"""A spec folder of a shop, an emulator of its own, and the installed `tuneform` run on it as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.faults.control import Control
from tests.functional.emulators import Emulator

TUNEFORM = Path(sys.executable).with_name("tuneform")
SETTINGS = ("TUNEFORM_", "PULUMI_", "GOOGLE_", "PYTHON", "NO_COLOR", "FORCE_COLOR")
DEADLINE = 120
COLOURS = ("red", "green", "blue")
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
HEAD: dict[str, Any] = {"apiVersion": "tuneform.dev/v1"}
PROJECT = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: shop}
spec: {projectId: tuneform-test, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: colours}
spec: {bucket: {ref: data}, training: colours.jsonl, test: test.jsonl}
"""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """All of stdout, as the one object that it must be."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Shop:
    """The folder and the emulator."""

    folder: Path
    emulator: Emulator
    control: Control
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of its commands: nothing of the caller's settings but the day."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        fixed = {"TUNEFORM_TODAY": os.environ["TUNEFORM_TODAY"], "TUNEFORM_ENDPOINT": self.emulator.endpoint}
        return {**kept, **fixed, **self.environment}

    def run(self, *arguments: str) -> Ended:
        """Run `tuneform` to its end, with nobody at the keyboard."""
        done = subprocess.run(
            [TUNEFORM, *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def does(self, *arguments: str) -> Ended:
        """Run `tuneform`, which must succeed."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended.out + ended.err
        return ended

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """`tuneform` at work while the block runs, its stderr with its stdout."""
        process = subprocess.Popen(
            [TUNEFORM, *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def write(self, name: str, *, epochs: int = 2, **fields: Any) -> None:
        """A file with a TuningJob and the TunedModel of the same name; `fields` are the latter's."""
        job = {"baseModel": "gemini-2.5-flash", "dataset": {"ref": "colours"}}
        job["hyperParameters"] = {"epochCount": epochs, "adapterSize": "ADAPTER_SIZE_EIGHT"}
        metadata = {"name": name, **fields.pop("metadata", {})}
        documents = [
            {**HEAD, "kind": "TuningJob", "metadata": metadata, "spec": job},
            {**HEAD, "kind": "TunedModel", "metadata": metadata, "spec": {"job": {"ref": name}, **fields}},
        ]
        # Moved into place whole: a watcher must never read half a file.
        path = self.folder / "specs" / f"{name}.yaml"
        partial = path.with_suffix(".part")
        partial.write_text(yaml.safe_dump_all(documents, sort_keys=False))
        partial.replace(path)

    def remove(self, name: str) -> None:
        (self.folder / "specs" / f"{name}.yaml").unlink()

    def build(self) -> None:
        """What `up` is for: the API enabled, and the bucket."""
        for service in ("aiplatform.googleapis.com", "cloudkms.googleapis.com"):
            path = f"/v1/projects/{self.emulator.project}/services/{service}:enable"
            assert self.emulator.call("POST", path, json={}).ok
        self.emulator.storage().create_bucket("tuneform-test-data", location="US-CENTRAL1")

    def live(self, kind: str) -> list[dict[str, Any]]:
        """All tuningJobs, models or endpoints."""
        parent = f"projects/{self.emulator.project}/locations/us-central1"
        answer = self.emulator.call("GET", f"/v1/{parent}/{kind}?pageSize=100")
        found: list[dict[str, Any]] = answer.json().get(kind, [])
        return found

    def changes(self) -> list[str]:
        """The calls so far that change something."""
        return [f"{call.method} {call.route}" for call in self.control.log() if call.method in CHANGING]


@pytest.fixture
def empty(emulator: Emulator, tmp_path: Path) -> Shop:
    """A shop of which nothing is live, not even its bucket."""
    folder = tmp_path / "shop"
    (folder / "specs").mkdir(parents=True)
    (folder / "tuneform.toml").write_text("")
    (folder / "specs" / "project.yaml").write_text(PROJECT)
    rows = [json.dumps({"text_input": f"say {c} {n}", "output": c}) for n in range(8) for c in COLOURS]
    (folder / "specs" / "colours.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "specs" / "test.jsonl").write_text(
        json.dumps({"text_input": "say red 9", "output": "red"}) + "\n"
    )
    shop = Shop(folder, emulator, Control(emulator.endpoint))
    shop.write("colours", keep=0)
    return shop


@pytest.fixture
def shop(empty: Shop) -> Shop:
    """A shop whose infrastructure is there."""
    empty.build()
    return empty


@pytest.fixture
def served(shop: Shop) -> Shop:
    """A shop that has been applied."""
    shop.does("apply", "--yes")
    return shop


def until(condition: Callable[[], Any], what: str) -> Any:
    """What a condition gives once it gives something; fails after a while."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")
