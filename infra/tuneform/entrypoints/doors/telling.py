"""What policies say of specs: findings as diagnostics at their places, and the same in words and as plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tuneform.entrypoints.doors.documents import Documents
from tuneform.entrypoints.doors.policies import sources
from tuneform.errors import Diagnostic, SpecErrors
from tuneform.policy import Finding, Judge, Unjudged, Verdict
from tuneform.specs.kinds import SpecModel
from tuneform.specs.tree import Document, Step


@dataclass(frozen=True)
class Judgement:
    """What was found, the same as diagnostics at their places, and where the rules came from, with their digest."""

    verdict: Verdict = field(default_factory=Verdict)
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: tuple[str, ...] = ()
    digest: str = ""

    @property
    def denied(self) -> tuple[Diagnostic, ...]:
        """What stops everything."""
        return tuple(one for one in self.diagnostics if one.severity == "error")

    @property
    def warned(self) -> tuple[Diagnostic, ...]:
        """What is only shown."""
        return tuple(one for one in self.diagnostics if one.severity != "error")

    def refuse(self) -> None:
        """Go on only where nothing is denied.

        Raises:
            SpecErrors: something is.
        """
        if self.denied:
            raise SpecErrors(self.denied)

    def lines(self) -> Iterator[str]:
        """What is to be said beside the diagnostics: the sources of the rules, what is excepted, what was not asked."""
        yield from (f"policies: {source}" for source in self.sources)
        yield from excepted(self.verdict)
        yield from unjudged(self.verdict)

    def as_object(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "digest": self.digest or None,
            "sources": list(self.sources),
            "findings": [finding_object(finding) for finding in self.verdict.findings],
            "unjudged": [
                {
                    "rule": f"{one.policy}/{one.rule}",
                    "kind": one.kind,
                    "name": one.name,
                    "project": one.project,
                    "unknown": list(one.paths),
                }
                for one in self.verdict.unjudged
            ],
        }


def judged(
    documents: Documents, judge: Judge, part: Callable[[Document[Any]], bool] | None = None
) -> Judgement:
    """What the documents of a tree, or a part of them, break."""
    findings: list[Finding] = []
    not_asked: list[Unjudged] = []
    told: list[Diagnostic] = []
    if judge.rules:
        for document, subject in documents.subjects(part):
            verdict = judge.judge(subject)
            findings += verdict.findings
            not_asked += verdict.unjudged
            told += diagnostics(document, verdict.findings)
    told.sort(key=_place)
    digest = judge.digest if judge.rules else ""
    return Judgement(Verdict(tuple(findings), tuple(not_asked)), tuple(told), tuple(sources(judge)), digest)


def finding_object(finding: Finding) -> dict[str, Any]:
    """One breach for programs."""
    exception = finding.exception or finding.expired
    return {
        "rule": finding.id,
        "enforcement": finding.enforcement,
        "kind": finding.kind,
        "name": finding.name,
        "project": finding.project,
        "field": finding.field or None,
        "message": finding.message,
        "why": finding.why,
        "remedy": finding.remedy,
        "blocks": finding.blocks,
        "exception": None
        if exception is None
        else {
            "reason": exception.reason,
            "expires": exception.expires.isoformat(),
            "expired": finding.exception is None,
        },
    }


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    at = diagnostic.position
    return (str(at.path), at.line, at.column, diagnostic.message) if at else ("", 0, 0, diagnostic.message)


def diagnostics(document: Document[SpecModel], findings: Iterable[Finding]) -> Iterator[Diagnostic]:
    """The breaches of one document that deny or warn; what is excepted, or for audits alone, is not among them."""
    for finding in findings:
        if finding.exception is not None or finding.enforcement == "audit":
            continue
        yield document.diagnostic(
            code(finding),
            f"{finding.id}: {finding.message}",
            *_path(finding.field),
            hint=finding.advice(),
            severity="error" if finding.enforcement == "deny" else "warning",
        )


def code(finding: Finding) -> str:
    """The code of a breach."""
    if finding.enforcement == "warn":
        return "W190"
    return "E195" if finding.broken else "E194"


def _path(field: str) -> tuple[Step, ...]:
    steps: list[Step] = list(field.split(".")) if field else ["kind"]
    return tuple(steps)


def excepted(verdict: Verdict) -> Iterator[str]:
    """A line for every breach that an exception covers: what, why, until when."""
    for finding in verdict.findings:
        if finding.exception is not None:
            yield (
                f"{finding.kind} {finding.name}: {finding.id} excepted until {finding.exception.expires}: "
                f"{finding.exception.reason}"
            )


def unjudged(verdict: Verdict) -> Iterator[str]:
    """A line for every rule that cannot be judged of some documents here, with what is not known of them."""
    about: dict[str, list[str]] = {}
    for one in verdict.unjudged:
        paths = sorted({".".join(path.split(".")[:2]) for path in one.paths})
        line = (
            f"{one.policy}/{one.rule} is judged by plan alone, since {' and '.join(paths)} is not known here"
        )
        about.setdefault(line, []).append(f"{one.kind} {one.name}")
    for line, names in about.items():
        yield f"{line}: {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
