"""Who holds a claim in the ledger, and whether that process may still be at work."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime, timedelta
from pathlib import Path

LEASE = timedelta(minutes=3)
"""How long a claim keeps others away, from the server's time of its last write.

A create call's deadline is shorter, so a holder that is alive is done by then. Safety does not rest on it: a holder
that wakes later finds its record changed, or its data gone.
"""


def holder() -> str:
    """Who this process is: host, process id, and an id that a reused process id has not."""
    return f"{socket.gethostname()}:{os.getpid()}:{_PROCESS}"


_PROCESS = uuid.uuid4().hex[:8]


def is_gone(name: str) -> bool:
    """Whether a claim's holder is surely dead: it ran on this host and its process does not exist any more."""
    host, _, rest = name.partition(":")
    pid, _, process = rest.partition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    if int(pid) == os.getpid():
        return not process.startswith(_PROCESS)
    return not is_alive(int(pid))


def is_alive(pid: int) -> bool:
    """Whether a process of this host still works: one that ended and that nobody has asked after does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return True  # not Linux, or gone just now: then the next look says so
    return state not in {"Z", "X"}


def held(by: str, me: str, updated: datetime | None, now: datetime) -> bool:
    """Whether somebody else may still be at work on a claim last written at `updated`, by the server's time."""
    if by == me or is_gone(by):
        return False
    return updated is not None and now - updated < LEASE
