"""What is installed is all there is: files that are no modules are in the wheel, too."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_wheel_holds_what_the_packages_hold(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())

    there = {
        str(path.relative_to(ROOT / "infra"))
        for package in ("tuneform", "tuneform_emulator")
        for path in (ROOT / "infra" / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "tuneform/review/report/templates/page.html" in there
    assert there - held == set()
