"""The state of a tuning in a word. What wants a person comes first: of several true ones the most urgent is said."""

from __future__ import annotations

from tuneform.review.report.data import Standing
from tuneform.review.status import TuningSeen

_ENDED_BADLY = {"FAILED": "failed", "EXPIRED": "expired"}


def standing(seen: TuningSeen) -> Standing:
    """What has become of a tuning."""
    job, blocked = seen.job, seen.blocked[0].reason if seen.blocked else ""
    if seen.unresolved:
        return Standing("unresolved", "bad", "nobody saw how an attempt ended")
    if job is not None and job.state in _ENDED_BADLY:
        return Standing(_ENDED_BADLY[job.state], "bad", job.error or "Vertex AI gives no reason")
    if job is not None and job.state in {"CANCELLED", "CANCELLING"}:
        return Standing(job.state.lower(), "warn", "the model of a cancelled job is never promoted")
    if seen.verdict is not None and not seen.verdict.passed and not seen.verdict.stale:
        return Standing("gate not passed", "bad", seen.verdict.reason)
    if seen.blocked:
        return Standing("blocked", "bad", blocked)
    if job is not None and job.state == "UNSPECIFIED":
        return Standing("unknown", "warn", "Vertex AI does not say what state its job is in")
    if job is not None and not job.ended:
        return Standing(job.state.lower(), "busy")
    if not seen.declared:
        return Standing("live only", "warn", "no document asks for it any more")
    return _settled(seen)


def _settled(seen: TuningSeen) -> Standing:
    """Of a tuning with no job under way and nothing in its way."""
    asked = [serves for serves in seen.serves if serves.declared]
    answering = [serves for serves in asked if serves.model]
    if seen.job is None and not answering:
        return Standing("not started", "quiet")
    if asked and len(answering) < len(asked):
        return Standing("not serving", "warn", "its model is there, and nothing answers yet")
    if any(serves.revision != seen.wanted for serves in asked):
        return Standing("serving another revision", "warn", f"{seen.wanted} is wanted")
    if seen.next:
        return Standing("serving, differs" if asked else "trained, differs", "warn", seen.next[0])
    return Standing("serving", "good") if asked else Standing("trained, not served", "good")
