"""Set-up on small checkouts of their own: the lock is empty or of local wheels, so nothing is fetched."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
WHEEL = {
    "tiny.py": "answer = 42\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/RECORD": "",
}
# A build backend in the checkout itself: the project's own is not in an empty lock.
BACKEND = """
import zipfile
TAGS = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
def _wheel(folder):
    name = "small-VERSION-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("small-VERSION.dist-info/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: VERSION\\n")
        wheel.writestr("small-VERSION.dist-info/WHEEL", TAGS)
        wheel.writestr("small-VERSION.dist-info/RECORD", "")
    return name
def build_editable(folder, settings=None, metadata=None):
    return _wheel(folder)
def build_wheel(folder, settings=None, metadata=None):
    return _wheel(folder)
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "small"
version = "1.0"
"""
MARK = Path(".venv", "mark")  # lies in an environment, and goes with it when it is made anew
STAMP = Path(".venv", "tuneform-stamp.json")


def bootstrap(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    with bootstrapping(checkout, **environment) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def bootstrapping(checkout: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, checkout / "infra" / "bootstrap.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PIP_NO_INDEX": "1", **environment},
    )


def installed(checkout: Path) -> set[str]:
    python = checkout / ".venv" / "bin" / "python"
    code = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    return set(
        subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )


def bare_checkout(folder: Path) -> Path:
    (folder / "infra").mkdir()
    (folder / "infra" / "bootstrap.py").write_bytes((REPOSITORY / "infra" / "bootstrap.py").read_bytes())
    (folder / "backend.py").write_text(BACKEND.replace("VERSION", "1.0"))
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "requirements.lock").write_text("")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose environment was made once, over a half-made one; for tests to copy (seconds each)."""
    checkout = bare_checkout(tmp_path_factory.mktemp("made"))
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").write_text("not a Python\n")
    (checkout / MARK).touch()
    done = bootstrap(checkout)
    assert done.returncode == 0, done.stderr
    return checkout


@pytest.fixture
def moved(made: Path, tmp_path: Path) -> Path:
    """The made checkout in another folder, with a mark in its environment."""
    checkout = tmp_path / "moved"
    shutil.copytree(made, checkout, symlinks=True)
    (checkout / MARK).touch()
    return checkout


@pytest.fixture
def checkout(moved: Path) -> Path:
    """A checkout with an up-to-date environment: the moved one, stamped as if made where it is."""
    stamp = json.loads((moved / STAMP).read_text())
    (moved / STAMP).write_text(json.dumps({**stamp, "folder": str(moved)}))
    return moved


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with one wheel, `tiny` 1.0."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in WHEEL.items():
            wheel.writestr(name, text)
    return folder


def test_a_half_made_environment_is_made_anew(made: Path) -> None:
    assert "small" in installed(made)
    assert not (made / MARK).exists()


def test_with_nothing_to_do_it_does_and_says_nothing(checkout: Path) -> None:
    before = (checkout / STAMP).stat().st_mtime_ns
    again = bootstrap(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (checkout / MARK).exists()
    assert (checkout / STAMP).stat().st_mtime_ns == before


def test_a_new_project_file_installs_the_project_alone(checkout: Path) -> None:
    (checkout / "backend.py").write_text(BACKEND.replace("VERSION", "2.0"))
    (checkout / "pyproject.toml").write_text(PROJECT.replace("1.0", "2.0"))
    assert bootstrap(checkout).returncode == 0
    assert (checkout / MARK).exists()
    assert list((checkout / ".venv").rglob("small-2.0.dist-info"))


def test_a_new_lock_makes_the_environment_anew_with_what_it_names(checkout: Path, wheels: Path) -> None:
    digest = hashlib.sha256((wheels / "tiny-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (checkout / "requirements.lock").write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")
    done = bootstrap(checkout, PIP_FIND_LINKS=str(wheels))
    assert done.returncode == 0, done.stderr
    assert not (checkout / MARK).exists()
    assert {"tiny", "small"} <= installed(checkout)


def test_a_wheel_whose_hash_is_not_in_the_lock_is_refused_and_the_log_named(
    checkout: Path, wheels: Path
) -> None:
    (checkout / "requirements.lock").write_text(f"tiny==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    refused = bootstrap(checkout, PIP_FIND_LINKS=str(wheels))
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert str(checkout / ".tuneform" / "logs" / "pip-packages.log") in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (checkout / STAMP).exists()


def test_a_checkout_that_was_moved_gets_an_environment_of_its_own(moved: Path) -> None:
    assert bootstrap(moved).returncode == 0
    assert not (moved / MARK).exists()


def test_a_second_set_up_waits_for_the_first(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text(PROJECT + "# changed\n")
    before = (checkout / STAMP).read_text()
    with (checkout / ".tuneform" / "set-up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with bootstrapping(checkout) as waiting:
            assert waiting.stderr
            assert "waiting for it" in waiting.stderr.readline()
            assert (checkout / STAMP).read_text() == before
            fcntl.flock(lock, fcntl.LOCK_UN)
            waiting.communicate()
    assert waiting.returncode == 0
    assert (checkout / STAMP).read_text() != before


def run_with(checkout: Path, prelude: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up as a Python that `prelude` makes different from this one."""
    code = f"{prelude}\nimport runpy\nrunpy.run_path({str(checkout / 'infra' / 'bootstrap.py')!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_an_old_python_is_refused_by_its_version(tmp_path: Path) -> None:
    checkout = bare_checkout(tmp_path)
    refused = run_with(checkout, "import sys; sys.version_info = (3, 10, 4, 'final', 0)")
    assert refused.returncode == 1
    assert "Python 3.11 or later is needed" in refused.stderr
    assert "is 3.10.4" in refused.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_without_ensurepip_is_told_what_to_install(tmp_path: Path) -> None:
    checkout = bare_checkout(tmp_path)
    hide = (
        "import importlib.util as util; real = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'ensurepip' else real(name)"
    )
    refused = run_with(checkout, hide)
    assert refused.returncode == 1
    assert "has no `ensurepip`" in refused.stderr
    assert f"python3.{sys.version_info.minor}-venv" in refused.stderr
    assert not (checkout / ".venv").exists()
