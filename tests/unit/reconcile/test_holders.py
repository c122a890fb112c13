"""Who holds a lease, and whether that process still works."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta

from tests.unit.reconcile.builders import NOON

from tuneform.reconcile.holders import LEASE, held, holder, is_alive, is_gone


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


def test_a_claim_of_a_living_holder_keeps_others_away_for_the_lease_by_the_servers_time() -> None:
    other = "another-host:1:x"

    assert held(other, holder(), NOON, NOON + LEASE - timedelta(seconds=1))
    assert not held(other, holder(), NOON, NOON + LEASE)
    assert not held(holder(), holder(), NOON, NOON)
    assert not held(f"{socket.gethostname()}:{os.getpid()}:0", holder(), NOON, NOON)
