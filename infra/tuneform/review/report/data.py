"""What a report says, as frozen data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from tuneform.capabilities.prices import Money
from tuneform.errors import Diagnostic
from tuneform.reconcile.diff import Change
from tuneform.reconcile.live import Curves
from tuneform.review.report.judged import Judged
from tuneform.review.report.statistics import DatasetStatistics
from tuneform.review.status import TuningSeen

Tone = Literal["good", "busy", "warn", "bad", "quiet"]
"""How a state looks, beside the word that says it: never by its colour alone."""


@dataclass(frozen=True)
class Standing:
    """The state of a tuning in a word, and why it is so where that wants a look."""

    word: str
    tone: Tone
    why: str = ""

    @property
    def wants_a_look(self) -> bool:
        """Whether a person should look at it."""
        return self.tone in {"warn", "bad"}


@dataclass(frozen=True)
class CheckpointPart:
    """A checkpoint with what was measured of it, None where it was not.

    `train_loss` and `train_accuracy` are means of the epochs since the checkpoint before. `chosen` is the one that the
    TunedModel's `checkpoint` means, `serves` the one that answers now, `best` the one with the least validation loss.
    """

    id: str
    epoch: int
    step: int
    train_loss: float | None = None
    train_accuracy: float | None = None
    eval_loss: float | None = None
    eval_accuracy: float | None = None
    exact_match: float | None = None
    chosen: bool = False
    serves: bool = False
    best: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        """What sets it apart from the others."""
        named = (("chosen", self.chosen), ("serves now", self.serves), ("least validation loss", self.best))
        return tuple(word for word, true in named if true)


@dataclass(frozen=True)
class DemandPart:
    """One thing that a gate asks for, and what was measured of the chosen checkpoint; None where nothing was."""

    text: str
    value: float | None
    met: bool | None


@dataclass(frozen=True)
class GatePart:
    """The gate of one served model."""

    model: str
    demands: tuple[DemandPart, ...]
    compares: bool = False
    """Whether it also asks to be no worse than what serves."""


@dataclass(frozen=True)
class JobPart:
    """A paid try: what the ledger says of the attempt, and what Vertex AI says of its job.

    `fate` is the attempt's state, empty for a job that the ledger does not know; `state` is the job's, empty where
    there is no job. `tokens` is what it billed, None where that is not known: of a job without success nobody says.
    """

    revision: str
    attempt: int
    fate: str
    cause: str
    job: str
    state: str
    ended: bool
    created: datetime | None = None
    took: timedelta | None = None
    epochs: int = 0
    tokens: int | None = None
    cost: Money | None = None
    error: str = ""
    wanted: bool = False


@dataclass(frozen=True)
class Spent:
    """What jobs have billed. `unpriced` tokens have no known price; of `unknown` ended jobs nobody knows.

    `running` jobs are not counted: they bill when they end.
    """

    tokens: int = 0
    money: tuple[Money, ...] = ()
    unpriced: int = 0
    unknown: int = 0
    running: int = 0

    @classmethod
    def of(cls, jobs: Iterable[JobPart]) -> Spent:
        """The sum over jobs."""
        made = [job for job in jobs if job.job]
        billed = [job for job in made if job.tokens is not None]
        return cls(
            tokens=sum(job.tokens or 0 for job in billed),
            money=_summed(job.cost for job in billed if job.cost is not None),
            unpriced=sum(job.tokens or 0 for job in billed if job.cost is None),
            unknown=sum(job.ended and job.tokens is None for job in made),
            running=sum(not job.ended for job in made),
        )

    @classmethod
    def together(cls, parts: Iterable[Spent]) -> Spent:
        """The sum of sums."""
        found = list(parts)
        return cls(
            tokens=sum(part.tokens for part in found),
            money=_summed(money for part in found for money in part.money),
            unpriced=sum(part.unpriced for part in found),
            unknown=sum(part.unknown for part in found),
            running=sum(part.running for part in found),
        )

    @property
    def price(self) -> str:
        """The money in words."""
        parts = [str(money) for money in self.money]
        if self.unpriced:
            parts.append("price unknown" if not parts else f"and {self.unpriced:,} tokens of unknown price")
        return " ".join(parts) if parts else "nothing"


def _summed(money: Iterable[Money]) -> tuple[Money, ...]:
    sums: dict[str, Decimal] = {}
    for one in money:
        sums[one.currency] = sums.get(one.currency, Decimal(0)) + one.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))


@dataclass(frozen=True)
class TuningPart:
    """One tuning: what status sees of it, and what a report adds."""

    seen: TuningSeen
    standing: Standing
    base_model: str = ""
    dataset: str = ""
    description: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    """What its document sets, and its labels, in words."""
    jobs: tuple[JobPart, ...] = ()
    checkpoints: tuple[CheckpointPart, ...] = ()
    gates: tuple[GatePart, ...] = ()
    curves: Curves = Curves()
    epochs: int = 0
    steps: int = 0

    @property
    def name(self) -> str:
        """The tuning's name."""
        return self.seen.name

    @property
    def spent(self) -> Spent:
        """What its jobs have billed."""
        return Spent.of(self.jobs)


@dataclass(frozen=True)
class Difference:
    """One thing that `plan` says differs between the specs and what is live, and what `apply` would do about it."""

    kind: str
    name: str
    word: str
    text: str
    changes: tuple[Change, ...] = ()
    later: bool = False
    removed: bool = False
    remedy: str = ""


@dataclass(frozen=True)
class ProjectPart:
    """One project. `sentence` sums its plan up; `estimate` is what that plan would bill, empty for nothing.

    `whole` is False where part of its documents were asked about: then nothing counts as removed.
    """

    name: str
    project_id: str
    location: str
    owner: str
    tunings: tuple[TuningPart, ...] = ()
    datasets: tuple[DatasetStatistics, ...] = ()
    differences: tuple[Difference, ...] = ()
    sentence: str = ""
    estimate: str = ""
    whole: bool = True

    @property
    def spent(self) -> Spent:
        """What all its jobs have billed."""
        return Spent.together(tuning.spent for tuning in self.tunings)


@dataclass(frozen=True)
class Report:
    """A whole report.

    `made` is when, in UTC; `specs` names what was read, `place` where it is live; `emulated` whether that is the
    emulator, whose figures are those of its own small model. `judged` is None where no policies were judged. `warnings`
    are of the specs and their data.
    """

    made: datetime
    specs: str
    place: str
    version: str
    emulated: bool = False
    projects: tuple[ProjectPart, ...] = ()
    judged: Judged | None = None
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def tunings(self) -> tuple[TuningPart, ...]:
        """All tunings of all projects."""
        return tuple(tuning for project in self.projects for tuning in project.tunings)

    @property
    def spent(self) -> Spent:
        """What everything has billed."""
        return Spent.together(project.spent for project in self.projects)


@dataclass(frozen=True)
class Picture:
    """A curve as it is drawn: inline SVG for the page, and a PNG for whoever wants the file."""

    project: str
    tuning: str
    measure: Literal["loss", "accuracy"]
    title: str
    words: str
    svg: str
    png: bytes = field(default=b"", repr=False)


Pictures = Mapping[tuple[str, str], tuple[Picture, ...]]
"""By project and tuning."""
