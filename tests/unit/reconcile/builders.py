"""Small values for the reconcile tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tuneform.reconcile.cost import Cost
from tuneform.reconcile.desired import Content, HyperParameters, Project, Serving, Tuning
from tuneform.reconcile.ledger import Attempt, AttemptState, Record
from tuneform.reconcile.live import Checkpoint, Job, JobState, Model
from tuneform.reconcile.recipe import recipe, revision

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROJECT = Project("demo", "demo-project", "us-central1", "us-central1", "team", "demo-project-tuneform-state")
TUNING = Tuning(
    project=PROJECT,
    name="intents",
    base_model="gemini-2.5-flash",
    training=Content("gs://demo-data/datasets/intents/aa.jsonl", "sha256:aa", 300, 6_000, 5_000, 8_000),
    hyper_parameters=HyperParameters(4, "ADAPTER_SIZE_EIGHT", 1.0),
    keep=None,
)
REVISION = revision(TUNING)
COST = Cost("gemini-2.5-flash", 6_000, 5_000, 8_000, 4)
"""What an attempt at it costs."""
JOB = f"{PROJECT.parent}/tuningJobs/1"
MODEL = f"{PROJECT.parent}/models/7@1"


def with_epochs(epochs: int) -> Tuning:
    return replace(TUNING, hyper_parameters=HyperParameters(epochs, "ADAPTER_SIZE_EIGHT", 1.0))


def job(state: JobState = JobState.SUCCEEDED, *, of: str = REVISION, **fields: Any) -> Job:
    labels = {
        "tuneform-owner": "team",
        "tuneform-name": "intents",
        "tuneform-revision": of,
        "tuneform-attempt": "1",
    }
    ended = NOON if state.ended else None
    model = MODEL if state is JobState.SUCCEEDED else ""
    checkpoints = tuple(Checkpoint(str(n), n, n * 10, f"{PROJECT.parent}/endpoints/{n}") for n in range(1, 5))
    values = {
        "name": JOB,
        "labels": labels,
        "ended": ended,
        "model": model,
        "checkpoints": checkpoints,
        "display_name": "intents",
        **fields,
    }
    return Job(state=state, **values)


def model(**labels: str) -> Model:
    own = {
        "tuneform-owner": "team",
        "tuneform-name": "intents",
        "tuneform-revision": REVISION,
        "tune-type": "sft",
    }
    return Model(MODEL, "intents", "", {**own, **labels})


def record(state: AttemptState, *, tuning: Tuning = TUNING, **fields: Any) -> Record:
    attempt = Attempt(**{"number": 1, "state": state, "cause": "first", "job": JOB, "model": MODEL, **fields})
    return Record(
        "demo",
        tuning.name,
        revision(tuning),
        recipe(tuning),
        (attempt,),
        wanted=NOON,
        training=tuning.training.uri,
        best="2",
    )


def serving(**fields: Any) -> Serving:
    return Serving(
        **{"project": PROJECT, "name": "intents", "tuning": "intents", "revision": REVISION, **fields}
    )
