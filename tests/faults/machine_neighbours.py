"""Others in the same project: their jobs, models, endpoints and objects, each with the word `foreign` in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.faults.machine_documents import BUCKET, PROJECT, Doc, training
from tests.faults.machine_lab import Lab

from tuneform.reconcile.desired import Content
from tuneform.reconcile.live import Endpoint, Job

OTHERS = "others"
"""Another owner, who uses tuneform too."""
DATA = f"gs://{BUCKET}/foreign/training.jsonl"
DEADLINE = 60.0


def labels_like(doc: Doc, owner: str) -> dict[str, str]:
    """What tuneform would write on a document's first job, for some owner."""
    return {
        "tuneform-owner": owner,
        "tuneform-name": doc.name,
        "tuneform-revision": doc.revision,
        "tuneform-attempt": "1",
        "kind": "foreign",
    }


def settle(lab: Lab, doc: Doc) -> None:
    """Another owner's job of the same name and revision as a document's, its model, its endpoint; some objects."""
    lab.bucket.blob("foreign/training.jsonl").upload_from_string(training("B"))
    lab.bucket.blob("datasets/colours/foreign.jsonl").upload_from_string("not ours\n")
    lab.bucket.blob(f"attempts/elsewhere/{doc.name}/foreign/1.jsonl").upload_from_string("not ours\n")
    job = trained(lab, labels_like(doc, OTHERS))
    serve(lab, job, "foreign-endpoint", labels_like(doc, OTHERS))


def started(lab: Lab, labels: Mapping[str, str]) -> Job:
    """A job of somebody's, under way."""
    tuning = replace(
        Doc("foreign").tuning, training=Content(DATA, "", 24, 100), validation=None, display_name="foreign"
    )
    return lab.ports.writer.create_job(tuning, DATA, labels)


def trained(lab: Lab, labels: Mapping[str, str]) -> Job:
    """A job of somebody's that has succeeded."""
    return ended(lab, started(lab, labels).name)


def ended(lab: Lab, name: str) -> Job:
    """A job once it has ended."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        job = lab.ports.reader.job(name)
        assert job is not None
        if job.state.ended:
            return job
        lab.ports.clock.wait(1.0)
    raise AssertionError(f"{name} has not ended")


@dataclass(frozen=True)
class Served:
    """An endpoint of somebody's and what is deployed on it."""

    name: str
    deployed: str


def serve(lab: Lab, job: Job, identifier: str, labels: Mapping[str, str]) -> Served:
    """An endpoint of somebody's with a job's model on it."""
    name = f"{PROJECT.serving_parent}/endpoints/{identifier}"
    lab.ports.writer.create_endpoint(Endpoint(name, "foreign", "foreign", dict(labels)), kms_key=None)
    checkpoint = job.checkpoints[-1].id
    return Served(name, lab.ports.writer.deploy(name, job.model, checkpoint, traffic={"0": 100}))
