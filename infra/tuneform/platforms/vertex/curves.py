"""Loss curves: from a job's experiment by way of the metadata store to TensorBoard's time series.

Source of the chain and of the series' names: the reference's section 5 (Google's metrics notebook, Vertex tuning
guide of 2025-08-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneform.errors import NotFound
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.errors import DEADLINE, READ, remote
from tuneform.reconcile.live import Curves, Job, Points

SERIES = {
    "/train_total_loss": "train_loss",
    "/train_fraction_of_correct_next_step_preds": "train_accuracy",
    "/eval_total_loss": "eval_loss",
    "/eval_fraction_of_correct_next_step_preds": "eval_accuracy",
}


def read_curves(clients: Clients, job: Job) -> Curves:
    """A job's curves so far; empty ones while the service has not made them yet."""
    if not job.experiment:
        return Curves()
    try:
        with remote(f"reading the metrics of {job.name}", clients.endpoint):
            return Curves(**_points(clients, job.experiment))
    except NotFound:
        return Curves()


def _points(clients: Clients, experiment: str) -> dict[str, Points]:
    context = clients.metadata.get_context(name=experiment, retry=READ, timeout=DEADLINE)
    board = dict(context.metadata).get("backing_tensorboard_resource")
    if not board:
        return {}
    fields = _series(clients, f"{board}/experiments/{experiment.rpartition('/')[2]}")
    if not fields:
        return {}
    answer = clients.tensorboards.batch_read_tensorboard_time_series_data(
        request={"tensorboard": board, "time_series": list(fields)}, retry=READ, timeout=DEADLINE
    )
    by_id = {name.rpartition("/")[2]: field for name, field in fields.items()}
    return {
        by_id[data.tensorboard_time_series_id]: tuple(
            sorted((int(point.step), float(point.scalar.value)) for point in data.values)
        )
        for data in answer.time_series_data
    }


def _series(clients: Clients, experiment: str) -> Mapping[str, str]:
    """Resource name of each known time series → our name for it."""
    found: dict[str, str] = {}
    runs: Any = clients.tensorboards.list_tensorboard_runs(parent=experiment, retry=READ, timeout=DEADLINE)
    for run in runs:
        for series in clients.tensorboards.list_tensorboard_time_series(
            parent=run.name, retry=READ, timeout=DEADLINE
        ):
            if series.display_name in SERIES:
                found[series.name] = SERIES[series.display_name]
    return found
