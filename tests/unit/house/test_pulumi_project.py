"""The Pulumi project files, and the launcher they point at."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
LAUNCHER = Path("infra", "plugins", "pulumi-resource-tuneform")
# Stands in for a Python: says what it was started with.
PYTHON = '#!/bin/sh\necho "{name}: $*"\n'


def document(name: str) -> dict[str, Any]:
    loaded = yaml.safe_load((REPOSITORY / name).read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_the_project_points_at_what_exists() -> None:
    project = document("Pulumi.yaml")
    assert (REPOSITORY / project["main"] / "__main__.py").is_file()
    (provider,) = project["plugins"]["providers"]
    assert os.access(REPOSITORY / provider["path"] / f"pulumi-resource-{provider['name']}", os.X_OK)
    assert (REPOSITORY / project["config"]["tuneform:specs"]["default"]).is_dir()


def test_every_setting_is_explained_and_has_a_default() -> None:
    for name, setting in document("Pulumi.yaml")["config"].items():
        assert setting["description"], name
        assert "default" in setting, name


def test_the_local_stack_sets_only_what_the_project_declares() -> None:
    assert set(document("Pulumi.local.yaml")["config"]) <= set(document("Pulumi.yaml")["config"])


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the launcher alone, on a machine whose python3 is named `path`."""
    (tmp_path / LAUNCHER.parent).mkdir(parents=True)
    shutil.copy(REPOSITORY / LAUNCHER, tmp_path / LAUNCHER)
    a_python(tmp_path / "bin" / "python3", "path")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.delenv("TUNEFORM_PYTHON", raising=False)
    return tmp_path


def a_python(path: Path, name: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PYTHON.format(name=name))
    path.chmod(0o755)
    return path


def launched(checkout: Path) -> str:
    done = subprocess.run(
        [checkout / LAUNCHER, "127.0.0.1:1", "-v"], capture_output=True, text=True, check=True, cwd="/"
    )
    return done.stdout.strip()


def test_the_launcher_prefers_the_python_it_is_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_python(checkout / ".venv" / "bin" / "python", "environment")
    monkeypatch.setenv("TUNEFORM_PYTHON", str(a_python(checkout / "other", "told")))
    assert launched(checkout) == "told: -m tuneform.entrypoints.provider 127.0.0.1:1 -v"


def test_the_launcher_takes_the_environment_of_its_checkout(checkout: Path) -> None:
    a_python(checkout / ".venv" / "bin" / "python", "environment")
    assert launched(checkout) == "environment: -m tuneform.entrypoints.provider 127.0.0.1:1 -v"


def test_the_launcher_falls_back_to_python3(checkout: Path) -> None:
    assert launched(checkout) == "path: -m tuneform.entrypoints.provider 127.0.0.1:1 -v"
