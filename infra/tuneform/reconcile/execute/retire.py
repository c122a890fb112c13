"""Retiring a revision: its checkpoint endpoints, then its model. Vertex keeps the job's record."""

from __future__ import annotations

from tuneform.errors import Retryable, Terminal
from tuneform.reconcile.desired import Project
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import Job
from tuneform.reconcile.ports import Ports


def clear_endpoint(ports: Ports, name: str) -> None:
    """Undeploy everything from an endpoint and delete it; one that is gone already is fine."""
    endpoint = ports.reader.endpoint(name)
    if endpoint is None:
        return
    for deployed in sorted(endpoint.deployed, key=lambda deployed: (deployed.traffic, deployed.id)):
        ports.writer.undeploy(name, deployed.id)
    ports.writer.delete_endpoint(name)


def clear_checkpoints(ports: Ports, job: Job) -> None:
    """Delete the endpoints that Vertex made for a job's checkpoints."""
    endpoints = {checkpoint.endpoint for checkpoint in job.checkpoints} | {job.endpoint}
    for name in sorted(endpoints - {""}):
        if ports.reader.endpoint(name) is not None:
            clear_endpoint(ports, name)
            continue
        try:
            ports.writer.delete_endpoint(name)  # what was just made may be there though it cannot be read yet
        except Terminal as refused:
            raise Retryable(f"{name} cannot be read yet", remedy="run the command again") from refused


def retire_job(ports: Ports, job: Job) -> None:
    """Delete what a job made. Its attempt is recorded as retired before: asked for again, it is trained again."""
    clear_checkpoints(ports, job)
    if job.model:
        ports.writer.delete_model(job.model)


def forget_content(ports: Ports, project: Project, uri: str) -> None:
    """Delete training content that no revision rests on any more, whichever tuning's."""
    for versioned in ports.ledger.heads(project):
        record, last = versioned.record, versioned.record.last
        alive = last is not None and (
            record.kept or last.state.unresolved or last.state is AttemptState.KNOWN
        )
        if alive and record.training == uri:
            return
    ports.objects.delete(uri)
