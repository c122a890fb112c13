"""How tuning jobs move: one worker advances each unfinished job through its phases, when the clock says so.

A `tuning-run` of the job's name holds where it is: its `phase`, when the next move is `due`, the epochs done and their
checkpoints. It is written after every step, so an emulator that was killed goes on where it was; the training itself is
repeated up to that epoch, which gives the same weights (the seed comes from the data and the hyperparameters).

    queued → pending → quota → dataset → capacity → tuning (once an epoch) → post → finished
    any of them → cancelling → finished

A job whose key cannot be used any more fails at its next step that touches data. That a job needs its key while it runs
follows from what CMEK is; no document says how the real job ends, with which code, or how soon.

The order of the v1beta1 sub-states is that of their enum.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from tuneform_emulator import trainer, wire
from tuneform_emulator.clock import parse_stamp, stamp
from tuneform_emulator.services import objects
from tuneform_emulator.services.kms import cryptokeys
from tuneform_emulator.services.operations import RPC_CODES
from tuneform_emulator.services.vertex import (
    resources,
    tuning_evaluation,
    tuning_methods,
    tuning_results,
    tuning_validation,
)
from tuneform_emulator.services.vertex.resources import JOB, STATS, Json
from tuneform_emulator.services.vertex.tuning_methods import Method
from tuneform_emulator.services.vertex.tuning_validation import Submission
from tuneform_emulator.traffic import effects
from tuneform_emulator.world import World

RUN = "tuning-run"
STEP_SECONDS = 0.2
"""How long each sub-state of a running job that waits for nothing in particular lasts, and a cancellation."""
THREADS = 2
POLL_SECONDS = 0.05

CANCELLED = 1
INVALID_ARGUMENT = 3
NOT_FOUND = 5
INTERNAL = 13
"""google.rpc.Code numbers of job errors."""

_HEAVY = frozenset({"dataset", "tuning", "post"})
_Training = trainer.Training | trainer.PreferenceTraining
_log = logging.getLogger(__name__)


def enqueue(world: World, job: str, submission: Submission) -> None:
    """Lets a new job run; to be called in the transaction that stores it."""
    run = {
        "job": job,
        "phase": "queued",
        "due": _after(world, world.settings.queued_seconds),
        "epochs": 0,
        "checkpoints": [],
    }
    world.store.create(RUN, job, run)
    if submission.start:
        # The model may be deleted while the job waits.
        world.store.put_blob(_data_key(job, "start"), world.store.get_blob(submission.start) or b"")
    if world.settings.dataset_read == "create":
        _keep_data(world, job, submission.training, submission.validation)


def refuse_beyond_quota(world: World, parent: str) -> None:
    """Raises `ApiError` 429 when the project of a location has as many jobs as it may, and more are refused."""
    if world.settings.over_quota != "refuse":
        return
    runs = [run for _, run in world.store.list(RUN) if _project(run["job"]) == _project(parent)]
    if len(runs) >= world.settings.concurrent_jobs:
        said = f"Quota exceeded for concurrent tuning jobs: {len(runs)} of {world.settings.concurrent_jobs} in use."
        raise effects.quota(said).error()


def cancel(world: World, job: str) -> None:
    """Lets a cancelled job wind down; an epoch that is being trained is thrown away."""
    due = _after(world, STEP_SECONDS)
    world.store.update(RUN, job, lambda run: {**run, "phase": "cancelling", "due": due})


def worker(world: World, stop: threading.Event) -> None:
    """Runs tuning jobs until `stop` is set."""
    runner = Runner(world)
    while not stop.wait(POLL_SECONDS):
        runner.tick()
    runner.close()


class Runner:
    """Advances the jobs of a world. Light moves are made at once, heavy ones in a small pool."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tuning")
        self._busy: dict[str, Future[None]] = {}
        self._trainings: dict[str, tuple[_Training, int]] = {}

    def close(self) -> None:
        """Waits for what is being computed; what is not started stays for the next emulator."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def settle(self) -> None:
        """Waits until nothing is being computed."""
        wait(self._busy.values())

    def tick(self) -> None:
        """Makes every move that is due, oldest job first."""
        self._reap()
        runs = [run for _, run in self._world.store.list(RUN, order="created")]
        active = Counter(_project(run["job"]) for run in runs if run["phase"] != "queued")
        now = self._world.clock.now()
        for run in runs:
            job = run["job"]
            if job in self._busy or parse_stamp(run["due"]) > now or self._befallen(run):
                continue
            if run["phase"] == "queued":
                if active[_project(job)] >= self._world.settings.concurrent_jobs:
                    continue
                active[_project(job)] += 1
            if run["phase"] in _HEAVY:
                self._busy[job] = self._pool.submit(self._heavy, run)
            else:
                self._light(run)

    def _befallen(self, run: Json) -> bool:
        """Lets an ordered fault befall a job that is due; says whether the job stays where it is, or has ended."""
        world, job = self._world, run["job"]
        match self._fault(run):
            case effects.Stuck():
                return True
            case effects.Failed() as failure:
                self._trainings.pop(job, None)
                _fail(world, job, failure.code, failure.message)
                return True
            case effects.KeyRevoked() as revoked:
                name = resources.get(world, JOB, job)["resource"].get("encryptionSpec", {}).get("kmsKeyName")
                if name:
                    cryptokeys.disable(world, name, revoked.state)
        return False

    def _fault(self, run: Json) -> effects.JobEffect | None:
        if not self._world.faults.for_jobs:
            return None
        name = resources.get(self._world, JOB, run["job"])["resource"]["tunedModelDisplayName"]
        return self._world.faults.befall(run["job"], name, run["phase"], run["epochs"])

    def _reap(self) -> None:
        """Forgets what is computed; a defect of ours in it ends that job, as the service's do, not the worker."""
        for job, future in list(self._busy.items()):
            if not future.done():
                continue
            del self._busy[job]
            if error := future.exception():
                self._trainings.pop(job, None)
                _log.error("tuning job %s failed", job, exc_info=error)
                _fail(self._world, job, INTERNAL, "Internal error encountered.")

    def _light(self, run: Json) -> None:
        world, job, phase = self._world, run["job"], run["phase"]
        now = world.stamp()
        match phase:
            case "queued":
                _move(world, run, "pending", world.settings.pending_seconds, {"state": "JOB_STATE_PENDING"})
            case "pending":
                with world.store.transaction():
                    experiment, board_run = tuning_results.start_metrics(world, job)
                    started = {"state": "JOB_STATE_RUNNING", "startTime": now, "experiment": experiment}
                    metadata = {"tuningJobMetadata": {"completedEpochCount": "0"}}
                    substate = {"tuningJobState": "TUNING_JOB_STATE_WAITING_FOR_QUOTA"}
                    _move(
                        world,
                        run,
                        "quota",
                        STEP_SECONDS,
                        {**started, **metadata, **substate},
                        metrics=board_run,
                    )
            case "quota":
                _move(
                    world,
                    run,
                    "dataset",
                    STEP_SECONDS,
                    {"tuningJobState": "TUNING_JOB_STATE_PROCESSING_DATASET"},
                )
            case "capacity":
                substate = {"tuningJobState": "TUNING_JOB_STATE_TUNING"}
                _move(world, run, "tuning", world.settings.epoch_seconds, substate)
            case "cancelling":
                self._trainings.pop(job, None)
                error = {"code": CANCELLED, "message": "The tuning job was cancelled."}
                _finish(world, run, {"state": "JOB_STATE_CANCELLED", "error": error})

    def _heavy(self, run: Json) -> None:
        moves: Mapping[str, Callable[[Json], None]] = {
            "dataset": self._process_dataset,
            "tuning": self._train_epoch,
            "post": self._publish,
        }
        try:
            _check_key(self._world, run["job"])
            moves[run["phase"]](run)
        except _JobError as error:
            self._trainings.pop(run["job"], None)
            _fail(self._world, run["job"], error.code, str(error))

    def _process_dataset(self, run: Json) -> None:
        world, job = self._world, run["job"]
        resource = resources.get(world, JOB, job)["resource"]
        method, spec = tuning_methods.of(resource)
        if world.settings.dataset_read == "run":
            validation = spec.get("validationDatasetUri")
            _keep_data(
                world,
                job,
                _read(world, spec["trainingDatasetUri"]),
                _read(world, validation) if validation else None,
            )
        train, _, dropped = _examples(world, job, method)
        epochs = int(spec["hyperParameters"]["epochCount"])
        stats = {method.stats_field: method.stats(train, epochs, dropped)}
        substate = {"tuningJobState": "TUNING_JOB_STATE_WAITING_FOR_CAPACITY"}
        with world.store.transaction():
            if _move(world, run, "capacity", STEP_SECONDS, substate):
                world.store.create(STATS, job, stats)

    def _train_epoch(self, run: Json) -> None:
        world, job = self._world, run["job"]
        resource = resources.get(world, JOB, job)["resource"]
        method, spec = tuning_methods.of(resource)
        training = self._training(run, method, spec["hyperParameters"])
        epoch = training.run_epoch()
        self._trainings[job] = (training, epoch.number)
        total = int(spec["hyperParameters"]["epochCount"])
        kept = (total,) if spec.get("exportLastCheckpointOnly") else trainer.checkpoint_epochs(total)
        checkpoints = list(run["checkpoints"])
        last = epoch.number == total
        with world.store.transaction():
            if epoch.number in kept:
                key = _checkpoint_key(job, epoch.number)
                world.store.put_blob(key, epoch.checkpoint.to_bytes())
                checkpoints.append({"epoch": epoch.number, "step": epoch.step, "blob": key})
            substate = {"tuningJobState": "TUNING_JOB_STATE_POST_PROCESSING"} if last else {}
            changes = {"tuningJobMetadata": {"completedEpochCount": str(epoch.number)}, **substate}
            seconds = STEP_SECONDS if last else world.settings.epoch_seconds
            phase = "post" if last else "tuning"
            if _move(world, run, phase, seconds, changes, epochs=epoch.number, checkpoints=checkpoints):
                tuning_results.record_epoch(world, run["metrics"], epoch, method.series)
            elif epoch.number in kept:
                world.store.delete_blob(_checkpoint_key(job, epoch.number))
        if last:
            self._trainings.pop(job, None)

    def _training(self, run: Json, method: Method, hyper: Json) -> _Training:
        """The training as it was after the epochs recorded; repeated from the start after a restart."""
        job, done = run["job"], run["epochs"]
        present = self._trainings.pop(job, None)
        if present and present[1] == done:
            return present[0]
        train, validation, _ = _examples(self._world, job, method)
        before = self._world.store.get_blob(_data_key(job, "start"))
        start = trainer.Checkpoint.from_bytes(before) if before else None
        training = tuning_methods.training(method, hyper, (train, validation), start, _seed(train, hyper))
        for _ in range(done):
            training.run_epoch()
        return training

    def _publish(self, run: Json) -> None:
        world = self._world
        with world.store.transaction():
            current = world.store.get(RUN, run["job"])
            if current is None or current["phase"] != run["phase"]:
                return
            fault = self._fault(run)
            if not isinstance(fault, effects.EndpointFailed):
                tuning_results.publish(world, run["job"], run["checkpoints"])
                _finish(world, run, {"state": "JOB_STATE_SUCCEEDED", **self._evaluated(run)}, published=True)
                return
            tuning_results.publish(world, run["job"], run["checkpoints"], with_endpoints=False)
            error = {
                "code": INTERNAL,
                "message": "The tuned model was uploaded but its endpoint was not made.",
            }
            why = {} if fault.state == "JOB_STATE_SUCCEEDED" else {"error": error}
            _finish(world, run, {"state": fault.state, **why}, published=True)

    def _evaluated(self, run: Json) -> Json:
        job = resources.get(self._world, JOB, run["job"])["resource"]
        config = tuning_evaluation.shown(job)
        if not config:
            return {}
        method, spec = tuning_methods.of(job)
        _, validation, _ = _examples(self._world, run["job"], method)
        last_only = spec.get("exportLastCheckpointOnly")
        blobs = [("" if last_only else str(n), item["blob"]) for n, item in enumerate(run["checkpoints"], 1)]
        return {"evaluateDatasetRuns": tuning_evaluation.runs(self._world, config, validation, blobs)}


