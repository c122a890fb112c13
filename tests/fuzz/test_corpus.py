"""Every input that the fuzzer kept is judged again in each run of the tests; the slow ones run the fuzzer itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.fuzz.__main__ import CORPUS
from tests.fuzz.oracle import Folder

from tuneform.specs.reference.codes import CODES
from tuneform.specs.text.source import MAX_BYTES

ROOT = Path(__file__).parents[2]
KEPT = sorted(CORPUS.iterdir())
REACHED = 40
"""So many codes at least are reached by the corpus, or it has lost what it was kept for."""


def test_every_input_that_was_kept_ends_soon_in_a_tree_or_in_errors_with_places(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    reached: set[str] = set()
    for file in KEPT:
        try:
            reached |= folder.judge(file.read_bytes())
        except Exception as wrong:
            raise AssertionError(f"{file.name}: {wrong!r}") from wrong
    assert reached <= set(CODES)
    assert len(reached) >= REACHED
    assert folder.judge(b"# nothing\n") == frozenset(), "and the folder is still sound"


@pytest.mark.parametrize(
    "unit", ["x, ", "--- a\n", "a: 1\n", "---\n"], ids=["list", "documents", "keys", "nothing"]
)
def test_the_largest_file_that_is_read_ends_as_soon(tmp_path: Path, unit: str) -> None:
    text = "a: [" + unit * (MAX_BYTES // len(unit)) if unit == "x, " else unit * (MAX_BYTES // len(unit))
    assert len(Folder(tmp_path).judge(text[:MAX_BYTES].encode())) <= 3


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_fuzzer_finds_nothing_new_in_five_minutes(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="there is none for this system")
    command = [sys.executable, "-m", "tests.fuzz.target", str(tmp_path), str(CORPUS), "-max_total_time=300"]
    limits = ["-max_len=3000", "-timeout=10", f"-artifact_prefix={tmp_path}/"]
    fuzzed = subprocess.run([*command, *limits], cwd=ROOT, capture_output=True, text=True, check=False)
    assert fuzzed.returncode == 0, fuzzed.stderr[-3000:]
