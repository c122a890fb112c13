"""Findings as diagnostics at the places of what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tuneform.entrypoints.doors.documents import Documents
from tuneform.errors import Diagnostic
from tuneform.policy import Finding, Judge, Unjudged, Verdict
from tuneform.specs.kinds import SpecModel
from tuneform.specs.tree import Document, Step


def judged(documents: Documents, judge: Judge, project: str = "") -> tuple[Verdict, list[Diagnostic]]:
    """What the documents of a tree, or of one of its projects, break, and the same as diagnostics at their places."""
    findings: list[Finding] = []
    not_asked: list[Unjudged] = []
    told: list[Diagnostic] = []
    if judge.rules:
        part = (lambda document: document.project == project) if project else None
        for document, subject in documents.subjects(part):
            verdict = judge.judge(subject)
            findings += verdict.findings
            not_asked += verdict.unjudged
            told += diagnostics(document, verdict.findings)
    told.sort(key=_place)
    return Verdict(tuple(findings), tuple(not_asked)), told


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
            hint=hint(finding),
            severity="error" if finding.enforcement == "deny" else "warning",
        )


def code(finding: Finding) -> str:
    """The code of a breach."""
    if finding.enforcement == "warn":
        return "W190"
    return "E195" if finding.broken else "E194"


def hint(finding: Finding) -> str:
    """What to do about it, and the exception that has ended, if there was one."""
    ended = f"its exception ended on {finding.expired.expires}" if finding.expired else ""
    why = f"why: {finding.why}" if finding.why else ""
    return "; ".join(part for part in (finding.remedy, ended, why) if part)


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
