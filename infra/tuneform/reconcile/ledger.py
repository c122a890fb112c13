"""The ledger: one record a revision, with every paid attempt at it, its fate, and what its gates measured.

States of an attempt, each with its cause (docs/decisions/attempts.md argues every transition):

    claimed → fenced → sent → known → succeeded → retired | lost
       └────────┴────────┤      └──→ failed | cancelled
                         └→ revoking → revoked            revoking → known

- claimed: this number is ours to try; others keep away for as long as the lease lasts.
- fenced: the training data was copied to an object that only this attempt's create call will name.
- sent: the create call is about to leave; whether it arrived is unknown until `known`.
- revoking: the holder cannot go on; once `starved`, the object is deleted too, so that a create that arrives from
  then on costs nothing, and the job is looked for until lists must have shown it.
- revoked: there is no job of this attempt, and none can come that trains.
- known: the job's resource name is recorded.
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

VERSION = 2
"""Of the stored form. Version 1 had leases in the record; it is still read."""


class AttemptState(Enum):
    """Where an attempt is; see the module's text."""

    CLAIMED = "claimed"
    FENCED = "fenced"
    SENT = "sent"
    REVOKING = "revoking"
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
        return self in _UNRESOLVED

    __hash__ = object.__hash__  # as JobState's


_UNRESOLVED = frozenset({AttemptState.CLAIMED, AttemptState.FENCED, AttemptState.SENT, AttemptState.REVOKING})


@dataclass(frozen=True)
class Attempt:
    """One paid try. `holder` is `host:pid:id` of who claimed it.

    `doubted` says that its end was sought: a job that then fails for want of its data has cost nothing. `starved` says
    that the data was deleted, by the record's last write at the latest.
    `superseded` says that we cancelled it ourselves, so that it may be asked for again.
    """

    number: int
    state: AttemptState
    cause: str
    holder: str = ""
    fence: str = ""
    job: str = ""
    model: str = ""
    doubted: bool = False
    starved: bool = False
    superseded: bool = False


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
class Verdict:
    """What a gate said. `asked` is the fingerprint of what it asked and of what it was measured on."""

    asked: str
    passed: bool
    reason: str = ""


@dataclass(frozen=True)
class Record:
    """Everything remembered about one revision.

    `wanted` is when the specs last asked for it, `promoted` when it last got the traffic, `served` the checkpoint
    that got it, `best` the one with the least evaluation loss, `training` the URI of its content, `cleared` whether
    the endpoints that Vertex made for its checkpoints are deleted, `retain` whether its models outlive its documents.
    """

    project: str
    name: str
    revision: str
    recipe: Mapping[str, Any]
    attempts: tuple[Attempt, ...] = ()
    gates: tuple[GateResult, ...] = ()
    verdict: Verdict | None = None
    wanted: datetime | None = None
    promoted: datetime | None = None
    served: str = ""
    best: str = ""
    training: str = ""
    cleared: bool = False
    retain: bool = False

    @property
    def last(self) -> Attempt | None:
        """The latest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def failures(self) -> int:
        """How many paid attempts Vertex has failed."""
        return sum(attempt.state is AttemptState.FAILED for attempt in self.attempts)

    @property
    def kept(self) -> bool:
        """Whether its last attempt has a model, as far as is recorded."""
        return self.last is not None and self.last.state is AttemptState.SUCCEEDED

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
    """A record and the generation of the object it was read from; 0 stands for "there is none yet".

    `updated` is the server's time of the last write. A `lean` record was read from a list: of its attempts it has
    the last one, it has neither recipe nor gates, and it is never written.
    """

    record: Record
    generation: int = field(default=0)
    updated: datetime | None = None
    lean: bool = False


@dataclass(frozen=True)
class Pointer:
    """Where `serving: pointer` points: the endpoint that clients are sent to."""

    project: str
    name: str
    endpoint: str
    revision: str
    model: str
    checkpoint: str
    generation: int = field(default=0, compare=False)


def dump(record: Record) -> bytes:
    """The record as the JSON that is stored."""
    return json.dumps({"version": VERSION, **_plain(record)}, sort_keys=True, indent=1).encode()


def head(record: Record) -> str:
    """What a list of the ledger shows of a record: enough to see that nothing is to be done.

    It goes into the object's metadata, which holds 8 KiB (Cloud Storage quotas, 2026).
    """
    last = record.last
    short = {**_plain(record), "attempts": [_short(last)] if last else []}
    del short["recipe"], short["gates"]
    return json.dumps(short, sort_keys=True, separators=(",", ":"))


def parse(data: bytes, *, source: str) -> Record:
    """Read a stored record.

    Raises:
        ReconcileError: it is not a ledger record, or one of a newer version; `source` says where it lies.
    """
    try:
        raw = json.loads(data)
        version = raw.pop("version")
        if isinstance(version, int) and version > VERSION:
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


def parse_head(text: str) -> Record | None:
    """Read what `head` wrote; None when it is something else, so that the record itself has to be read."""
    try:
        return _record({"recipe": {}, "gates": [], **json.loads(text)})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _plain(record: Record) -> dict[str, Any]:
    raw = asdict(record)
    for name in ("wanted", "promoted"):
        raw[name] = raw[name].isoformat() if raw[name] else None
    for attempt in raw["attempts"]:
        attempt["state"] = attempt["state"].value
    return raw


def _short(attempt: Attempt) -> dict[str, Any]:
    return {**asdict(attempt), "state": attempt.state.value, "cause": attempt.cause[:200]}


def _record(raw: dict[str, Any]) -> Record:
    attempts = tuple(
        Attempt(**{**{k: v for k, v in a.items() if k != "lease"}, "state": AttemptState(a["state"])})
        for a in raw.pop("attempts")
    )
    gates = tuple(GateResult(**g) for g in raw.pop("gates"))
    verdict = raw.pop("verdict", None)
    return Record(
        attempts=attempts,
        gates=gates,
        verdict=Verdict(**verdict) if verdict else None,
        wanted=_time(raw.pop("wanted", None)),
        promoted=_time(raw.pop("promoted", None)),
        **raw,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
