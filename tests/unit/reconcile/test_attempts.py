"""Who holds a lease, and whether that process still works."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from tuneform.reconcile.attempts import holder, is_alive, is_gone


def test_a_process_that_works_is_alive_and_no_holder_that_is_gone() -> None:
    assert is_alive(os.getpid())
    assert not is_gone(holder())
    assert not is_gone(f"another-host:{os.getpid()}:0")


def test_a_process_id_that_another_process_got_is_a_holder_that_is_gone() -> None:
    assert is_gone(f"{socket.gethostname()}:{os.getpid()}:0")


def test_a_process_that_ended_is_gone_before_and_after_its_parent_asks_after_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    name = f"{socket.gethostname()}:{process.pid}:0"
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and left a zombie
    assert not is_alive(process.pid)
    assert is_gone(name)

    process.wait()
    assert is_gone(name)
