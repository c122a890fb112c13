"""The trainer's matrix products run on the thread that asks for them."""

import os
import subprocess
import sys

COUNT = """
import tuneform_emulator.trainer
import numpy, psutil
numpy.ones((600, 600)) @ numpy.ones((600, 600))
print(psutil.Process().num_threads())
"""


def threads(**environment: str) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", COUNT], env={**kept, **environment}, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_one_thread_multiplies_unless_the_environment_says_otherwise() -> None:
    assert threads() == 1
    assert threads(OPENBLAS_NUM_THREADS="2") == min(2, os.cpu_count() or 1)
