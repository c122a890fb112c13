"""Limits on what a tuning may cost: whether they can be kept at all, as far as the documents alone show it."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import SpecModel, TuningJob
from tuneform.specs.tree import Document


def check_limits(document: Document[SpecModel], job: TuningJob) -> Iterator[Diagnostic]:
    """An error for each limit that nothing can be held against, since Vertex AI chooses how many epochs there are."""
    if job.hyper_parameters.epoch_count is not None:
        return
    limits = {"maxBillableTokens": job.limits.max_billable_tokens, "maxCost": job.limits.max_cost}
    for name, limit in limits.items():
        if limit is not None:
            chosen = "Vertex AI chooses one, by a rule that is not documented"
            message = f"{name} cannot be kept without an epochCount: {chosen}"
            hint = "set hyperParameters.epochCount: every epoch bills the dataset's tokens once more"
            yield document.diagnostic("E170", message, "spec", "limits", name, key=True, hint=hint)
