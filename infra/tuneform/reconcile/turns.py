"""Whose turn it is to create a tuning job of a project. docs/decisions/many-projects.md says why it is like this.

A create goes ahead while the project has a place for it. It has none while `most` of its jobs are under way, or once
the service has refused a create for want of quota: then the line is closed until a job that was under way has ended, or
until a moment at which the service may be asked again. Who has to wait stands in line, and the line is served from its
head alone:

    asks ──▶ its turn ──▶ made         the place is taken until the job has ended
     │  ▲        ├──────▶ refused      to the head of the line, which is closed
     ▼  │        └──────▶ left         the place is free again
    in line ─────────────▶ left        its document asks for no job any more

Invariants: nobody is served before somebody who stood in line earlier; with `most`, never more than that many places
are taken; whoever is told that it is its turn holds a place until `made`, `refused`, `put_back` or `leave`. Whether a
create is paid for a second time is none of this module's business: that is the ledger's (docs/decisions/attempts.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuneform.reconcile.ledger import AttemptState, Record, Versioned
from tuneform.reconcile.live import NAME_LABEL, Job

LONGEST_CLOSED = 300.0
"""Seconds after which the service is asked again though no job of ours has ended: others' may have."""

Place = tuple[str, str, int]
"""What takes a place: an attempt, as tuning, revision and number. Its job takes the same one."""

QUEUED = "queued: "
"""How the cause of an attempt begins that a quota refused: nothing was made, and the next one waits its turn."""


def is_queued(record: Record | None) -> bool:
    """Whether the last that became of a revision is that a quota refused it."""
    last = record.last if record is not None else None
    return last is not None and last.state is AttemptState.REVOKED and last.cause.startswith(QUEUED)


@dataclass(frozen=True)
class Seen:
    """What one look says of the places of a project."""

    taken: frozenset[Place] = frozenset()
    ended: frozenset[Place] = frozenset()


def places(
    jobs: Iterable[Job], records: Iterable[Versioned], *, now: datetime | None, list_lag: timedelta
) -> Seen:
    """The places that are taken: by jobs that have not ended, and by attempts of which a job may come, or is recorded
    and not yet in lists."""
    states = {(job.labels.get(NAME_LABEL, ""), job.revision, job.attempt): job.state.ended for job in jobs}
    taken = {place for place, ended in states.items() if not ended}
    ended = {place for place, over in states.items() if over}
    for versioned in records:
        record = versioned.record
        if record.last is None:
            continue
        place = (record.name, record.revision, record.last.number)
        lagging = now is not None and versioned.updated is not None and now - versioned.updated < list_lag
        known = record.last.state is AttemptState.KNOWN
        if record.last.state.unresolved or (known and place not in states and lagging):
            taken.add(place)
        elif not known:
            ended.add(place)
    return Seen(frozenset(taken), frozenset(ended - taken))


@dataclass(frozen=True)
class Refusal:
    """What a refusal comes to: how many in a row it is, the jobs under way, and the seconds until the next try."""

    number: int
    under_way: int
    pause: float


@dataclass(frozen=True)
class Pauses:
    """Seconds between refusals in a row: the first pause, doubled each time, and the longest."""

    first: float
    longest: float

    def after(self, number: int, asked: float | None) -> float:
        """The pause after so many; `asked` is what the service named instead."""
        pause = asked if asked is not None else self.first * 2.0 ** min(number - 1, 30)
        return min(pause, self.longest)


@dataclass(frozen=True)
class _Closed:
    """Why the line is closed, and what opens it."""

    why: str
    under_way: frozenset[Place]
    until: datetime


class Turns:
    """The line of one project, for all that create jobs in it in this process. `most` None leaves it to the service."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self._line: list[str] = []
        self._begun: set[str] = set()
        self._made: set[Place] = set()
        self._closed: _Closed | None = None
        self._refused = 0
        self._lock = threading.Lock()

    @property
    def matters(self) -> bool:
        """Whether what is taken has to be known before somebody asks: it costs calls."""
        return self.most is not None or self._closed is not None

    def ask(self, key: str, seen: Seen, now: datetime) -> str:
        """Empty when it is its turn, and it holds a place from now on; else why it waits. It stands in line then."""
        with self._lock:
            taken = self._taken(seen)
            closed = self._closed
            if closed is not None and (closed.under_way - taken or now >= closed.until):
                closed = self._closed = None
            first = self._line[0] if self._line else key
            room = self.most is None or len(taken) + len(self._begun) < self.most
            if closed is None and room and first == key:
                self._line = self._line[1:]
                self._begun.add(key)
                return ""
            if key not in self._line:
                self._line.append(key)
            if first != key:
                return f"it waits in line behind {first}"
            if closed is not None:
                return closed.why
            return f"{self.most} of the project's jobs are under way, which is max_jobs"

    def made(self, key: str, place: Place) -> None:
        """Its job was made. It keeps its place until a look shows that the job has ended."""
        with self._lock:
            self._begun.discard(key)
            self._made.add(place)
            self._refused = 0

    def refused(
        self,
        key: str,
        why: str,
        seen: Seen,
        now: datetime,
        *,
        asked: float | None,
        alone: Pauses,
        beside: Pauses,
    ) -> Refusal:
        """The service took no job. `asked` is the delay it named; `beside` holds while jobs of ours are under way,
        whose end is waited for, and `alone` where there are none."""
        with self._lock:
            self._begun.discard(key)
            under_way = self._taken(seen)
            self._refused += 1
            pause = (beside if under_way else alone).after(self._refused, asked)
            self._closed = _Closed(why, under_way, now + timedelta(seconds=pause))
            self._to_head(key)
            return Refusal(self._refused, len(under_way), pause)

    def put_back(self, key: str) -> bool:
        """Give the place back and stand at the head again, where it held one: it looks anew, and may ask again."""
        with self._lock:
            if key not in self._begun:
                return False
            self._begun.discard(key)
            self._to_head(key)
            return True

    def leave(self, key: str, *, opening: bool = False) -> None:
        """It wants no job any more, or gives its place back. `opening` lets the next one try at once."""
        with self._lock:
            self._begun.discard(key)
            if key in self._line:
                self._line.remove(key)
            if opening:
                self._closed = None

    def _to_head(self, key: str) -> None:
        self._line = [key, *(other for other in self._line if other != key)]

    def _taken(self, seen: Seen) -> frozenset[Place]:
        self._made -= seen.ended
        return seen.taken | self._made
