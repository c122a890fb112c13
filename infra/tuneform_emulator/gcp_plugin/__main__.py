"""Runs the plugin as the Pulumi engine starts it: the engine's address is the argument, stdout gets the port."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from .server import GcpProvider, build

GRACE_SECONDS = 5.0
WATCH_SECONDS = 0.5


def watch_parent(parent: int, gone: threading.Event) -> None:
    """Sets `gone` when the process that started this one has ended.

    A killed engine closes nothing and signals nobody; the only trace is that the kernel gives its children a new
    parent. stdin tells nothing: the engine leaves it unset.
    """
    while not gone.wait(WATCH_SECONDS):
        if os.getppid() != parent:
            gone.set()


def main() -> None:
    """Serves until the engine is gone, or until SIGTERM or SIGINT."""
    parent = os.getppid()
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server, port = build(GcpProvider())
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Thread(target=watch_parent, args=(parent, ended), daemon=True).start()
    ended.wait()
    server.stop(GRACE_SECONDS).wait()


if __name__ == "__main__":
    main()
