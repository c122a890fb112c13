"""The state of tunings in words: a block for one, a table for many, a line for one that changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from tuneform.review.status import AttemptSeen, JobSeen, Serves, TuningSeen

LABEL_WIDTH = 11
HEADS = ("NAME", "WANTED", "JOB", "SERVES", "")


def block(seen: TuningSeen, *, now: datetime) -> list[str]:
    """Everything known of one tuning, a line each; `now` is what ages are counted from."""
    removed = "" if seen.declared else "  (live only: no document asks for it)"
    lines = [f"{seen.name}{removed}"]
    for label, texts in _rows(seen, now):
        for index, text in enumerate(texts):
            lines.append(f"  {label if index == 0 else '':<{LABEL_WIDTH}} {text}")
    return lines


def _rows(seen: TuningSeen, now: datetime) -> Iterator[tuple[str, list[str]]]:
    """Label and lines of everything that there is something to say about."""
    rows = (
        ("wanted", [seen.wanted or "nothing yet"]),
        ("job", _job(seen.job)),
        ("attempts", [_attempt(attempt) for attempt in seen.attempts if not attempt.unresolved]),
        ("unresolved", [text for a in seen.unresolved for text in _unresolved(seen.name, a, now)]),
        ("model", [seen.model] if seen.model else []),
        *(("serves", [*serves_words(serves)]) for serves in seen.serves),
        ("gate", [*_gate(seen)]),
        ("kept", [", ".join(seen.kept)] if seen.kept else []),
        ("advice", [*seen.advice.text] if seen.advice is not None else []),
        ("queued", [seen.queued] if seen.queued else []),
        ("next", [*seen.next]),
        ("blocked", [text for h in seen.blocked for text in (h.reason, f"remedy: {h.remedy}")]),
        ("more", [f"`tuneform status {seen.name}`: all attempts and measurements"] if seen.partial else []),
    )
    return ((label, texts) for label, texts in rows if texts)


def _job(job: JobSeen | None) -> list[str]:
    if job is None:
        return ["none"]
    return [job_words(job), job.name, *([job.error] if job.error else []), *_billed(job), *_evaluated(job)]


def _evaluated(job: JobSeen) -> Iterator[str]:
    """What Vertex AI measured on request (evaluationConfig), checkpoint by checkpoint."""
    for found in job.evaluations:
        of = f" of checkpoint {found.checkpoint}" if found.checkpoint else ""
        if found.error:
            yield f"evaluation{of}: {found.error}"
        else:
            value = f"{found.value:.3f}" if found.value is not None else "measured, see its output folder"
            yield f"evaluation{of}: {found.metric} {value}"


def _billed(job: JobSeen) -> Iterator[str]:
    """What the job takes, or took: known once Vertex AI has counted its data and settled its epochs."""
    if job.billable_tokens is None:
        return
    if job.billed_tokens is None:
        yield f"{job.billable_tokens:,} billable tokens an epoch"
        return
    money = f", {job.cost}" if job.cost is not None else ", price unknown"
    of_all = "" if not job.ended or job.state == "SUCCEEDED" else " if all epochs were trained"
    yield (
        f"{job.billed_tokens:,} billable tokens ({job.billable_tokens:,} an epoch × {job.epochs}){money}{of_all}"
    )


def job_words(job: JobSeen) -> str:
    """A job's state, and how far it is."""
    parts = [f"{job.state} ({job.substate})" if job.substate else job.state]
    if job.epoch:
        parts.append(f"epoch {job.epoch}/{job.epochs}")
    if job.loss is not None:
        parts.append(f"loss {job.loss:.3f}")
    if job.eval_loss is not None:
        parts.append(f"eval loss {job.eval_loss:.3f}")
    return ", ".join(parts)


def _attempt(attempt: AttemptSeen) -> str:
    cause = f" ({attempt.cause})" if attempt.cause else ""
    return f"{attempt.revision} #{attempt.number} {attempt.state}{cause}"


def _unresolved(name: str, attempt: AttemptSeen, now: datetime) -> Iterator[str]:
    age = f", {ago(attempt.since, now)}" if attempt.since else ""
    gone = ", which is gone" if attempt.gone else ""
    yield f"{attempt.revision} #{attempt.number} {attempt.state} by {attempt.holder}{gone}{age}"
    yield f"remedy: `tuneform apply` finds out what became of it; or decide: `tuneform resolve {name}`"


def serves_words(serves: Serves) -> Iterator[str]:
    """Which revision's checkpoint answers, since when, and where."""
    removed = "" if serves.declared else ", which no document asks for"
    if not serves.model:
        yield f"nothing yet on {serves.endpoint}" if serves.endpoint else f"nothing yet ({serves.how})"
        return
    epoch = f" (epoch {serves.epoch})" if serves.epoch else ""
    checkpoint = f", checkpoint {serves.checkpoint}{epoch}" if serves.checkpoint else ""
    since = f", since {serves.since:%Y-%m-%d %H:%M} UTC" if serves.since else ""
    yield f"{serves.revision or 'a model that no record names'}{checkpoint}{since}"
    yield f"{serves.how} {serves.endpoint}{removed}"


def _gate(seen: TuningSeen) -> Iterator[str]:
    if seen.verdict is not None:
        said = "passed" if seen.verdict.passed else f"not passed: {seen.verdict.reason}"
        yield f"{said}{' (before the gate or its data changed)' if seen.verdict.stale else ''}"
    measured: dict[str, list[str]] = {}
    for one in seen.gates:
        measured.setdefault(one.checkpoint, []).append(f"{one.metric} {one.value:.4g}")
    for checkpoint, results in measured.items():
        yield f"{f'checkpoint {checkpoint}: ' if checkpoint else ''}{', '.join(results)}"


def ago(then: datetime, now: datetime) -> str:
    """How long ago something was, for people."""
    passed = max(now - then, timedelta())
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if passed >= length:
            return f"{passed // length} {unit} ago"
    return f"{int(passed.total_seconds())} s ago"


def summary(seen: TuningSeen) -> tuple[str, str, str, str, str]:
    """A tuning as a row: name, wanted revision, job, what serves, what a person should look at."""
    serving = "; ".join(_short_serving(serves) for serves in seen.serves)
    notes = []
    if not seen.declared:
        notes.append("live only")
    if seen.unresolved:
        notes.append("unresolved")
    if seen.queued:
        notes.append("queued")
    if seen.blocked:
        notes.append(f"blocked: {seen.blocked[0].reason}")
    elif seen.next:
        notes.append(f"{len(seen.next)} to do")
    return (
        seen.name,
        seen.wanted or "-",
        job_words(seen.job) if seen.job else "-",
        serving or "-",
        ", ".join(notes),
    )


def _short_serving(serves: Serves) -> str:
    if not serves.model:
        return "nothing yet"
    checkpoint = f" checkpoint {serves.checkpoint}" if serves.checkpoint else ""
    return f"{serves.revision or 'unknown'}{checkpoint}"


def table(found: Sequence[TuningSeen]) -> list[str]:
    """A line for each tuning under heads, columns as wide as what is in them."""
    rows = [HEADS, *map(summary, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def changed(before: Iterable[TuningSeen], now: Iterable[TuningSeen]) -> list[str]:
    """A line for each tuning of which something to be seen at a glance has changed."""
    seen = {summary(one)[0]: summary(one) for one in before}
    return [
        ": ".join((row[0], ", ".join(cell for cell in row[1:] if cell and cell != "-")))
        for row in map(summary, now)
        if seen.get(row[0]) != row
    ]
