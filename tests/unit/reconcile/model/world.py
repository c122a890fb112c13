"""The world of the model: the ledger's record, the fence objects, the jobs, what is under way, who reconciles.

All of it is frozen. Two things are left out because they can be said exactly without them:

- Generations. A reconciler has a `fresh` view or it has not: any write makes the others' views stale, and a
  compare-and-swap succeeds for a fresh view only.
- Clocks. A wait of the lists' lag is over when every job that was there as it began is in lists. A lease may be over
  at any moment, so nothing that is shown here rests on leases.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple

from tuneform.reconcile.ledger import AttemptState


class Read(Enum):
    """When the service reads a job's dataset; training starts with it. Which one Vertex does is not documented."""

    AT_CREATE = "at create"
    LATER = "later"


class Rule(Enum):
    """The protocol's rules that can be left out, to see what each is for."""

    TAKE_DATA = "a revoked attempt's data is deleted"
    DOUBT_FIRST = "`revoking` is recorded before the data is deleted"
    KNOWN_FIRST = "a job that was found is recorded before its data is put back"
    WAIT_LAG = "jobs are listed again only after the lists' lag"
    LAG_SINCE_DELETE = "the lag is counted from `starved`, recorded after the delete, and not from `revoking`"
    RECORD_AFTER_COPY = "`fenced` or `sent` is recorded between the copy and the create call"
    RECORD_SENT = "`sent` is recorded besides `fenced`"
    CREATE_ONCE = "a create call is never repeated"
    COPY_ONCE = "a copy whose answer was lost is never repeated"
    CLAIM_AS_SEEN = "a claim is swapped against the record that the plan saw"
    ASK_BY_NAME = "a job that the ledger knows is asked for by name when lists lack it"
    DELETE_TWICE = "a revoked attempt's data is deleted once more before it is recorded as revoked"
    REMEMBER_DOUBT = "a doubted attempt whose job got no data is recorded as revoked, not as failed"
    TIDY = "objects of attempts that need none are deleted at every run"


class Settings(NamedTuple):
    """One exploration. `lag`: whether a new job may be missing from lists for a while.

    `attempts` is how many numbers the two reconcilers that may crash can claim; `losses` how many answers to copies
    and creates they can lose and live, of requests that arrived, that are late, or (creates) that were refused;
    `failures` how many paid trainings may fail, and `retries` how many of those the spec allows.
    """

    read: Read
    lag: bool = True
    attempts: int = 3
    losses: int = 0
    failures: int = 0
    retries: int = 0
    without: frozenset[Rule] = frozenset()

    def has(self, rule: Rule) -> bool:
        """Whether the protocol is explored with this rule."""
        return rule not in self.without


class JobState(IntEnum):
    """A job's life as far as the protocol can tell. STARVED failed for want of its data, and cost nothing."""

    PENDING = 0
    TRAINING = 1
    SUCCEEDED = 2
    FAILED = 3
    STARVED = 4
    CANCELLED = 5

    @property
    def live(self) -> bool:
        """Whether it trains or may yet."""
        return self <= JobState.TRAINING


class Job(NamedTuple):
    """A tuning job. `paid` says that it began to train; `listed`, that lists show it."""

    attempt: int
    state: JobState
    paid: bool
    listed: bool


class Attempt(NamedTuple):
    """What the record has of an attempt; its number is its place. `holder` is -1 where it decides nothing."""

    state: AttemptState
    holder: int = -1
    doubted: bool = False
    starved: bool = False
    existed: bool = False
    """Whether its job was there when the wait began: all that the time of that write can decide."""


class Step(IntEnum):
    """The remote call that a reconciler does next, or what it waits for."""

    LIST = 0
    RECORD = 1
    CLAIM = 2
    COPY = 3
    FENCED = 4
    SENT = 5
    SEND = 6
    KNOWN = 7
    REFUSED_DELETE = 8
    REFUSED = 9
    LOOK = 10
    DOUBT = 11
    TAKE = 12
    STARVED = 13
    LOOK_AGAIN = 14
    KEEP = 15
    PUT_BACK = 16
    TAKE_AGAIN = 17
    GIVE_UP = 18
    ADOPT = 19
    CLEAR = 20
    SETTLE = 21
    CANCEL = 22
    WAIT_JOB = 23
    WAIT_HOLDER = 24
    TIDY = 25
    DONE = 26
    DEAD = 27


class Reconciler(NamedTuple):
    """One run. `n` is the attempt it works on, `seen` the jobs of its last list.

    `was` is what it saw of attempt n's job, `patience` how often it may still find a living holder's lease to be over.
    """

    step: Step = Step.LIST
    n: int = 0
    fresh: bool = False
    seen: tuple[Job, ...] = ()
    was: JobState = JobState.PENDING
    patience: int = 1


class World(NamedTuple):
    """Everything there is. `fences` and the two kinds of requests under way hold attempt numbers."""

    reconcilers: tuple[Reconciler, ...]
    record: tuple[Attempt, ...] = ()
    fences: frozenset[int] = frozenset()
    copies: frozenset[int] = frozenset()
    creates: frozenset[int] = frozenset()
    jobs: tuple[Job, ...] = ()
    losses: int = 0
    failures: int = 0


FRESH = 2
"""The third reconciler: it starts when the two others are done or dead, and nothing befalls it."""


def start(settings: Settings) -> World:
    """Two reconcilers that begin at once, and one that will finish what they leave."""
    last = Reconciler(patience=0)
    return World((Reconciler(), Reconciler(), last), losses=settings.losses, failures=settings.failures)
