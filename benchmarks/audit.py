"""An audit of many projects: time, calls and memory, whole and interrupted.

    python -m benchmarks.audit [PROJECTS JOBS]

200 projects with 50 jobs each, unless told otherwise, with the models and endpoints of the four in five that succeeded
and two buckets (auditing/world.py), on an emulator of its own over gRPC and REST, judged by 13 rules. Every figure is of
a whole process. Then the same audit is killed when half of it is in the journal, and run again: what it says must be
the same, and the calls that were made twice are counted. No pace is set, so that the figures are tuneform's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.auditing import world

from tuneform_emulator.store import Store

TUNEFORM = Path(sys.executable).with_name("tuneform")
LOOK = 0.05
"""Seconds between two looks at the journal."""


@dataclass(frozen=True)
class Run:
    """What one process took: seconds on the wall and of processor, its largest size in MiB, calls answered."""

    wall: float
    cpu: float
    memory: float
    calls: int
    said: str = ""

    def row(self, what: str) -> str:
        """A line of the table."""
        return f"{what:44} {self.wall:7.2f} s {self.cpu:7.2f} s {self.memory:7.0f} MiB {self.calls:6} calls"


@dataclass(frozen=True)
class Office:
    """A folder with what an audit needs, and an emulator with the projects."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of its commands."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TUNEFORM_", "PYTHON"))}
        return {**kept, "NO_COLOR": "1"}

    def does(self, *arguments: str) -> None:
        """Run `tuneform`, which must succeed."""
        subprocess.run([TUNEFORM, *arguments], cwd=self.folder, env=self.env, check=True, capture_output=True)  # noqa: S603

    def command(self, journal: str) -> list[str]:
        """The audit."""
        return [str(TUNEFORM), "audit", "--projects", "projects.txt", "--format", "json", "--state", journal]

    def audit(self, journal: str) -> Run:
        """A whole audit, to its end."""
        before, started = self.calls(), time.perf_counter()
        with (self.folder / "said.json").open("w+b") as said:
            process = subprocess.Popen(self.command(journal), cwd=self.folder, env=self.env, stdout=said)  # noqa: S603
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - started
            said.seek(0)
            text = said.read().decode()
        if process.returncode != 1:  # there is something to be found
            raise SystemExit(f"the audit ended with {process.returncode}:\n{text[-2000:]}")
        cpu = usage.ru_utime + usage.ru_stime
        return Run(wall, cpu, usage.ru_maxrss / 1024, self.calls() - before, text)

    def killed(self, journal: str, lines: int) -> Run:
        """An audit that is killed once its journal has so many lines."""
        before, started = self.calls(), time.perf_counter()
        path = self.folder / journal
        process = subprocess.Popen(
            self.command(journal), cwd=self.folder, env=self.env, stdout=subprocess.DEVNULL
        )  # noqa: S603
        while process.poll() is None and not (path.is_file() and path.read_bytes().count(b"\n") >= lines):
            time.sleep(LOOK)
        process.kill()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = -9
        wall = time.perf_counter() - started
        return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, self.calls() - before)

    def calls(self) -> int:
        """Calls that the emulator has answered."""
        record = json.loads((self.folder / ".tuneform" / "emulator" / "emulator.json").read_text())
        with urlopen(f"{record['endpoint']}/_emulator/requests", timeout=30) as answer:  # noqa: S310
            counted: dict[str, int] = json.load(answer)["requests"]
        return sum(count for route, count in counted.items() if "/_emulator/" not in route)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    projects, jobs = map(int, arguments) if arguments else (200, 50)
    with tempfile.TemporaryDirectory() as name:
        office = Office(Path(name) / "office")
        world.write(office.folder, projects)
        database = office.folder / ".tuneform" / "emulator" / "emulator.db"
        store = Store(database)
        world.populate(store, projects, jobs)
        store.close()
        office.does("emulator", "start", "--port", "0")
        try:
            _measure(office, projects, jobs)
        finally:
            office.does("emulator", "stop")


def _measure(office: Office, projects: int, jobs: int) -> None:
    print(f"{'':44} {'wall':>9} {'processor':>9} {'memory':>11}")
    office.audit("first.jsonl")  # lets the emulator make its answers, which takes no time of tuneform's
    whole = office.audit("whole.jsonl")
    print(whole.row(f"audit, {projects:,} projects of {jobs:,} jobs"), flush=True)
    parts = (office.folder / "whole.jsonl").read_bytes().count(b"\n")
    killed = office.killed("killed.jsonl", parts // 2)
    print(killed.row("the same, killed half-way"), flush=True)
    resumed = office.audit("killed.jsonl")
    print(resumed.row("and run again"), flush=True)
    if resumed.said != whole.said:
        raise SystemExit("the audit that was interrupted says something else than the whole one")
    twice = killed.calls + resumed.calls - whole.calls
    print(f"both say the same; {twice} calls were made twice")
    summary = json.loads(whole.said)["summary"]
    found = ", ".join(f"{summary[name]:,} {name}" for name in ("deny", "warn", "audit", "excepted"))
    print(f"seen: {summary['seen']}; breaches: {found}")


if __name__ == "__main__":
    main(sys.argv[1:])
