"""A base model that is about to retire, or has: what could be tuned instead."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.capabilities import Capabilities, Model
from tuneform.errors import Diagnostic
from tuneform.specs.kinds import Project, SpecModel, TuningJob
from tuneform.specs.tree import Document

NEAR = 90
"""Days before its retirement from which a model is warned about: enough to tune, compare and move the traffic.

The number is ours. The one that is documented is how long before models that are offered for a short time are gone:
45 days ("Model versions and lifecycle", 2026-10-07).
"""


def check_retirement(
    document: Document[SpecModel], job: TuningJob, project: Project, model: Model, known: Capabilities
) -> Iterator[Diagnostic]:
    """A warning for a model near its documented retirement, or past it, with what could be tuned instead.

    No error: such a day may be put off, what is in use may go on, and a create that is refused costs nothing.
    """
    left, retirement = known.days_left(model), model.retirement
    if left is None or left > NEAR or retirement.value is None:
        return
    day = retirement.value.isoformat()
    if left >= 0:
        when = f"not before {day}" if retirement.at_least else f"on {day}"
        code, message = "W102", f"{model.name} retires in {_days(left)}: {when}"
    else:
        # "or later": the day has passed, and it may be there still.
        was = "may be retired since" if retirement.at_least else "was to retire on"
        code, message = "W103", f"{model.name} {was} {day}, {_days(-left)} ago"
    hint = f"{_proposal(job, project, model, known)}; {retirement.says}"
    yield document.diagnostic(code, message, "spec", "baseModel", hint=hint, severity="warning")


def _days(count: int) -> str:
    return "a day" if count == 1 else f"{count} days"


def _proposal(job: TuningJob, project: Project, model: Model, known: Capabilities) -> str:
    """The models that a document says are tuned like this and that are not about to go; its replacements first."""
    named = model.replacements.value or ()
    fit = [other for other in known.models.values() if other != model and _lasts(job, other, known)]
    fit.sort(key=lambda other: other.name not in named)
    if not fit:
        return f"no document names another model for {job.method} that lasts longer"
    return "tuned the same way, and longer: " + ", ".join(
        other.name + (f" ({'; '.join(but)})" if (but := list(_misfits(job, project, other))) else "")
        for other in fit
    )


def _lasts(job: TuningJob, other: Model, known: Capabilities) -> bool:
    left = known.days_left(other)
    return other.method(job.method).offered.value is True and left is not None and left > NEAR


def _misfits(job: TuningJob, project: Project, other: Model) -> Iterator[str]:
    """What would have to change with the model, besides its name."""
    if job.encryption_key and other.customer_managed_keys.value is False:
        yield "without encryptionKey"
    tuned, served = other.tuning_locations.value, other.serving_locations.value
    if tuned and project.location not in tuned:
        yield f"tuned in {' or '.join(tuned)}"
    if served and project.serving_location not in served:
        yield f"served from {' or '.join(served)}"
