"""The fuzzer's own process, with libFuzzer's arguments: `python -m tests.fuzz.target CORPUS… -max_total_time=60`.

Atheris (libFuzzer for Python) sees which lines of tuneform each input reaches, and goes on from those that reach new
ones. It ends the process with an input that broke a rule, which it keeps as `crash-…` or `timeout-…`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tuneform.specs", "tuneform.policy", "tuneform.review.render"]):
    from tests.fuzz.oracle import Folder


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    folder = Folder(Path(tempfile.mkdtemp(prefix="tuneform-fuzz-")))

    def one(data: bytes) -> None:
        folder.judge(data)

    # libFuzzer starts itself again to merge corpora, by the words that stand first.
    atheris.Setup([f"{sys.executable} -m tests.fuzz.target", *sys.argv[1:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
