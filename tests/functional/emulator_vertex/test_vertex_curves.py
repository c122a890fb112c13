"""Loss curves, read along the chain from a job's experiment to its time series."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions

from .kit import PARENT, Vertex

TRAIN = {"/train_total_loss", "/train_fraction_of_correct_next_step_preds", "/train_num_predictions"}
EVAL = {"/eval_total_loss", "/eval_fraction_of_correct_next_step_preds", "/eval_num_predictions"}


def stored(vertex: Vertex, experiment: str) -> dict[str, list[tuple[int, float]]]:
    """The metrics as the emulator keeps them, by display name."""
    key = f"/experiments/{experiment.rpartition('/')[2]}/"
    return {
        document["resource"]["displayName"]: [
            (int(p["step"]), p["scalar"]["value"]) for p in document["values"]
        ]
        for name, document in vertex.world.store.list("tensorboard-time-series")
        if key in name
    }


def read(vertex: Vertex, job: dict[str, Any], version: str) -> dict[str, list[tuple[int, float]]]:
    """The metrics by Google's recipe: context, TensorBoard, run contexts, run, series, values."""
    metadata = vertex.gapic("MetadataServiceClient", version)
    boards = vertex.gapic("TensorboardServiceClient", version)
    context = metadata.get_context(name=job["experiment"])
    assert context.schema_title == "system.Experiment"
    board = boards.get_tensorboard(name=context.metadata["backing_tensorboard_resource"])
    text = f'schema_title="system.ExperimentRun" AND parent_contexts:"{context.name}"'
    store = context.name.partition("/contexts/")[0]
    (run_context,) = metadata.list_contexts(request={"parent": store, "filter": text})
    experiment = context.name.rpartition("/")[2]
    run_id = run_context.name.rpartition("/")[2].removeprefix(f"{experiment}-")
    run = boards.get_tensorboard_run(name=f"{board.name}/experiments/{experiment}/runs/{run_id}")
    series = {item.name: item.display_name for item in boards.list_tensorboard_time_series(parent=run.name)}
    answer = boards.batch_read_tensorboard_time_series_data(
        request={"tensorboard": board.name, "time_series": list(series)}
    )
    named = {name.rpartition("/")[2]: shown for name, shown in series.items()}
    return {
        named[data.tensorboard_time_series_id]: [(point.step, point.scalar.value) for point in data.values]
        for data in answer.time_series_data
    }


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_curves_read_are_those_measured(vertex: Vertex, done: dict[str, Any], version: str) -> None:
    curves = read(vertex, done, version)
    assert set(curves) == TRAIN | EVAL
    assert curves == stored(vertex, done["experiment"])
    steps = int(done["tunedModel"]["checkpoints"][-1]["step"])
    assert [step for step, _ in curves["/train_total_loss"]] == list(range(1, steps + 1))
    ends = [int(item["step"]) for item in done["tunedModel"]["checkpoints"]]
    assert [step for step, _ in curves["/eval_total_loss"]] == ends
    losses = [value for _, value in curves["/eval_total_loss"]]
    assert losses == sorted(losses, reverse=True)


def test_without_validation_data_there_are_training_curves_alone(vertex: Vertex) -> None:
    job = vertex.succeeded(vertex.create_job()["name"])
    assert set(read(vertex, job, "v1")) == TRAIN


def test_curves_grow_while_the_job_runs(vertex: Vertex) -> None:
    spec = {
        "trainingDatasetUri": "gs://vertex-tests-data/training.jsonl",
        "hyperParameters": {"epochCount": 500},
    }
    job = vertex.create_job(supervisedTuningSpec=spec)
    job = vertex.wait(
        job["name"], lambda found: int(found.get("tuningJobMetadata", {}).get("completedEpochCount", 0)) > 1
    )
    assert job["state"] == "JOB_STATE_RUNNING"
    assert len(read(vertex, job, "v1beta1")["/train_total_loss"]) > 1
    vertex.genai().tunings.cancel(name=job["name"])


def test_a_single_series_is_thinned_out(vertex: Vertex, done: dict[str, Any]) -> None:
    boards = vertex.gapic("TensorboardServiceClient")
    (board,) = boards.list_tensorboards(parent=PARENT)
    experiment = done["experiment"].rpartition("/")[2]
    runs = list(boards.list_tensorboard_runs(parent=f"{board.name}/experiments/{experiment}"))
    (series,) = boards.list_tensorboard_time_series(
        request={"parent": runs[0].name, "filter": 'display_name="/train_total_loss"'}
    )
    assert boards.get_tensorboard_time_series(name=series.name).value_type.name == "SCALAR"
    whole = stored(vertex, done["experiment"])["/train_total_loss"]

    def points(limit: int) -> list[tuple[int, float]]:
        request = {"tensorboard_time_series": series.name, "max_data_points": limit}
        data = boards.read_tensorboard_time_series_data(request=request).time_series_data
        return [(point.step, point.scalar.value) for point in data.values]

    assert points(-1) == whole
    assert len(points(3)) == 3
    assert points(3)[-1] == whole[-1]
    assert set(points(3)) <= set(whole)


def test_experiments_are_listed_and_a_dash_stands_for_any(vertex: Vertex, done: dict[str, Any]) -> None:
    boards = vertex.gapic("TensorboardServiceClient")
    (board,) = boards.list_tensorboards(parent=PARENT)
    experiment = done["experiment"].rpartition("/")[2]
    names = {item.name for item in boards.list_tensorboard_experiments(parent=board.name)}
    assert f"{board.name}/experiments/{experiment}" in names
    found = boards.get_tensorboard_experiment(name=f"{board.name}/experiments/{experiment}")
    assert found.display_name == experiment
    runs = {run.name for run in boards.list_tensorboard_runs(parent=f"{board.name}/experiments/-")}
    assert len(runs) == len(names)
    assert any(experiment in name for name in runs)


def test_what_is_not_there_is_not_found(vertex: Vertex, done: dict[str, Any]) -> None:
    boards = vertex.gapic("TensorboardServiceClient")
    (board,) = boards.list_tensorboards(parent=PARENT)
    with pytest.raises(exceptions.NotFound):
        boards.get_tensorboard(name=f"{board.name}0")
    with pytest.raises(exceptions.NotFound):
        boards.get_tensorboard_run(name=f"{board.name}/experiments/none/runs/none")
    with pytest.raises(exceptions.NotFound):
        vertex.gapic("MetadataServiceClient").get_context(name=f"{done['experiment']}0")
