"""Performing a plan: the only code that writes. `run` is the loop, over a project or (`single`) over one document; the
other modules each perform a few actions."""

from tuneform.reconcile.execute.run import Failure, Interrupted, Outcome, apply
from tuneform.reconcile.execute.single import (
    apply_serving,
    apply_tuning,
    preview_serving,
    preview_tuning,
    remove_serving,
    remove_tuning,
)
from tuneform.reconcile.execute.status import ServingStatus, TuningStatus, serving_status, tuning_status

__all__ = [
    "Failure",
    "Interrupted",
    "Outcome",
    "ServingStatus",
    "TuningStatus",
    "apply",
    "apply_serving",
    "apply_tuning",
    "preview_serving",
    "preview_tuning",
    "remove_serving",
    "remove_tuning",
    "serving_status",
    "tuning_status",
]
