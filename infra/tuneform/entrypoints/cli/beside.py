"""Several pieces of work side by side, so many at once, and their results in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def side_by_side(works: Sequence[Callable[[], T]], at_once: int) -> list[Callable[[], T]]:
    """Begin the works in their order; each of what is returned waits for one, and gives its result or raises its error.

    The threads are daemons: an interrupted process ends without waiting for what it looks at.
    """
    waiting = deque((work, Future[T]()) for work in works)
    waits: list[Callable[[], T]] = [future.result for _, future in waiting]

    def work_off() -> None:
        while True:
            try:
                work, future = waiting.popleft()
            except IndexError:
                return
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 (raised where the result is asked for)
                future.set_exception(error)

    for _ in range(min(at_once, len(works))):
        threading.Thread(target=work_off, name="project", daemon=True).start()
    return waits
