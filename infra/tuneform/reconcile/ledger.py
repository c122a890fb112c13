"""The ledger: one record a revision, with every paid attempt at it, its fate, and what its gates measured.

States of an attempt, each with its cause:

    claimed → fenced → sent → known → succeeded | failed | cancelled
       └────────┴────────┴→ revoked            succeeded → retired | lost

- claimed: this number is ours to try, under a lease.
- fenced: the training data was copied to an object that only this attempt's create call will name.
- sent: the create call is about to leave; whether it arrived is unknown until `known`.
- known: the job's resource name is recorded.
- revoked: the object was deleted, so a create that arrives later finds no data and costs nothing.
- retired: we deleted the model; asked for again, it is trained again. lost: somebody else deleted it.

Invariants: attempts are numbered 1..n without gaps; at most the last one is live; a record changes only by
compare-and-swap on its object's generation (`ports.Ledger`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from tuneform.errors import ReconcileError

VERSION = 1


class AttemptState(Enum):
    """Where an attempt is; see the module's text."""

    CLAIMED = "claimed"
    FENCED = "fenced"
    SENT = "sent"
    KNOWN = "known"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    RETIRED = "retired"
    LOST = "lost"

    @property
    def unresolved(self) -> bool:
        """Whether a create call may be under way that nobody has seen the answer of."""
        return self in {AttemptState.CLAIMED, AttemptState.FENCED, AttemptState.SENT}


@dataclass(frozen=True)
class Attempt:
    """One paid try. `holder` is `host:pid:id` of who claimed it; `lease` is when others may take over."""

    number: int
    state: AttemptState
    cause: str
    holder: str = ""
    lease: datetime | None = None
    fence: str = ""
    job: str = ""
    model: str = ""


@dataclass(frozen=True)
class GateResult:
    """One measurement. `digest` is of the data it was measured on, so that new data is measured anew.

    `examples` is how many questions were allowed, 0 for all.
    """

    checkpoint: str
    metric: str
    value: float
    digest: str
    examples: int


@dataclass(frozen=True)
class Record:
    """Everything remembered about one revision. `promoted` is when it last got the traffic."""

    project: str
    name: str
    revision: str
    recipe: Mapping[str, Any]
    attempts: tuple[Attempt, ...] = ()
    gates: tuple[GateResult, ...] = ()
    promoted: datetime | None = None

    @property
    def last(self) -> Attempt | None:
        """The latest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def failures(self) -> int:
        """How many paid attempts Vertex has failed."""
        return sum(attempt.state is AttemptState.FAILED for attempt in self.attempts)

    def with_attempt(self, attempt: Attempt) -> Record:
        """The record with this attempt put in the place of its number, or appended as the next one."""
        kept = tuple(a for a in self.attempts if a.number != attempt.number)
        attempts = tuple(sorted((*kept, attempt), key=lambda a: a.number))
        assert [a.number for a in attempts] == list(range(1, len(attempts) + 1)), "attempts have no gaps"
        return replace(self, attempts=attempts)

    def measured(self, checkpoint: str, metric: str, digest: str, examples: int) -> GateResult | None:
        """The kept measurement of exactly this, if there is one."""
        wanted = (checkpoint, metric, digest, examples)
        found = (g for g in self.gates if (g.checkpoint, g.metric, g.digest, g.examples) == wanted)
        return next(found, None)


@dataclass(frozen=True)
class Versioned:
    """A record and the generation of the object it was read from; 0 stands for "there is none yet"."""

    record: Record
    generation: int = field(default=0)


def dump(record: Record) -> bytes:
    """The record as the JSON that is stored."""

    def plain(value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value.value

    data = {"version": VERSION, **asdict(record)}
    return json.dumps(data, default=plain, sort_keys=True, indent=1).encode()


def parse(data: bytes, *, source: str) -> Record:
    """Read a stored record.

    Raises:
        ReconcileError: it is not a ledger record, or one of a newer version; `source` says where it lies.
    """
    try:
        raw = json.loads(data)
        if raw.pop("version") != VERSION:
            raise ReconcileError(
                f"{source} was written by a newer tuneform",
                remedy="upgrade tuneform to the version that wrote it",
            )
        return _record(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReconcileError(
            f"{source} is not a ledger record ({error})",
            remedy="restore an earlier generation of the object; the state bucket keeps them",
        ) from error


def _record(raw: dict[str, Any]) -> Record:
    attempts = tuple(
        Attempt(**{**a, "state": AttemptState(a["state"]), "lease": _time(a["lease"])})
        for a in raw.pop("attempts")
    )
    gates = tuple(GateResult(**g) for g in raw.pop("gates"))
    return Record(attempts=attempts, gates=gates, promoted=_time(raw.pop("promoted")), **raw)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
