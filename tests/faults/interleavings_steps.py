"""Two runs driven call by call: each call of both is held at the emulator's door until a schedule names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from tests.faults.faults_bench import Applier, Bench
from tests.faults.points import READING_POSTS
from tests.faults.scene import BUCKET, STATE_BUCKET

from tuneform_emulator.traffic.barriers import Barriers, Held
from tuneform_emulator.traffic.calls import Calls


def _place(path: str) -> frozenset[str]:
    """What a call touches, as far as its path tells; everything, where it does not."""
    if "/o/clock%2F" in path:
        return frozenset()  # each run has its own
    if found := re.search(r"/b/([^/]+)", path):
        return frozenset({found[1]})
    found = re.search(r"/(tuningJobs|models|endpoints)", path)
    return frozenset({found[1]} if found else EVERYTHING)


EVERYTHING = ("tuningJobs", "models", "endpoints", BUCKET, STATE_BUCKET)


@dataclass(frozen=True)
class Move:
    """A call that is about to be made."""

    method: str
    path: str

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET" or self.path.endswith(READING_POSTS)

    @property
    def touches(self) -> frozenset[str]:
        """The collections and buckets that it looks at or changes."""
        # A job reads its data when it runs, whoever else deletes it.
        return _place(self.path) | (
            {BUCKET} if self.path.endswith("/tuningJobs") and not self.reads else set()
        )

    def commutes(self, other: Move) -> bool:
        """Whether it makes no difference which of the two comes first."""
        return (self.reads and other.reads) or not self.touches & other.touches


@dataclass
class Steps:
    """The runs, by a letter each; none of them makes a call that it was not told to."""

    bench: Bench
    runs: Mapping[str, Applier]
    made: list[tuple[str, Move]] = field(default_factory=list)

    def next(self, who: str) -> Held | None:
        """The call that a run waits to make, the oldest of several; None when the run is over."""
        run, found = self.runs[who], list[Held]()

        def seen() -> bool:
            found[:] = [held for held in self._barriers.held() if run.caller in held.call.agent]
            return bool(found) or run.is_over()

        self.bench.until(seen)
        return found[0] if found else None

    def peek(self, who: str) -> Move | None:
        """What a run is about to do; None when it is over."""
        held = self.next(who)
        return Move(held.call.method, held.call.path) if held else None

    def step(self, who: str) -> bool:
        """Let a run make one call, and wait for the call's end. False when the run is over."""
        held = self.next(who)
        if held is None:
            return False
        entry = next(
            e for e in reversed(self.bench.controls.log.entries) if e.call.number == held.call.number
        )
        self.made.append((who, Move(held.call.method, held.call.path)))
        self._barriers.release(held.id, "proceed")
        self.bench.until(lambda: entry.status is not None)
        return True

    def free(self, *who: str) -> None:
        """Let these go their own way from here."""
        for name in who:
            self._barriers.remove(self._keys[name])

    @property
    def _barriers(self) -> Barriers:
        return self.bench.controls.barriers

    def __post_init__(self) -> None:
        self._keys = {
            name: self._barriers.set_up(Calls(caller=run.caller, times=0), "before")
            for name, run in self.runs.items()
        }

    def schedule(self) -> str:
        """What was done, e.g. `A×3 B×8`."""
        order = "".join(who for who, _ in self.made)
        return " ".join(f"{who}×{len(list(times))}" for who, times in groupby(order))
