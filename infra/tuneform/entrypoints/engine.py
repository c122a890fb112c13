"""The Pulumi engine: found where there is one, obtained where there is none.

The order, and why it is this one, is docs/decisions/engine.md. As a program
(`python -m tuneform.entrypoints.engine`) it obtains the engine below `.tuneform` and says which one it is.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tuneform.errors import MachineError, TuneformError

VERSION = "3.250.0"
"""What is installed or built here; the same as the Python package `pulumi` and infra/engine/go.mod."""

MINIMUM = (3, 250, 0)
"""The oldest engine that is taken from PATH."""

INSTALLER_VARIABLE = "TUNEFORM_ENGINE_INSTALLER"
"""The environment variable that says where Pulumi's installer comes from: a URL, or `off` to skip it."""

_INSTALLER_URL = "https://get.pulumi.com/install.sh"
_INSTALLER_ANSWERS_WITHIN = 4.0
_INSTALLER_ENDS_WITHIN = 300.0
_GO_MODULE = Path(__file__).resolve().parents[2] / "engine"
_GO_COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_GO_VERSION_FLAG = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
# What a build from an empty cache prints: told as "about", to show how far it is.
_GO_MODULES, _GO_PACKAGES = 325, 1650
_TICK = 1.0
_PLAIN_TICK = 5.0

Progress = Callable[[str], None]
"""Receives one short line on what is being done now; called about once a second during long steps."""


@dataclass(frozen=True)
class Engine:
    """A `pulumi` command that is new enough.

    `origin` says in words where it comes from; `notes` which other `pulumi` was passed over for it, and why.
    """

    path: Path
    version: str
    origin: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Missing:
    """Why one of the ways led to no engine; `notable` when people would wonder, even if another way does."""

    reason: str
    notable: bool = False


def find_engine(home: Path) -> Engine | None:
    """The engine this machine has already: on PATH, or below `home` from before; None when neither.

    `home` is the folder of local state (`.tuneform`).
    """
    return _first((_on_path, lambda: _installed_before(home)), [])


def obtain_engine(home: Path, progress: Progress) -> Engine:
    """The engine this machine has, else a new one in `home`/engine/bin: installed, or built with Go.

    Raises MachineError, naming each way that was tried and what to install, when no way leads to one.
    Two processes that call this at once end with one build: the second waits for the first.
    """
    if found := find_engine(home):
        return found
    tried: list[_Missing] = []
    with _alone(home, progress):
        found = _first(
            (
                _on_path,
                lambda: _installed_before(home),  # by the process that this one waited for
                lambda: _run_installer(home, progress),
                lambda: _build(home, progress),
            ),
            tried,
            progress,
        )
    if found:
        return found
    reasons = "\n".join(f"  - {missing.reason}" for missing in tried)
    raise MachineError(
        f"no Pulumi engine {_dotted(MINIMUM)} or later, and none could be obtained:\n{reasons}",
        remedy=f"install Pulumi {VERSION} or later (https://www.pulumi.com/docs/install/), "
        "or Go 1.25.11 or later (https://go.dev/doc/install), and run this again",
        code="E410",
    )


def _first(
    ways: Iterable[Callable[[], Engine | _Missing]],
    tried: list[_Missing],
    progress: Progress = lambda _: None,
) -> Engine | None:
    """The engine of the first way that leads to one; the reasons of those before it go into `tried`."""
    for way in ways:
        outcome = way()
        if isinstance(outcome, Engine):
            return replace(outcome, notes=tuple(missing.reason for missing in tried if missing.notable))
        tried.append(outcome)
        progress(outcome.reason)
    return None


def _on_path() -> Engine | _Missing:
    command = shutil.which("pulumi")
    if command is None:
        return _Missing("there is no `pulumi` on PATH")
    return _look_at(Path(command), "on PATH")


def _installed_before(home: Path) -> Engine | _Missing:
    path = _installed_path(home)
    if not path.is_file():
        return _Missing(f"tuneform has not installed one at {path}")
    return _look_at(path, "installed here before")


