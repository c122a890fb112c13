"""Admission policies, evaluated by the Kubernetes API server's own code: the Go program beside this, built once.

Building it takes more than a minute of processor time where Go has nothing in its cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
OLDEST = "1.30"
"""The first Kubernetes in which ValidatingAdmissionPolicy is stable: what compiles there does in every later one."""


def evaluator() -> Path:
    """The program; the test is skipped where none can be built."""
    sources = [HERE / name for name in ("main.go", "go.mod", "go.sum")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
    program = HERE.parents[2] / ".tuneform" / "admission" / digest
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed, and admission policies are evaluated by a Go program")
    program.parent.mkdir(parents=True, exist_ok=True)
    with program.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():  # somebody else was faster
            return program
        made = subprocess.run(
            [go, "build", "-o", str(program), "."], cwd=HERE, capture_output=True, text=True, check=False
        )
    if made.returncode and "dial tcp" in made.stderr:
        pytest.skip(f"Go modules cannot be had here: {made.stderr[-200:]}")
    assert made.returncode == 0, made.stderr
    return program


def evaluated(
    program: Path, objects: Sequence[Mapping[str, Any]], documents: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What each policy decides about each document."""
    kinds = {"policies": "ValidatingAdmissionPolicy", "bindings": "ValidatingAdmissionPolicyBinding"}
    parts = {name: [one for one in objects if one["kind"] == kind] for name, kind in kinds.items()}
    given = {"version": OLDEST, **parts, "objects": documents}
    ran = subprocess.run([program], input=json.dumps(given), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found
