"""The faults that were ordered, and how often each was met."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

from .calls import Call, Tally, When
from .effects import CallFault, Delay, Fault, JobEffect, JobFault, Malformed, Reset, Status


@dataclass
class Ordered:
    """A fault with its id, and what has come of it."""

    id: str
    fault: Fault
    tally: Tally
    ended: threading.Event = field(default_factory=threading.Event)
    jobs: dict[str, bool] = field(default_factory=dict)
    """Of a job fault: every job that came by, and whether it is meant."""


class Faults:
    """Faults in the order they were ordered in; safe to use from many threads.

    A fault counts the calls that get to it: one that an earlier fault has answered is not seen by later ones, so
    that two faults on one route follow each other. Nothing is kept over a restart.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._orders: dict[str, Ordered] = {}

    def order(self, *faults: Fault) -> tuple[str, ...]:
        """Adds faults and returns their ids."""
        with self._lock:
            made = [Ordered(f"fault-{next(self._numbers)}", fault, tally(fault)) for fault in faults]
            self._orders |= {order.id: order for order in made}
        return tuple(order.id for order in made)

    def take_back(self, *ids: str) -> list[str]:
        """Removes orders, all without an id, and returns which were there; their delays and stuck jobs go on."""
        with self._lock:
            gone = [key for key in (ids or tuple(self._orders)) if key in self._orders]
            for key in gone:
                self._orders.pop(key).ended.set()
        return gone

    def close(self) -> None:
        """Ends the delays under way; orders and their counts stay to be looked at."""
        for order in self.orders():
            order.ended.set()

    @property
    def for_jobs(self) -> bool:
        """Whether any fault is ordered for jobs."""
        return any(isinstance(order.fault, JobFault) for order in self.orders())

    def orders(self, *, unmet: bool = False) -> list[Ordered]:
        """All orders, or those alone that were met less often than they were meant to be."""
        with self._lock:
            return [order for order in self._orders.values() if not unmet or order.tally.unmet]

    def meet(self, call: Call, when: When) -> Status | Reset | Malformed | None:
        """What befalls a call at this point of its life; waits out delays, None when it goes on as usual."""
        for order in self.orders():
            fault = order.fault
            if not isinstance(fault, CallFault) or fault.when != when or not fault.calls.fits(call):
                continue
            with self._lock:
                if not order.tally.hit():
                    continue
            if not isinstance(fault.effect, Delay):
                return fault.effect
            order.ended.wait(fault.effect.seconds)
        return None

    def befall(self, job: str, display_name: str, phase: str, epochs: int) -> JobEffect | None:
        """What befalls a tuning job that is about to leave a phase; the same for as long as it does not leave."""
        for order in self.orders():
            fault = order.fault
            if not isinstance(fault, JobFault) or not fault.jobs.fits(phase, epochs, (job, display_name)):
                continue
            with self._lock:
                if job not in order.jobs:
                    order.jobs[job] = order.tally.hit()
            if order.jobs[job]:
                return fault.effect
        return None


def tally(fault: Fault) -> Tally:
    """A fresh count for a fault."""
    meant = fault.calls if isinstance(fault, CallFault) else fault.jobs
    return Tally(meant.nth, meant.times)
