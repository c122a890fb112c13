"""Run a command that must not outlive us: when our own parent is gone, interrupt the command, then end it.

Run as a file, not as a module: it starts in a few milliseconds because it imports nothing of tuneform.
The engine, interrupted, lets its plugins save what they have, writes its state and frees its lock.
"""

import os
import signal
import subprocess
import sys

GRACE = 20.0
"""Seconds between asking and making."""

LOOK = 0.2
"""Seconds between two looks at whether our parent is still there."""


def main() -> int:
    """Run `sys.argv[1:]` and return its exit code."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command itself; we wait for its end
    child = subprocess.Popen(sys.argv[1:], preexec_fn=_listen)  # noqa: S603,PLW1509 (ours to run; one thread here)
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    while os.getppid() == parent:
        try:
            return child.wait(LOOK)
        except subprocess.TimeoutExpired:
            continue
    child.send_signal(signal.SIGINT)
    try:
        return child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _listen() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