class _JobError(Exception):
    """Ends a job with an error code of google.rpc and a message for its owner."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _move(world: World, run: Json, phase: str, seconds: float, changes: Json, **more: object) -> bool:
    """Takes a run to its next phase and its job with it, unless it was cancelled meanwhile; says whether it went."""
    due = _after(world, seconds)
    with world.store.transaction():
        current = world.store.get(RUN, run["job"])
        if current is None or current["phase"] != run["phase"]:
            return False
        world.store.update(RUN, run["job"], lambda found: {**found, "phase": phase, "due": due, **more})
        _change_job(world, run["job"], changes)
        return True


def _finish(world: World, run: Json, changes: Json, *, published: bool = False) -> None:
    """Ends a run: the job gets its last state, the data read for it is dropped, and checkpoints nobody serves."""
    job = run["job"]
    with world.store.transaction():
        if not world.store.delete(RUN, job):
            return
        for name in ("training", "validation", "start"):
            world.store.delete_blob(_data_key(job, name))
        if not published:
            for checkpoint in run["checkpoints"]:
                world.store.delete_blob(checkpoint["blob"])
        _change_job(world, job, {**changes, "endTime": world.stamp(), "tuningJobState": ""})


def _fail(world: World, job: str, code: int, message: str) -> None:
    with world.store.transaction():
        run = world.store.get(RUN, job)
        if run is not None and run["phase"] != "cancelling":
            _finish(world, run, {"state": "JOB_STATE_FAILED", "error": {"code": code, "message": message}})


def _change_job(world: World, job: str, changes: Mapping[str, Any]) -> None:
    now = world.stamp()
    world.store.update(
        JOB,
        job,
        lambda document: {**document, "resource": {**document["resource"], **changes, "updateTime": now}},
    )


def _check_key(world: World, job: str) -> None:
    """Raises `_JobError` when the job has a key of its own and it cannot be used."""
    name = resources.get(world, JOB, job)["resource"].get("encryptionSpec", {}).get("kmsKeyName")
    if name:
        parts = job.split("/")
        try:
            tuning_validation.check_key(world, resources.Place(parts[1], parts[3]), name)
        except wire.ApiError as error:
            raise _JobError(RPC_CODES.get(error.status, INTERNAL), error.message) from error


def _read(world: World, uri: str) -> bytes:
    data = objects.read(world, uri)
    if data is None:
        raise _JobError(NOT_FOUND, f"Cloud Storage object {uri} does not exist.")
    return data


def _keep_data(world: World, job: str, training: bytes, validation: bytes | None) -> None:
    world.store.put_blob(_data_key(job, "training"), training)
    if validation is not None:
        world.store.put_blob(_data_key(job, "validation"), validation)


def _examples(world: World, job: str, method: Method) -> tuple[Sequence[Any], Sequence[Any], Sequence[int]]:
    """What is trained and validated on, and the numbers of the training examples that are too long for it."""
    data = world.store.get_blob(_data_key(job, "training")) or b""
    validation = world.store.get_blob(_data_key(job, "validation"))
    try:
        train, dropped = trainer.fitting(method.parse(data))
        held_out = trainer.fitting(method.parse(validation))[0] if validation else ()
    except trainer.DatasetError as error:
        raise _JobError(INVALID_ARGUMENT, error.message) from error
    if not train:
        raise _JobError(INVALID_ARGUMENT, "Every example of the training dataset has too many tokens.")
    return train, held_out, dropped


def _seed(train: Sequence[Any], hyper: Json) -> int:
    """The same for the same examples, in whatever order, and the same hyperparameters."""
    digest = hashlib.sha256(repr(sorted(hyper.items())).encode())
    for key in sorted(example.content_key() for example in train):
        digest.update(key)
    return int.from_bytes(digest.digest()[:4], "big")


def _after(world: World, seconds: float) -> str:
    return stamp(world.clock.now() + timedelta(seconds=seconds))


def _project(job: str) -> str:
    return job.split("/")[1]


def _data_key(job: str, name: str) -> str:
    return f"{job}/{name}"


def _checkpoint_key(job: str, epoch: int) -> str:
    return f"{job}/checkpoints/{epoch}"
