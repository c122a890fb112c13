"""Retiring a revision: its checkpoint endpoints, then its model. Vertex keeps the job's record."""

from __future__ import annotations

from dataclasses import replace

from tuneform.reconcile.desired import Project
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import Job
from tuneform.reconcile.ports import Ledger, Reader, Writer


def clear_endpoint(reader: Reader, writer: Writer, name: str) -> None:
    """Undeploy everything from an endpoint and delete it; one that is gone already is fine."""
    endpoint = reader.endpoint(name)
    if endpoint is None:
        return
    for deployed in sorted(endpoint.deployed, key=lambda deployed: deployed.traffic):
        writer.undeploy(name, deployed.id)
    writer.delete_endpoint(name)


def retire_job(reader: Reader, writer: Writer, ledger: Ledger, project: Project, job: Job) -> None:
    """Delete what a job made and record it, so that the revision, asked for again, is trained again."""
    endpoints = {checkpoint.endpoint for checkpoint in job.checkpoints} | {job.endpoint}
    for name in sorted(endpoints - {""}):
        clear_endpoint(reader, writer, name)
    if job.model:
        writer.delete_model(job.model)
    found = ledger.read(project, job.labels["tuneform-name"], job.revision)
    if found is None:
        return
    for attempt in found.record.attempts:
        if attempt.job == job.name and attempt.state in {AttemptState.SUCCEEDED, AttemptState.KNOWN}:
            retired = replace(attempt, state=AttemptState.RETIRED, cause="retired")
            found = ledger.write(project, replace(found, record=found.record.with_attempt(retired)))
