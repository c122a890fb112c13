"""A thread with an event loop, so that callers that wait can use clients that do not."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
Closer = Callable[[], Awaitable[None] | None]

CLOSING_SECONDS = 2.0
"""How long the end of a connection may take; nothing depends on it."""


class Background:
    """One event loop in a thread of its own, for as long as somebody holds this object."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._closers: list[Closer] = []
        self._thread = threading.Thread(target=_serve, args=(self._loop,), name="tuneform-calls", daemon=True)
        self._thread.start()
        self._finalizer = weakref.finalize(self, _end, self._loop, self._thread, self._closers)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns or raises; whoever is interrupted while waiting for it cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def at_end(self, closer: Closer) -> None:
        """Something to be closed before the loop ends."""
        self._closers.append(closer)

    def close(self) -> None:
        """Close what was opened and end the thread; happens by itself when the object is forgotten."""
        self._finalizer()


async def in_thread(function: Callable[[], T]) -> T:
    """Run something that blocks in a thread of its own.

    The thread is a daemon, unlike those of a pool: a call that hangs does not keep an interrupted process alive.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(settle: Callable[[Any], None], value: Any) -> None:
        def settled() -> None:
            if not future.done():  # nobody waits any more
                settle(value)

        with suppress(RuntimeError):  # the loop is closed: the same
            loop.call_soon_threadsafe(settled)

    def work() -> None:
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 (handed on to whoever waits)
            deliver(future.set_exception, error)
        else:
            deliver(future.set_result, result)

    threading.Thread(target=work, name="tuneform-call", daemon=True).start()
    return await future


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread, closers: list[Closer]) -> None:
    async def close() -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for closer in closers:
            with suppress(Exception):  # it ends either way
                closed = closer()
                if closed is not None:
                    await asyncio.wait_for(closed, CLOSING_SECONDS)
        loop.stop()

    if thread.is_alive():
        asyncio.run_coroutine_threadsafe(close(), loop)
        if threading.current_thread() is not thread:  # the last reference may have been the loop's own
            thread.join(CLOSING_SECONDS)
