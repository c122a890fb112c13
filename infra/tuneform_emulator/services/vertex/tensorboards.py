"""TensorBoards: where the loss curves of tuning jobs are read.

One TensorBoard a project and location, one experiment a tuning job, one run in it, one time series a metric.
Metric names: "Tune Gemini models by using supervised fine-tuning", Google Cloud, last updated 2025-08-21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.services.vertex import listing, resources
from tuneform_emulator.services.vertex.resources import (
    EXPERIMENT,
    PREFIX,
    TENSORBOARD,
    TENSORBOARD_RUN,
    TIME_SERIES,
    Json,
    Place,
)
from tuneform_emulator.world import World

DEFAULT_MAX_POINTS = 1000
"""`ReadTensorboardTimeSeriesDataRequest.max_data_points`, aiplatform_v1: 1000 unless set, -1 for all."""

Point = tuple[int, float]
"""A step and the value measured there."""

_GETTERS: Mapping[str, listing.Getter] = {
    "name": lambda resource: resource["name"],
    "display_name": lambda resource: resource.get("displayName", ""),
}


def ensure_tensorboard(world: World, place: Place) -> str:
    """The name of the place's TensorBoard, made on first use."""
    with world.store.transaction():
        found = resources.children(world, TENSORBOARD, place.name, "tensorboards")
        if found:
            return str(found[0]["resource"]["name"])
        number, key = resources.new_id(world)
        name = f"{place.name}/tensorboards/{key}"
        _create(world, TENSORBOARD, name, number, {"displayName": "Gemini tuning", "isDefault": True})
        return name


def create_run(world: World, tensorboard: str, experiment: str, run: str) -> str:
    """Makes an experiment with one run and returns the run's name."""
    parent = f"{tensorboard}/experiments/{experiment}"
    name = f"{parent}/runs/{run}"
    number, _ = resources.new_id(world)
    _create(world, EXPERIMENT, parent, number, {"displayName": experiment})
    _create(world, TENSORBOARD_RUN, name, number, {"displayName": run})
    return name


def append(world: World, run: str, metric: str, points: Sequence[Point]) -> None:
    """Adds points to the run's series of that display name, which is made when it is not there."""
    with world.store.transaction():
        name = next(
            (
                document["resource"]["name"]
                for document in resources.children(world, TIME_SERIES, run, "timeSeries")
                if document["resource"]["displayName"] == metric
            ),
            "",
        )
        if not name:
            number, key = resources.new_id(world)
            name = f"{run}/timeSeries/{key}"
            fields = {"displayName": metric, "valueType": "SCALAR", "pluginName": "scalars", "metadata": {}}
            _create(world, TIME_SERIES, name, number, fields)
        now = world.stamp()
        added = [{"step": str(step), "wallTime": now, "scalar": {"value": value}} for step, value in points]

        def extend(document: Json) -> Json:
            values = [*document.get("values", []), *added]
            metadata = {"maxStep": values[-1]["step"], "maxWallTime": now}
            resource = {**document["resource"], "updateTime": now, "metadata": metadata}
            return {**document, "resource": resource, "values": values}

        world.store.update(TIME_SERIES, name, extend)


def _create(world: World, kind: str, name: str, number: int, fields: Json) -> None:
    now = world.stamp()
    resource = {"name": name, "createTime": now, "updateTime": now, **fields}
    world.store.create(kind, name, {"number": number, "resource": resource})


def routes(world: World) -> tuple[wire.Route, ...]:
    """TensorBoards, experiments, runs and time series, to be read."""
    base = f"{PREFIX}/tensorboards"
    experiments = f"{base}/{{tensorboard}}/experiments"
    runs = f"{experiments}/{{experiment}}/runs"
    series = f"{runs}/{{run}}/timeSeries"
    levels = (
        (base, "tensorboard", TENSORBOARD, "tensorboards"),
        (experiments, "experiment", EXPERIMENT, "tensorboardExperiments"),
        (runs, "run", TENSORBOARD_RUN, "tensorboardRuns"),
        (series, "series", TIME_SERIES, "tensorboardTimeSeries"),
    )
    reads = (
        route
        for pattern, parameter, kind, key in levels
        for route in (
            wire.Route("GET", pattern, _lister(world, kind, key)),
            wire.Route("GET", f"{pattern}/{{{parameter}}}", _getter(world, kind, parameter)),
        )
    )
    return (
        *reads,
        wire.Route("GET", f"{series}/{{series}}:read", lambda request: _read(world, request)),
        wire.Route("GET", f"{base}/{{tensorboard}}:batchRead", lambda request: _batch_read(world, request)),
    )


