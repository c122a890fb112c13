"""Waiting for what happens elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PAUSE = 0.02
SECONDS = 30.0


def until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Look until it is so; raises TimeoutError when it never is."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {seconds:g} s")
        pause.wait(PAUSE)
