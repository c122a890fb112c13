"""What a tuning job leaves behind: its metrics while it runs; its Model and Endpoints once it has succeeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuneform_emulator import trainer
from tuneform_emulator.clock import parse_stamp
from tuneform_emulator.services.vertex import (
    base_models,
    endpoints,
    metadata,
    models,
    resources,
    tensorboards,
    tuning_methods,
)
from tuneform_emulator.services.vertex.resources import JOB, Json, Place
from tuneform_emulator.world import World

RUN = "tuning-run"
"""The one TensorBoard run of a job's experiment."""


def start_metrics(world: World, job: str) -> tuple[str, str]:
    """Makes the experiment of a job that starts to run.

    Returns the experiment context's name, which the job shows, and the TensorBoard run's, where the metrics go.
    """
    place = _place(job)
    created = parse_stamp(resources.get(world, JOB, job)["resource"]["createTime"])
    # The service names experiments by the moment alone; the id's last digits keep two jobs of one moment apart.
    experiment = f"tuning-experiment-{created:%Y%m%d%H%M%S}{job[-6:]}"
    tensorboard = tensorboards.ensure_tensorboard(world, place)
    run = tensorboards.create_run(world, tensorboard, experiment, RUN)
    return metadata.create_experiment(world, place, experiment, RUN, tensorboard), run


def record_epoch(world: World, run: str, epoch: trainer.Epoch, series: Mapping[str, str]) -> None:
    """Adds an epoch's metrics to the run: training metrics a step, validation metrics an epoch."""
    _record(world, run, "train", epoch.train, series)
    if epoch.evaluation is not None:
        _record(world, run, "eval", (epoch.evaluation,), series)


def _record(
    world: World, run: str, kind: str, steps: Sequence[trainer.StepMetrics], series: Mapping[str, str]
) -> None:
    for name, measured in series.items():
        points = [(item.step, float(getattr(item, measured))) for item in steps]
        tensorboards.append(world, run, name.format(kind=kind), points)


def publish(
    world: World, job: str, trained: Sequence[Mapping[str, object]], *, with_endpoints: bool = True
) -> None:
    """Registers the model of a job that is done and deploys every checkpoint to an endpoint of its own.

    `trained` are the checkpoints in the order of their epochs, each with `epoch`, `step` and `blob`. Without endpoints
    the job names its model and its checkpoints and nothing that serves them.
    """
    document = resources.get(world, JOB, job)
    resource = document["resource"]
    method, spec = tuning_methods.of(resource)
    last_only = spec.get("exportLastCheckpointOnly", False)
    identified = [("" if last_only else str(number), item) for number, item in enumerate(trained, 1)]
    checkpoints = [
        {"checkpointId": key, "epoch": str(item["epoch"]), "step": str(item["step"])}
        for key, item in identified
        if key
    ]
    labels = _labels(world, resource, method.tune_type)
    blobs = {key: item["blob"] for key, item in identified}
    model = models.create(world, document, labels, checkpoints, blobs)["resource"]
    values: Json = {"displayName": resource["tunedModelDisplayName"], "labels": labels}
    if "encryptionSpec" in resource:
        values["encryptionSpec"] = resource["encryptionSpec"]
    served = blobs if with_endpoints else {}
    place = _place(job)
    home = Place(place.project, base_models.of_model(model).home(place.location))
    made = {key: endpoints.create(world, home, "", values)["name"] for key in served}
    tuned: Json = {
        "model": f"{model['name']}@{model['versionId']}",
        "checkpoints": [
            {**item, "endpoint": made[item["checkpointId"]]} if with_endpoints else item
            for item in checkpoints
        ],
    }
    world.store.update(
        JOB,
        job,
        lambda found: {**found, "endpoints": made, "resource": {**found["resource"], "tunedModel": tuned}},
    )
    for key, endpoint in made.items():
        wanted = {"model": tuned["model"], "checkpointId": key}
        endpoints.deploy(world, endpoint, wanted, {endpoints.NEW: 100})


def _labels(world: World, job: Mapping[str, object], tune_type: str) -> dict[str, str]:
    """The labels seen on real tuned models, and the job's own where the emulator is set to copy them."""
    own = job.get("labels", {}) if world.settings.labels_copied else {}
    assert isinstance(own, dict)
    return {
        **own,
        "google-vertex-llm-tuning-base-model-id": resources.base_model(job).replace(".", "_"),
        "google-vertex-llm-tuning-job-id": resources.last(str(job["name"])),
        "tune-type": tune_type,
    }


def _place(job: str) -> Place:
    parts = job.split("/")
    return Place(parts[1], parts[3])