def _getter(world: World, kind: str, parameter: str) -> Callable[[wire.Request], Json]:
    def handler(request: wire.Request) -> Json:
        name = f"{_parent(world, request, kind)}/{request.params[parameter]}"
        found: Json = _one(world, kind, name)["resource"]
        return found

    return handler


def _lister(world: World, kind: str, key: str) -> Callable[[wire.Request], Json]:
    def handler(request: wire.Request) -> Json:
        terms = listing.parse(listing.filter_text(request))
        found: list[tuple[int, Mapping[str, Any]]] = [
            (document["number"], document["resource"])
            for document in _matching(world, kind, f"{_parent(world, request, kind)}/*")
            if listing.matches(terms, document["resource"], _GETTERS)
        ]
        return listing.page(request, key, found)

    return handler


def _parent(world: World, request: wire.Request, kind: str) -> str:
    """The collection a path names, e.g. `projects/1/locations/l/tensorboards/2/experiments/-/runs`."""
    name = f"{resources.place(world, request).name}/tensorboards"
    for level, parameter, collection in (
        (EXPERIMENT, "tensorboard", "experiments"),
        (TENSORBOARD_RUN, "experiment", "runs"),
        (TIME_SERIES, "run", "timeSeries"),
    ):
        if kind == TENSORBOARD:
            break
        name = f"{name}/{request.params[parameter]}/{collection}"
        if kind == level:
            break
    return name


def _matching(world: World, kind: str, pattern: str) -> list[Json]:
    """The documents whose name has the pattern's shape, newest first; `-` and `*` stand for any one segment."""
    wanted = pattern.split("/")
    prefix = "/".join(_before_wildcard(wanted))
    found = [
        document for name, document in world.store.list(kind, prefix) if _same_shape(wanted, name.split("/"))
    ]
    return sorted(found, key=lambda document: int(document["number"]), reverse=True)


def _before_wildcard(parts: Iterable[str]) -> Iterable[str]:
    for part in parts:
        if part in ("-", "*"):
            return
        yield part


def _same_shape(wanted: Sequence[str], parts: Sequence[str]) -> bool:
    return len(wanted) == len(parts) and all(
        want in ("-", "*", part) for want, part in zip(wanted, parts, strict=True)
    )


def _one(world: World, kind: str, name: str) -> Json:
    found = _matching(world, kind, name)
    if not found:
        raise resources.missing(kind, name)
    return found[0]


def _read(world: World, request: wire.Request) -> Json:
    name = f"{_parent(world, request, TIME_SERIES)}/{request.params['series']}"
    limit = request.whole("maxDataPoints", DEFAULT_MAX_POINTS)
    if limit == 0 or limit < -1:
        raise wire.ApiError.invalid(
            "max_data_points must be positive, or -1 for all.", ("max_data_points", str(limit))
        )
    return {"timeSeriesData": _data(_one(world, TIME_SERIES, name), limit)}


def _batch_read(world: World, request: wire.Request) -> Json:
    """Many series at once, named in full by repeated `timeSeries` parameters."""
    root = f"{resources.place(world, request).name}/tensorboards/{request.params['tensorboard']}/"
    names = [*request.query.get("timeSeries", ()), *request.query.get("time_series", ())]
    found = []
    for given in names:
        name = resources.normal(world, given)
        if not name.startswith(root):
            raise wire.ApiError.invalid(
                f"{given} is not a time series of {root[:-1]}.", ("time_series", given)
            )
        found.append(_data(_one(world, TIME_SERIES, name), -1))
    return {"timeSeriesData": found}


def _data(document: Json, limit: int) -> Json:
    resource = document["resource"]
    values = document.get("values", [])
    if 0 < limit < len(values):
        # Evenly spread, the newest always among them.
        values = [values[(index + 1) * len(values) // limit - 1] for index in range(limit)]
    return {
        "tensorboardTimeSeriesId": resources.last(resource["name"]),
        "valueType": resource["valueType"],
        "values": values,
    }
