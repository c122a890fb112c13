"""The thread behind the ports: it answers, it can be interrupted, and it goes when nobody needs it."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from tuneform.platforms.vertex.calls.background import Background, in_thread


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tuneform-calls"]


def test_a_coroutine_is_run_to_its_value_or_error() -> None:
    background = Background()

    async def value() -> int:
        return await in_thread(lambda: 6) * 7

    async def error() -> None:
        await in_thread(lambda: 1 // 0)

    assert background.run(value()) == 42
    with pytest.raises(ZeroDivisionError):
        background.run(error())
    background.close()


def test_the_thread_ends_with_its_object_and_closes_what_was_opened() -> None:
    before = len(threads())
    closed: list[str] = []

    async def close() -> None:
        closed.append("waited for")

    background = Background()
    background.at_end(close)
    background.at_end(lambda: closed.append("at once"))
    assert len(threads()) == before + 1
    del background
    gc.collect()
    assert len(threads()) == before
    assert closed == ["waited for", "at once"]


def test_who_stops_waiting_cancels_what_was_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    background = Background()
    under_way, cancelled = threading.Event(), threading.Event()

    async def long() -> None:
        under_way.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    def interrupted(*_: object) -> None:
        under_way.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        background.run(long())
    monkeypatch.undo()
    assert cancelled.wait(10)
    background.close()
