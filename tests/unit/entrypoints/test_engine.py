"""The engine is found or obtained in one order, on machines that these tests put together from small scripts."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tuneform.entrypoints import engine
from tuneform.errors import MachineError

PULUMI = "#!/bin/sh\necho {version}\n"
# Writes a pulumi where `-o` says, as `go build` does, and remembers its arguments and folder.
GO = """#!/bin/sh
echo "$PWD $*" >> {calls}
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho v3.250.0\\n' > "$2"
chmod +x "$2"
"""
# Takes the options that Pulumi's installer takes.
INSTALLER = """
echo "$*" >> {calls}
while [ "$1" != --install-root ]; do shift; done
mkdir -p "$2/bin"
printf '#!/bin/sh\\necho v3.250.0\\n' > "$2/bin/pulumi"
printf '#!/bin/sh\\n' > "$2/bin/pulumi-language-python"
chmod +x "$2/bin/pulumi"
"""


@dataclass
class Machine:
    """A PATH with a few tools on it, an installer (switched off at first) and an empty folder of local state."""

    folder: Path
    patch: pytest.MonkeyPatch
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bin.mkdir()
        for tool in ("sh", "chmod", "mkdir", "cat", "sleep"):
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        self.patch.setenv("PATH", str(self.bin))
        self.patch.setenv(engine.INSTALLER_VARIABLE, "off")
        self.patch.setattr(engine, "_TICK", 0.01)

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def calls(self) -> list[str]:
        """The command lines that `go` or the installer were run with."""
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def has(self, name: str, script: str) -> Path:
        path = self.bin / name
        path.write_text(script.replace("{calls}", str(self.folder / "calls")))
        path.chmod(0o755)
        return path

    def offers_installer(self, script: str) -> None:
        path = self.folder / "offered.sh"
        path.write_text(script.replace("{calls}", str(self.folder / "calls")))
        self.patch.setenv(engine.INSTALLER_VARIABLE, path.as_uri())

    def obtain(self) -> engine.Engine:
        return engine.obtain_engine(self.home, self.said.append)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize("version", ["v3.250.0", "3.251.0-alpha.x1", "v3.300.2", "v4.0.0"])
def test_a_pulumi_on_path_is_taken_and_nothing_is_built(machine: Machine, version: str) -> None:
    path = machine.has("pulumi", PULUMI.format(version=version))
    machine.has("go", GO)
    machine.offers_installer(INSTALLER)
    assert machine.obtain() == engine.Engine(path, version.removeprefix("v"), "on PATH")
    assert machine.calls == []
    assert not machine.home.exists()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (PULUMI.format(version="v3.249.9"), "is Pulumi 3.249.9, older than 3.250.0: passed over"),
        (PULUMI.format(version="v2.300.0"), "is Pulumi 2.300.0, older than 3.250.0: passed over"),
        ("#!/bin/sh\nexit 9\n", "does not tell its version (exit code 9)"),
        ("#!/no/such/interpreter\n", "does not run"),
    ],
)
def test_an_unusable_pulumi_on_path_is_named_and_passed_over(
    machine: Machine, script: str, reason: str
) -> None:
    path = machine.has("pulumi", script)
    machine.has("go", GO)
    assert engine.find_engine(machine.home) is None
    obtained = machine.obtain()
    assert obtained.path == machine.home / "engine" / "bin" / "pulumi"
    assert str(path) in obtained.notes[0]
    assert reason in obtained.notes[0]
    assert obtained.notes[0] in machine.said


def test_without_pulumi_the_engine_is_built_once_and_then_found(machine: Machine) -> None:
    machine.has("go", GO)
    assert engine.find_engine(machine.home) is None
    built = machine.obtain()
    assert (built.version, built.origin, built.notes) == ("3.250.0", "built here with Go", ())
    assert machine.obtain().origin == "installed here before"
    assert engine.find_engine(machine.home) == machine.obtain()
    assert len(machine.calls) == 1


def test_the_build_uses_the_pinned_module_as_it_is(machine: Machine) -> None:
    machine.has("go", GO)
    machine.obtain()
    folder, _, arguments = machine.calls[0].partition(" ")
    assert (Path(folder) / "go.mod").read_text().count("tool github.com/pulumi/pulumi/pkg/v3/cmd/pulumi") == 1
    assert arguments.startswith("build ")
    assert " -mod=readonly " in arguments
    assert "common/version.Version=v3.250.0 " in arguments


def test_the_installer_is_preferred_to_a_build(machine: Machine) -> None:
    machine.has("go", GO)
    machine.offers_installer(INSTALLER)
    assert machine.obtain().origin == "installed with Pulumi's installer"
    root = machine.home / "engine"
    assert machine.calls == [f"--no-edit-path --install-root {root / 'install'} --version 3.250.0"]
    assert sorted(path.name for path in (root / "bin").iterdir()) == ["pulumi", "pulumi-language-python"]
    assert not (root / "install").exists()


def test_a_failing_installer_leaves_no_engine_and_shows_its_output(machine: Machine) -> None:
    machine.offers_installer(INSTALLER + "echo the disk is full\nexit 1\n")
    with pytest.raises(MachineError, match="the disk is full"):
        machine.obtain()
    assert engine.find_engine(machine.home) is None


def test_an_unreachable_installer_is_followed_by_a_build(machine: Machine) -> None:
    machine.patch.setenv(engine.INSTALLER_VARIABLE, (machine.folder / "nowhere.sh").as_uri())
    machine.has("go", GO)
    assert machine.obtain().origin == "built here with Go"
    assert any("installer cannot be reached" in line for line in machine.said)


def test_an_installer_that_never_answers_is_given_up(machine: Machine) -> None:
    silent = machine.folder / "silent.sh"
    os.mkfifo(silent)  # opening it blocks, as a name server does that drops what it is sent
    machine.patch.setenv(engine.INSTALLER_VARIABLE, silent.as_uri())
    machine.patch.setattr(engine, "_INSTALLER_ANSWERS_WITHIN", 0.05)
    machine.has("go", GO)
    assert machine.obtain().origin == "built here with Go"
    assert any("gave no answer in 0.05 s" in line for line in machine.said)
    silent.open("w").close()  # lets the thread that still waits go


def test_with_no_way_left_the_error_names_each_and_what_to_install(machine: Machine) -> None:
    with pytest.raises(MachineError) as caught:
        machine.obtain()
    text = caught.value.render()
    assert "there is no `pulumi` on PATH" in text
    assert f"switched off by {engine.INSTALLER_VARIABLE}" in text
    assert "there is no `go` on PATH" in text
    assert "remedy: install Pulumi 3.250.0 or later" in text
    assert "Go 1.25.11 or later" in text


def test_an_installation_without_the_go_module_says_so(machine: Machine) -> None:
    machine.patch.setattr(engine, "_GO_MODULE", machine.folder)
    machine.has("go", GO)
    with pytest.raises(MachineError, match="does not hold the Go module"):
        machine.obtain()


def test_a_failing_build_leaves_no_engine_and_shows_its_output(machine: Machine) -> None:
    machine.has("go", GO + "echo 'go.mod requires go >= 1.25.11'\nexit 1\n")
    with pytest.raises(MachineError, match=r"requires go >= 1\.25\.11"):
        machine.obtain()
    assert list((machine.home / "engine" / "bin").iterdir()) == []


def test_what_a_killed_build_left_is_removed(machine: Machine) -> None:
    leftover = machine.home / "engine" / "bin" / ".pulumi-1234"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a binary")
    machine.has("go", GO)
    assert machine.obtain().origin == "built here with Go"
    assert not leftover.exists()


def test_a_home_that_cannot_be_written_is_an_error_with_a_remedy(machine: Machine) -> None:
    machine.home.write_text("a file where the folder should be")
    with pytest.raises(MachineError, match="cannot be written") as caught:
        machine.obtain()
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("", "building Pulumi 3.250.0 with Go, "),
        ("go: downloading a v1\\ngo: downloading b v2\\n", ": 2 of about 325 modules fetched, "),
        ("go: downloading a v1\\nunicode/utf8\\n", ": 1 of about 1650 packages compiled, "),
        ("unicode/utf8\\ngithub.com/pulumi/pulumi/pkg/v3/cmd/pulumi\\n", ": linking, "),
    ],
)
def test_progress_says_what_the_build_is_doing(machine: Machine, printed: str, expected: str) -> None:
    gate = machine.folder / "gate"
    os.mkfifo(gate)
    machine.has("go", GO + f"printf '{printed}'\ncat {gate}\n")
    seen = _opening(gate, lambda line: expected in line)
    engine.obtain_engine(machine.home, seen)  # ends only when the line came


def _opening(gate: Path, when: Callable[[str], bool]) -> engine.Progress:
    """Progress that lets go what waits for `gate`, at the first line that is meant."""
    opened = False

    def progress(line: str) -> None:
        nonlocal opened
        if not opened and when(line):
            opened = True
            gate.open("w").close()

    return progress


def test_two_at_once_end_with_one_build(machine: Machine) -> None:
    gate = machine.folder / "gate"
    os.mkfifo(gate)
    machine.has("go", GO + f"cat {gate}\n")
    building, origins = threading.Event(), []

    def progress(line: str) -> None:
        if "building" in line:
            building.set()

    def first() -> None:
        origins.append(engine.obtain_engine(machine.home, progress))

    thread = threading.Thread(target=first)
    thread.start()
    assert building.wait(timeout=30)
    second = engine.obtain_engine(machine.home, _opening(gate, lambda line: "another process" in line))
    thread.join()
    assert [origins[0].origin, second.origin] == ["built here with Go", "installed here before"]
    assert len(machine.calls) == 1


def test_an_interrupted_build_leaves_no_process(machine: Machine) -> None:
    pid_file = machine.folder / "pid"
    machine.has("go", f"#!/bin/sh\necho $$ > {pid_file}\nexec sleep 600\n")

    def interrupt(line: str) -> None:
        if "building" in line and pid_file.exists() and pid_file.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.obtain_engine(machine.home, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_the_program_says_which_engine_it_is(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.patch.chdir(machine.folder)
    machine.has("pulumi", PULUMI.format(version="v3.1.0"))
    machine.has("go", GO)
    assert engine.main() == 0
    said = capsys.readouterr().err.splitlines()
    assert "older than 3.250.0: passed over" in said[-2]
    assert said[-1] == "engine: Pulumi 3.250.0, built here with Go"
    assert (machine.folder / ".tuneform" / "engine" / "bin" / "pulumi").is_file()


def test_the_program_fails_with_the_remedy_and_no_traceback(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.patch.chdir(machine.folder)
    assert engine.main() == 1
    said = capsys.readouterr().err
    assert "error[E410]" in said
    assert "= remedy: install Pulumi" in said
    assert "Traceback" not in said
