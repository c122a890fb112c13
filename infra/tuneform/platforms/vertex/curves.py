"""Loss curves: from a job's experiment by way of the metadata store to TensorBoard's time series.

Source of the chain and of the series' names: the reference's section 5 (Google's metrics notebook, Vertex tuning
guide of 2025-08-21).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions

from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.clients import Clients
from tuneform.reconcile.live import Curves, Job, Points

SERIES = {
    "/train_total_loss": "train_loss",
    "/train_fraction_of_correct_next_step_preds": "train_accuracy",
    "/eval_total_loss": "eval_loss",
    "/eval_fraction_of_correct_next_step_preds": "eval_accuracy",
    # The first was seen in a public job's experiment; the other is a guess by analogy, and read where it is there.
    "/preference_optimization_train_loss": "train_loss",
    "/preference_optimization_eval_loss": "eval_loss",
}
TENSORBOARDS = "tensorboard_service"
PAGE = 100


@dataclass(frozen=True)
class Place:
    """Where the curves of a job are: its board, and the resource name of each series → our name for it."""

    board: str
    series: Mapping[str, str]


class CurveReader:
    """Reads curves, and remembers where those of a job are once all of them are there."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._places: dict[str, Place] = {}

    async def read(self, job: Job) -> Curves:
        """A job's curves so far; empty ones while the service has not made them yet."""
        if not job.experiment:
            return Curves()
        try:
            place = self._places.get(job.experiment) or await self._find(job)
            return Curves(**await self._points(place)) if place.series else Curves()
        except exceptions.NotFound:
            self._places.pop(job.experiment, None)
            return Curves()

    async def _find(self, job: Job) -> Place:
        request = slim.message("metadata_service", "GetContextRequest", name=job.experiment)
        context = await self._clients.call("metadata_service", "get_context", request, at=job.experiment)
        board = str(dict(context.metadata.items()).get("backing_tensorboard_resource") or "")
        if not board:
            return Place("", {})
        place = Place(board, await self._series(f"{board}/experiments/{job.experiment.rpartition('/')[2]}"))
        expected = {name for name in SERIES.values() if job.validation_uri or name.startswith("train")}
        if expected <= set(place.series.values()):
            self._places[job.experiment] = place
        return place

    async def _series(self, experiment: str) -> Mapping[str, str]:
        runs = slim.message(TENSORBOARDS, "ListTensorboardRunsRequest", parent=experiment, page_size=PAGE)
        found = await self._list("list_tensorboard_runs", runs)
        lists = await asyncio.gather(
            *(self._of_run(run.name) for page in found for run in page.tensorboard_runs)
        )
        return {name: field for series in lists for name, field in series.items()}

    async def _of_run(self, run: str) -> Mapping[str, str]:
        request = slim.message(TENSORBOARDS, "ListTensorboardTimeSeriesRequest", parent=run, page_size=PAGE)
        return {
            series.name: SERIES[series.display_name]
            for page in await self._list("list_tensorboard_time_series", request)
            for series in page.tensorboard_time_series
            if series.display_name in SERIES
        }

    async def _list(self, method: str, request: Any) -> list[Any]:
        return [page async for page in self._clients.pages(TENSORBOARDS, method, request, at=request.parent)]

    async def _points(self, place: Place) -> dict[str, Points]:
        request = slim.message(
            TENSORBOARDS,
            "BatchReadTensorboardTimeSeriesDataRequest",
            tensorboard=place.board,
            time_series=list(place.series),
        )
        answer = await self._clients.call(
            TENSORBOARDS, "batch_read_tensorboard_time_series_data", request, at=place.board
        )
        by_id = {name.rpartition("/")[2]: field for name, field in place.series.items()}
        return {
            by_id[data.tensorboard_time_series_id]: tuple(
                sorted((int(point.step), float(point.scalar.value)) for point in data.values)
            )
            for data in answer.time_series_data
            if data.tensorboard_time_series_id in by_id
        }
