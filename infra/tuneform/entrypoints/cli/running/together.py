"""Several projects' stacks side by side. A stack is one project, and each is run by a process of its own.

While they run, what each says is shown line by line behind its project's name; what came out of each is shown at the
end, one project below another in the order of their names. One that fails stops no other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tuneform.entrypoints.cli.beside import side_by_side
from tuneform.entrypoints.cli.reconciling.scope import refuse_part
from tuneform.entrypoints.cli.reconciling.several import heading
from tuneform.entrypoints.cli.running import supervise
from tuneform.entrypoints.cli.running.rows import load_with_rows
from tuneform.entrypoints.cli.running.runs import Options, uninterrupted
from tuneform.entrypoints.cli.settings import Settings, provider_environment, running_emulator
from tuneform.entrypoints.cli.warning import warn
from tuneform.entrypoints.engine import obtain_shown
from tuneform.specs import Project, load
from tuneform.specs.peek import peek

COLOURS = ("cyan", "magenta", "green", "yellow", "blue")
FAILED = 1


@dataclass(frozen=True)
class _Ended:
    """A project's process: its exit code, and what came out."""

    code: int
    out: str


def is_about_several(options: Options) -> bool:
    """Whether the specs hold several projects, and none of them, and no stack, was named."""
    settings = Settings.here(options.capabilities, options.prices)
    if options.project is not None or settings.get("stack", options.stack) is not None:
        return False
    folder = settings.specs(options.path or options.specs)
    if not folder.is_dir():
        return False
    # At a glance, so that most specs are read once; one that it overlooks is told of by the error that wants --project.
    return len(peek(folder)) != 1 and len(load(folder, settings.known()).of(Project)) > 1


def run(command: str, options: Options, *arguments: str, read_rows: bool = False) -> None:
    """Run a command for every project of the specs; the process ends with 1 when one of them failed.

    What is wrong with all of them is found before any is begun.

    Raises:
        SpecErrors: what is wrong in the specs, or (with `read_rows`) in the rows.
        MachineError: there is no engine, or no emulator answers.
    """
    settings, console = Settings.here(options.capabilities, options.prices), Console(highlight=False)
    folder, known = settings.specs(options.path or options.specs), settings.known()
    tree = load_with_rows(folder, known)[0] if read_rows else load(folder, known)
    refuse_part(settings, folder, tree)
    warn(tree.warnings)
    provider_environment(settings)
    at_once = settings.at_once(options.parallel)
    running_emulator(settings)
    obtain_shown(settings.home, console)
    names = sorted(project.name for project in tree.of(Project))
    console.print(f"{command}: {len(names)} projects of {folder}, {min(at_once, len(names))} at once")
    shown = _Shown(console, names)
    flags = [*_flags(folder, options), *arguments]
    works = [lambda name=name: _run_one(command, name, flags, shown) for name in names]
    with uninterrupted(console):
        ended = [wait() for wait in side_by_side(works, at_once)]
    _tell(names, ended, console)
    if any(one.code for one in ended):
        sys.exit(FAILED)


def _flags(folder: Path, options: Options) -> list[str]:
    """The command line of one project's process, as it was given to us."""
    adopt = {None: [], True: ["--adopt"], False: ["--no-adopt"]}[options.adopt]
    wait = ["--wait", options.wait] if options.wait else []
    prices = ["--prices", str(options.prices)] if options.prices else []
    known = [word for file in options.capabilities for word in ("--capabilities", str(file))]
    return [str(folder), *adopt, *wait, *prices, *known, "--of-several"]


class _Shown:
    """Where the processes' lines are shown, whole and one at a time."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self._console, self._names = console, names
        self._width = max(map(len, names))
        self._lock = threading.Lock()

    @property
    def room(self) -> int:
        """The columns that are left for a line."""
        return max(40, self._console.width - self._width - 3)

    def line(self, name: str, text: str) -> None:
        """Show a line of a project."""
        colour = COLOURS[self._names.index(name) % len(COLOURS)]
        with self._lock:
            whole = Text.assemble((f"{name:<{self._width}}", colour), (" │ ", "dim"), text)
            self._console.print(whole, soft_wrap=True)


def _run_one(command: str, name: str, flags: Sequence[str], shown: _Shown) -> _Ended:
    """One project, to its end. It is supervised: should we be killed, it ends in order."""
    ours = [sys.executable, "-m", "tuneform.entrypoints.cli.main", command, *flags, "--project", name]
    process = subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, supervise.__file__, *ours],
        env={**os.environ, "COLUMNS": str(shown.room)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out: list[str] = []
    reader = threading.Thread(target=lambda: out.extend(process.stdout or ()), daemon=True)
    reader.start()
    for line in process.stderr or ():
        shown.line(name, line.rstrip("\n"))
    code = process.wait()
    reader.join()
    return _Ended(code, "".join(out))


def _tell(names: Sequence[str], ended: Sequence[_Ended], console: Console) -> None:
    """What came out of each, and how many failed."""
    for name, one in zip(names, ended, strict=True):
        console.print("")
        heading(name, console)
        console.print(Text(one.out.strip("\n") or "nothing came of it"), soft_wrap=True)
        if one.code:
            console.print(Text("failed: what went wrong is said above", style="red"))
    failed = [name for name, one in zip(names, ended, strict=True) if one.code]
    done = len(names) - len(failed)
    more = f", {len(failed)} failed: {', '.join(failed)}" if failed else ""
    console.print(Text(f"\nAll {len(names)} projects: {done} done{more}.", style="bold"), soft_wrap=True)
