"""A live thing, judged: what it breaks, since when, and who can mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tuneform.entrypoints.doors.live import Sight
from tuneform.policy import Finding, Judge
from tuneform.reconcile.estate import ProjectSeen
from tuneform.reconcile.live import OWNER_LABEL
from tuneform.review.audit.data import Breach, Mender, Part, Unjudged, Unread

LABELS = (OWNER_LABEL, "owner", "team")
"""The labels that name whoever can mend a thing, in the order in which they count."""


@dataclass
class Gathered:
    """What is found of one part of a project while it is read."""

    project: str
    name: str
    judge: Judge
    seen: Counter[str] = field(default_factory=Counter)
    breaches: list[Breach] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    _unjudged: dict[tuple[str, str], tuple[int, frozenset[str]]] = field(default_factory=dict)

    def take(self, sight: Sight, around: ProjectSeen) -> None:
        """Judge a thing."""
        verdict = self.judge.judge(sight.subject)
        self.breaches += [breach_of(finding, sight, around) for finding in verdict.findings]
        for one in verdict.unjudged:
            key = (f"{one.policy}/{one.rule}", one.kind)
            things, paths = self._unjudged.get(key, (0, frozenset[str]()))
            self._unjudged[key] = (things + 1, paths | frozenset(one.paths))

    def part(self) -> Part:
        """All of it, done."""
        unjudged = (
            Unjudged(rule, kind, things, tuple(sorted(paths)))
            for (rule, kind), (things, paths) in sorted(self._unjudged.items())
        )
        return Part(
            self.project,
            self.name,
            dict(sorted(self.seen.items())),
            tuple(self.breaches),
            tuple(unjudged),
            tuple(self.unread),
        )


def breach_of(finding: Finding, sight: Sight, around: ProjectSeen) -> Breach:
    """A finding with what an audit adds to it."""
    ended = finding.expired.expires if finding.expired else None
    when, what = since(sight, ended)
    exception = finding.exception
    return Breach(
        project=around.project_id,
        location=sight.location,
        kind=finding.kind,
        name=finding.name,
        resource=sight.resource,
        rule=finding.id,
        enforcement=finding.enforcement,
        message=finding.message,
        field=finding.field,
        why=finding.why,
        remedy=finding.remedy,
        since=when,
        since_what=what,
        mender=mender(sight.labels, around),
        notes=sight.notes,
        excepted=exception.reason if exception else "",
        until=exception.expires.isoformat() if exception else "",
        ended=ended.isoformat() if ended else "",
        broken=finding.broken,
    )


def since(sight: Sight, ended: date | None) -> tuple[str, str]:
    """Since when at least a thing has been as it is: its last change, else its making; or the end of an exception.

    What it was like before its last change nobody shows.
    """
    moment, what = sight.updated, "changed last"
    if moment is None or (sight.created is not None and moment <= sight.created):
        moment, what = sight.created, "created"
    if ended is not None:
        after = datetime.combine(ended + timedelta(days=1), datetime.min.time(), UTC)
        if moment is None or after > moment:
            return after.date().isoformat(), "its exception ended"
    return (moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), what) if moment else ("", "not known")


def mender(labels: Mapping[str, str], around: ProjectSeen) -> Mender:
    """Who can mend a thing: by its labels, else by those of its project, else whoever owns the project."""
    for label in LABELS:
        if labels.get(label):
            return Mender(labels[label], f"label {label}")
    for label in LABELS:
        if around.labels.get(label):
            return Mender(around.labels[label], f"label {label} of the project")
    if around.owners:
        return Mender(", ".join(around.owners), "owner of the project")
    if around.owners is None:
        return Mender("", "it has no label owner or team, and the project's policy may not be read")
    return Mender("", "it has no label owner or team, and nobody has roles/owner on the project itself")
