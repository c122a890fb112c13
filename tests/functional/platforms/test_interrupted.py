"""A process that is interrupted while a call hangs ends at once, and says nothing of its own threads."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from tests.functional.platforms.kit import PATIENCE, Bench

SCRIPT = """
import sys
from tests.functional.platforms.kit import PROJECT, TRAINING, TUNING, connected

ports = connected(sys.argv[1], sys.argv[2])
try:
    if sys.argv[3] == "create":
        ports.writer.create_job(TUNING, TRAINING, {})
    else:
        ports.ledger.heads(PROJECT)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("call", ["create", "heads"])
def test_an_interrupt_ends_a_process_whose_call_hangs(bench: Bench, call: str) -> None:
    bench.data()
    barrier = bench.control.hold(caller="run/", times=0)
    command = [sys.executable, "-c", SCRIPT, bench.emulator.endpoint, bench.transport, call]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        bench.control.held(1)
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)
    assert time.monotonic() - interrupted < 20, "long before the call's deadline"
    bench.control.remove(barrier)
