"""Work side by side: results in order, failures where they belong, no more at once than may be."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tuneform.entrypoints.cli.beside import side_by_side


def test_results_come_in_the_order_of_the_works_and_a_failure_stops_no_other() -> None:
    second_done = threading.Event()

    def first() -> str:
        assert second_done.wait(20), "the second runs beside the first"
        return "first"

    def second() -> str:
        second_done.set()
        raise ValueError("second")

    works: list[Callable[[], str]] = [first, second, lambda: "third"]
    one, two, three = side_by_side(works, 2)

    assert (one(), three()) == ("first", "third")
    with pytest.raises(ValueError, match="second"):
        two()


def test_no_more_are_at_work_than_may_be() -> None:
    both, lock, most = threading.Barrier(2), threading.Lock(), [0, 0]

    def work() -> None:
        with lock:
            most[0] += 1
            most[1] = max(most)
        both.wait(20)  # two are at work, or this breaks
        with lock:
            most[0] -= 1
        both.wait(20)

    for wait in side_by_side([work] * 6, 2):
        wait()
    assert most == [0, 2]
