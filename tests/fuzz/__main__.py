"""`python -m tests.fuzz [SECONDS]`: fuzz the reader of specs for a while, and keep the inputs that reach new code.

An input that breaks a rule is left in the current folder; mend what it shows, and put it into tests/fuzz/corpus.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CORPUS, WORDS = HERE / "corpus", HERE / "yaml.dict"
LONGEST = 3_000
"""Bytes of an input; what is wrong with longer ones is wrong with shorter ones too, but for sizes, which have tests."""


def main(seconds: int) -> int:
    """The exit code of the fuzzer: 0 when no rule was broken."""
    with tempfile.TemporaryDirectory() as found:
        limits = [f"-max_len={LONGEST}", "-timeout=10", f"-dict={WORDS}"]
        fuzzed = _target(found, str(CORPUS), f"-max_total_time={seconds}", *limits)
        if fuzzed == 0:
            # Without counters, an input is kept for the lines that it reaches, not for how often.
            _target("-merge=1", "-use_counters=0", str(CORPUS), found, *limits)
    return fuzzed


def _target(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "tests.fuzz.target", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 600))