def _look_at(path: Path, origin: str) -> Engine | _Missing:
    """The engine at `path`, if it runs and is new enough."""
    try:
        answer = subprocess.run(  # noqa: S603  the user's own `pulumi`, no shell
            [path, "version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _Missing(f"{path} does not run: {error}", notable=True)
    match = re.search(r"^v?((\d+)\.(\d+)\.(\d+)\S*)", answer.stdout.strip())
    if answer.returncode or match is None:
        return _Missing(f"{path} does not tell its version (exit code {answer.returncode})", notable=True)
    version, *numbers = match.groups()
    if tuple(map(int, numbers)) < MINIMUM:
        return _Missing(
            f"{path} is Pulumi {version}, older than {_dotted(MINIMUM)}: passed over", notable=True
        )
    return Engine(path.absolute(), version, origin)


def _installed_path(home: Path) -> Path:
    return home / "engine" / "bin" / "pulumi"


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


@contextmanager
def _alone(home: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of the engine folder: it goes with the process, however that ends."""
    folder = home / "engine"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise MachineError(
            f"{folder} cannot be written: {error.strerror}",
            remedy="make the folder writable, or run from a folder that is",
            code="E411",
        ) from error
    started = time.monotonic()
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress(f"another process is obtaining the engine: waiting, {_seconds_since(started)}")
                time.sleep(_TICK)
            else:
                break
        yield


def _run_installer(home: Path, progress: Progress) -> Engine | _Missing:
    """Pulumi's own installer, in a folder beside the final one, so that a broken download leaves nothing."""
    url = os.environ.get(INSTALLER_VARIABLE) or _INSTALLER_URL
    if url == "off":
        return _Missing(f"Pulumi's installer is switched off by {INSTALLER_VARIABLE}")
    progress(f"asking for Pulumi's installer at {url}")
    script = _download(url, _INSTALLER_ANSWERS_WITHIN)
    if isinstance(script, _Missing):
        return script
    root = home / "engine" / "install"
    shutil.rmtree(root, ignore_errors=True)  # of a run that was killed
    root.mkdir()
    (root / "install.sh").write_bytes(script)
    log = _log(home, "engine-install.log")
    code = _follow(
        ["sh", str(root / "install.sh"), "--no-edit-path", "--install-root", str(root), "--version", VERSION],
        log=log,
        within=_INSTALLER_ENDS_WITHIN,
        describe=lambda _: f"installing Pulumi {VERSION} with its own installer",
        progress=progress,
    )
    if code or isinstance(_look_at(root / "bin" / "pulumi", ""), _Missing):
        return _Missing(f"Pulumi's installer failed (its output is in {log})\n{_tail(log)}", notable=True)
    # Language hosts lie beside the command; the command itself goes last: its presence means "complete".
    target = _installed_path(home)
    target.parent.mkdir(exist_ok=True)
    for file in sorted((root / "bin").iterdir(), key=lambda file: file.name == "pulumi"):
        file.replace(target.parent / file.name)
    shutil.rmtree(root)
    return _look_at(target, "installed with Pulumi's installer")


def _download(url: str, within: float) -> bytes | _Missing:
    """The content of `url`, or why it is not there after `within` seconds, whatever hangs."""
    outcome: list[bytes | _Missing] = []

    def fetch() -> None:
        try:
            with urllib.request.urlopen(url, timeout=within) as answer:  # noqa: S310  our URL, or the user's own
                outcome.append(answer.read())
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            outcome.append(_Missing(f"Pulumi's installer cannot be reached at {url}: {reason}"))

    # A thread, because no timeout of urllib covers a name server that does not answer.
    worker = threading.Thread(target=fetch, daemon=True)
    worker.start()
    worker.join(within)
    return outcome[0] if outcome else _Missing(f"Pulumi's installer at {url} gave no answer in {within:g} s")


def _build(home: Path, progress: Progress) -> Engine | _Missing:
    """The engine from source: about five minutes once, a few seconds when Go's cache holds it."""
    if not (_GO_MODULE / "go.mod").is_file():
        return _Missing("this installation of tuneform does not hold the Go module of the engine")
    go = shutil.which("go")
    if go is None:
        return _Missing("there is no `go` on PATH to build the engine with")
    target = _installed_path(home)
    target.parent.mkdir(exist_ok=True)
    for leftover in target.parent.glob(".pulumi-*"):
        leftover.unlink()
    fresh = target.parent.absolute() / f".pulumi-{os.getpid()}"
    flags = f"-s -w -X {_GO_VERSION_FLAG}=v{VERSION}"
    log = _log(home, "engine-build.log")
    code = _follow(
        [
            go,
            "build",
            "-v",
            "-mod=readonly",
            "-buildvcs=false",
            "-ldflags",
            flags,
            "-o",
            str(fresh),
            _GO_COMMAND,
        ],
        cwd=_GO_MODULE,
        environment={"GOWORK": "off"},
        log=log,
        describe=_describe_build,
        progress=progress,
    )
    if code:
        fresh.unlink(missing_ok=True)
        return _Missing(f"`go build` of the engine failed (its output is in {log})\n{_tail(log)}")
    fresh.replace(target)
    return _look_at(target, "built here with Go")


def _describe_build(output: str) -> str:
    """What `go build -v` is doing, from its output: modules, then packages, then the linker."""
    lines = output.splitlines()
    modules = sum(line.startswith("go: downloading") for line in lines)
    packages = sum(not line.startswith("go: ") for line in lines)
    if _GO_COMMAND in lines:
        return f"building Pulumi {VERSION}: linking"
    if packages:
        return f"building Pulumi {VERSION} (once): {packages} of about {_GO_PACKAGES} packages compiled"
    if modules:
        return f"building Pulumi {VERSION} (once): {modules} of about {_GO_MODULES} modules fetched"
    return f"building Pulumi {VERSION} with Go"


def _follow(
    command: Sequence[str],
    *,
    log: Path,
    describe: Callable[[str], str],
    progress: Progress,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
    within: float | None = None,
) -> int:
    """Run `command` with its output in `log`, telling `progress` each second what it does; its exit code.

    It does not outlive this call: not an interrupt, and not the `within` seconds it is given.
    """
    started = time.monotonic()
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  the fixed commands of this module, no shell
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while within is None or time.monotonic() - started < within:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=_TICK)
            progress(f"{describe(log.read_text(errors='replace'))}, {_seconds_since(started)}")
        return 1
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _seconds_since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"


def _log(home: Path, name: str) -> Path:
    folder = home / "logs"
    folder.mkdir(exist_ok=True)
    return folder / name


def _tail(log: Path, lines: int = 8) -> str:
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])


def _plainly(say: Progress) -> Progress:
    """Progress for a log file, where lines stay: one every few seconds."""
    last = -_PLAIN_TICK

    def tell(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _PLAIN_TICK:
            last = time.monotonic()
            say(line)

    return tell


def obtain_shown(home: Path, console: Console) -> Engine:
    """`obtain_engine`, telling what is being done: in place on a terminal, else a line every few seconds.

    Tells also which `pulumi` was passed over. Raises MachineError as `obtain_engine` does.
    """

    def say(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    if console.is_terminal:
        with console.status("looking for the Pulumi engine") as status:
            engine = obtain_engine(home, lambda line: status.update(Text(line)))
    else:
        engine = obtain_engine(home, _plainly(say))
    for note in engine.notes:
        say(note)
    return engine


def main() -> int:
    """Obtain the engine below the current folder's `.tuneform`, showing what is being done; the exit code."""
    console = Console(stderr=True)
    try:
        engine = obtain_shown(Path(".tuneform"), console)
    except TuneformError as error:
        console.print(Text(error.render()), soft_wrap=True)
        return 1
    console.print(Text(f"engine: Pulumi {engine.version}, {engine.origin}"), soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
