"""Schedules for two runs: all orders of their first calls, few switches between them, or switches drawn by lot."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.endings import Complaint
from tests.faults.faults_bench import Beginning
from tests.faults.interleavings_steps import Move, Steps

BOTH = ("A", "B")
OTHER = {"A": "B", "B": "A"}


@dataclass(frozen=True)
class Tried:
    """What came of one schedule."""

    name: str
    schedule: str
    wrong: tuple[Complaint, ...]
    switches: int

    def __str__(self) -> str:
        return "\n".join([f"{self.name}: {self.schedule}", *map(str, self.wrong)])


@dataclass(frozen=True)
class Duel:
    """Two runs of the same specs from one beginning.

    With `rude` each takes the other for dead, so that neither ever waits for the other's lease. Such a pair is let
    to its end one after the other: run freely, two that believe each other dead may take turns for ever.
    """

    begin: Beginning
    rude: bool = False
    narrow: bool = False

    @contextmanager
    def steps(self) -> Iterator[Steps]:
        """The two runs, held at their first calls."""
        with self.begin.bench() as bench:
            runs = {who: bench.applier(self.begin.wanted, dead=self.rude, narrow=self.narrow) for who in BOTH}
            steps = Steps(bench, runs)
            for run in runs.values():
                run.start()
            try:
                yield steps
            finally:
                bench.controls.barriers.close()

    def end(self, name: str, steps: Steps, first: str = "A") -> Tried:
        """Let both go on to their ends, and say what is wrong then."""
        schedule = steps.schedule()
        if self.rude:
            steps.free(first)
            steps.runs[first].wait()
        steps.free(*BOTH)
        results = [steps.runs[who].wait() for who in BOTH]
        wrong = [complaint for result in results for complaint in result.complaints()]
        if not any(result.well for result in results):
            wrong.append(Complaint("unfinished", f"both stopped: {[result.errors for result in results]}"))
        wrong += self.begin.complaints(steps.bench)
        return Tried(name, schedule, tuple(wrong), schedule.count(" "))

    def follow(self, name: str, choose: Callable[[int, str], str], calls: int, first: str = "A") -> Tried:
        """Make so many calls, each by whom `choose` says (from how many were made and who made the last)."""
        with self.steps() as steps:
            who = first
            for made in range(calls):
                who = choose(made, who)
                if not steps.step(who) and not steps.step(OTHER[who]):
                    break
            return self.end(name, steps, OTHER[who])

    def drawn(self, seed: int, calls: int) -> Tried:
        """Switches drawn by lot: now and then, or at every other call."""
        dice = random.Random(seed)
        often = dice.choice((0.5, 0.2, 0.08))
        return self.follow(
            f"seed {seed}",
            lambda _, last: OTHER[last] if dice.random() < often else last,
            calls,
            dice.choice(BOTH),
        )

    def paused_twice(self, first: int, second: int) -> Tried:
        """A makes so many calls, then B so many; then A goes to its end, and B after it."""
        with self.steps() as steps:
            for who, calls in (("A", first), ("B", second)):
                for _ in range(calls):
                    if not steps.step(who):
                        break
            return self.end(f"A {first}, B {second}, A, B", steps)

    def all_orders(self, calls: int) -> Iterator[Tried]:
        """Every order of the first so many calls of both, but for those that differ in calls that commute.

        A depth-first search with sleep sets (Godefroid 1996): of all orders that only swap neighbours which commute
        (two reads, or calls on different things), one is tried.
        """
        begun: list[tuple[str, frozenset[str]]] = [("", frozenset())]
        while begun:
            prefix, asleep = begun.pop()
            with self.steps() as steps:
                for who in prefix:
                    steps.step(who)
                order = prefix
                while True:
                    moves = {who: steps.peek(who) for who in BOTH if order.count(who) < calls}
                    ready = {who: move for who, move in moves.items() if move is not None}
                    awake = [who for who in ready if who not in asleep]
                    if not awake:
                        break
                    branches = list(_branches(ready, awake, asleep))
                    begun += [(order + who, after) for who, after in branches[1:]]
                    who, asleep = branches[0]
                    steps.step(who)
                    order += who
                if not ready:
                    yield self.end(order, steps)


def _branches(
    ready: dict[str, Move], awake: list[str], asleep: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Who may go next, and who need not go right after that."""
    tried = set(asleep)
    for who in awake:
        yield who, frozenset(other for other in tried if ready[other].commutes(ready[who]))
        tried.add(who)
