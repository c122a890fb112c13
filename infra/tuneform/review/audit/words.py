"""How things are said, whatever the form."""

from __future__ import annotations

from tuneform.review.audit.data import Audit, Breach, Unjudged, Unread


def since(breach: Breach) -> str:
    """Since when, and what happened then: `since 2026-03-01T10:00:00Z (created)`."""
    return f"since {breach.since} ({breach.since_what})" if breach.since else "since when is not known"


def mender(breach: Breach) -> str:
    """Who can mend it, and how that is known."""
    one = breach.mender
    return f"{one.name} ({one.how})" if one.name else f"not known: {one.how}"


def standing(breach: Breach) -> str:
    """What is said of exceptions; empty where there is none."""
    if breach.until:
        return f"excepted until {breach.until}: {breach.excepted}"
    return f"its exception ended on {breach.ended}" if breach.ended else ""


def told(breach: Breach) -> str:
    """All of a breach in sentences, for forms that take one text."""
    parts = [
        f"{breach.kind} {breach.name}: {breach.message}",
        *breach.notes,
        since(breach),
        f"who can mend it: {mender(breach)}",
        standing(breach),
        f"remedy: {breach.remedy}" if breach.remedy else "",
        f"why: {breach.why}" if breach.why else "",
    ]
    return "\n".join(part for part in parts if part)


def unread(one: Unread) -> str:
    """What could not be read, and why."""
    where = f"{one.project}: {one.what}" if one.project else one.what
    return f"{where}: {one.why}"


def unjudged(one: Unjudged) -> str:
    """A rule that could not be judged."""
    paths = " and ".join(sorted({".".join(path.split(".")[:3]) for path in one.paths}))
    things = f"{one.things:,} {one.kind}{'' if one.things == 1 else 's'}"
    return f"{one.rule} is not judged of {things}: {paths} does not show"


def summary(audit: Audit) -> str:
    """The counts in a sentence."""
    seen = (
        f"{count:,} {kind if count != 1 else kind.removesuffix('s')}" for kind, count in audit.seen.items()
    )
    kinds = ", ".join(seen) or "nothing in them"
    found = [
        f"{audit.count('deny'):,} of rules that deny",
        f"{audit.count('warn'):,} that warn",
        f"{audit.count('audit'):,} for audits alone",
        f"{audit.excepted:,} excepted",
    ]
    projects = len(audit.projects)
    return f"{projects:,} project{'' if projects == 1 else 's'} ({kinds}); breaches: {', '.join(found)}"
