"""What an audit found: breaches, and what could not be read or judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from tuneform.policy import Enforcement


@dataclass(frozen=True, slots=True)
class Mender:
    """Who can mend a breach, and how that is known; without a name `how` says why it is not."""

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Breach:
    """A live thing that breaks a rule. `project` is Google's id, `resource` the full name.

    `since` is a day or a moment, `since_what` what happened then: "created", "changed" or "exception ended". It has
    been broken at least since then. `excepted` is why it may be, until `until`; `ended` is the day on which an
    exception ended. `broken` says that the rule had no value.
    """

    project: str
    location: str
    kind: str
    name: str
    resource: str
    rule: str
    enforcement: Enforcement
    message: str
    field: str
    why: str
    remedy: str
    since: str
    since_what: str
    mender: Mender
    notes: tuple[str, ...] = ()
    excepted: str = ""
    until: str = ""
    ended: str = ""
    broken: bool = False

    @property
    def counts(self) -> bool:
        """Whether the audit fails by it."""
        return self.enforcement == "deny" and not self.until


@dataclass(frozen=True)
class Unjudged:
    """A rule that could not be judged of so many live things, and the paths that do not show."""

    rule: str
    kind: str
    things: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Unread:
    """What could not be read: `what` of a project (empty: a folder, named in `what`). `disabled` is not a failure."""

    project: str
    what: str
    why: str
    remedy: str = ""
    disabled: bool = False


@dataclass(frozen=True)
class Part:
    """One part of a project that was read to its end: the project itself, its buckets, or one location."""

    project: str
    name: str
    seen: Mapping[str, int] = field(default_factory=dict)
    breaches: tuple[Breach, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    unread: tuple[Unread, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """For a journal; `Part.of` makes it one again."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Part:
        """A part from what a journal says; raises TypeError or KeyError where that is no part."""
        breaches = (
            Breach(**{**one, "mender": Mender(**one["mender"]), "notes": tuple(one["notes"])})
            for one in plain["breaches"]
        )
        unjudged = (Unjudged(**{**one, "paths": tuple(one["paths"])}) for one in plain["unjudged"])
        unread = tuple(Unread(**one) for one in plain["unread"])
        return cls(plain["project"], plain["name"], plain["seen"], tuple(breaches), tuple(unjudged), unread)


@dataclass(frozen=True)
class Source:
    """Where rules came from: how many, and the digest of what they say."""

    name: str
    rules: int
    digest: str

    def __str__(self) -> str:
        return f"{self.name}: {self.rules} rule{'' if self.rules == 1 else 's'}, {self.digest}"


@dataclass(frozen=True)
class Audit:
    """All of it. `digest` is that of all rules and exceptions together; `asked` says in words what was audited."""

    asked: str
    today: str
    digest: str
    sources: tuple[Source, ...]
    parts: tuple[Part, ...]

    @cached_property
    def projects(self) -> tuple[str, ...]:
        """Every project, in order."""
        return tuple(sorted({part.project for part in self.parts if part.project}))

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """Every breach: by project, what denies first, then by rule and thing."""
        found = (breach for part in self.parts for breach in part.breaches)
        return tuple(sorted(found, key=_order))

    @cached_property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be read."""
        found = (unread for part in self.parts for unread in part.unread)
        return tuple(sorted(found, key=lambda one: (one.disabled, one.project, one.what)))

    @cached_property
    def failures(self) -> tuple[Unread, ...]:
        """What could not be read and should have been: an API that is off has nothing to show."""
        return tuple(one for one in self.unread if not one.disabled)

    @cached_property
    def unjudged(self) -> tuple[Unjudged, ...]:
        """Rules that could not be judged, each once for each kind."""
        things: Counter[tuple[str, str]] = Counter()
        paths: dict[tuple[str, str], set[str]] = {}
        for part in self.parts:
            for one in part.unjudged:
                things[one.rule, one.kind] += one.things
                paths.setdefault((one.rule, one.kind), set()).update(one.paths)
        return tuple(
            Unjudged(rule, kind, things[rule, kind], tuple(sorted(paths[rule, kind])))
            for rule, kind in sorted(things)
        )

    @cached_property
    def seen(self) -> Mapping[str, int]:
        """How many of each sort of thing were read."""
        total: Counter[str] = Counter()
        for part in self.parts:
            total.update(part.seen)
        return dict(sorted(total.items()))

    @property
    def fails(self) -> bool:
        """Whether something that denies is broken, or something could not be read."""
        return bool(self.failures) or any(breach.counts for breach in self.breaches)

    def count(self, enforcement: Enforcement) -> int:
        """Breaches of one enforcement that no exception covers."""
        return sum(breach.enforcement == enforcement and not breach.until for breach in self.breaches)

    @property
    def excepted(self) -> int:
        """Breaches that an exception covers."""
        return sum(bool(breach.until) for breach in self.breaches)

    def by_project(self) -> Iterator[tuple[str, tuple[Breach, ...]]]:
        """Every project with its breaches."""
        found: dict[str, list[Breach]] = {project: [] for project in self.projects}
        for breach in self.breaches:
            found[breach.project].append(breach)
        for project, breaches in found.items():
            yield project, tuple(breaches)


_FIRST: Mapping[str, int] = {"deny": 0, "warn": 1, "audit": 2}


def _order(breach: Breach) -> tuple[Any, ...]:
    weight = (bool(breach.until), _FIRST[breach.enforcement])
    return (breach.project, weight, breach.rule, breach.kind, breach.name, breach.resource, breach.field)
