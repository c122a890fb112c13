"""Packages of npm that tests look at or run: installed once a checkout, below .tuneform/."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def installed(name: str, package: Path, file: str) -> Path:
    """A file of what `package` (a package.json) asks for, installed in the folder `name`; the test is skipped where
    npm is not there, or cannot install it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("Node.js is not installed")
    folder = ROOT / ".tuneform" / name
    found = folder / "node_modules" / file
    if not found.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(package, folder)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        try:
            subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"npm cannot install {file.partition('/')[0]} here: {error}")
    return found
