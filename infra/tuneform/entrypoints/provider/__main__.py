"""The provider as the Pulumi engine starts it: the engine's address is the argument, the port goes to stdout."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from tuneform.entrypoints.provider.server import build
from tuneform.entrypoints.provider.session import EngineLog, Session

GRACE_SECONDS = 5.0
_WATCH_SECONDS = 0.5


def watch(parent: int, gone: threading.Event) -> None:
    """Set `gone` when the process that started this one has ended.

    A killed engine signals nobody and closes nothing; the only trace is that the kernel gives its children
    another parent.
    """
    while not gone.wait(_WATCH_SECONDS):
        if os.getppid() != parent:
            gone.set()


def main() -> None:
    """Serve until the engine is gone, or until it ends us: it sends SIGINT, and waits seconds for the deaf."""
    parent = os.getppid()
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    # Ctrl-C at the terminal does not come here: the engine starts its plugins in process groups of their own.
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    log = EngineLog(arguments[0] if arguments else "")
    session = Session(
        log,
        endpoint=os.environ.get("TUNEFORM_ENDPOINT") or None,
        rate=_number("TUNEFORM_RATE"),
        max_jobs=_number("TUNEFORM_MAX_JOBS"),
    )
    server, port = build(session)
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Thread(target=watch, args=(parent, ended), daemon=True).start()
    ended.wait()
    session.stop.set()
    server.stop(GRACE_SECONDS).wait()
    # A call that still hangs must not keep the process: nobody listens to its answer.
    os._exit(0)


def _number(name: str) -> int | None:
    """A setting of the environment that is a whole number; `tuneform up` has checked it, `pulumi up` has not."""
    text = os.environ.get(name)
    if text and not text.isdecimal():
        sys.exit(f"{name} is {text!r}, which is no whole number")
    return int(text) if text else None


if __name__ == "__main__":
    main()
