"""Tuning jobs: proto to frozen data and back, and the calls on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.api_core import exceptions

from tuneform.errors import NotFound
from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.errors import DEADLINE, READ, remote
from tuneform.reconcile.desired import Project, Tuning
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, Checkpoint, Job, JobState

PAGE = 100
API_DISABLED = "SERVICE_DISABLED"
"""Source: google.api.ErrorReason."""


def list_jobs(clients: Clients, project: Project, name: str) -> tuple[Job, ...]:
    """Our jobs for one tuning, newest first. The server's filter narrows the list where it works; ours decides."""
    wanted = f'labels.{OWNER_LABEL}="{project.owner}" AND labels.{NAME_LABEL}="{name}"'
    request = {"parent": project.parent, "page_size": PAGE}
    with remote(f"listing the tuning jobs of {project.parent}", clients.endpoint):
        try:
            found = list(_list(clients, {**request, "filter": wanted}))
        except exceptions.BadRequest:  # a service that does not know this filter
            found = list(_list(clients, request))
        except exceptions.Forbidden as error:
            if error.reason != API_DISABLED:
                raise
            return ()  # a new project, before `up` has enabled Vertex AI in it: it has no jobs
    ours = [_job(raw) for raw in found if _is_ours(raw, project, name)]
    return tuple(sorted(ours, key=lambda job: (job.created is None, job.created, job.name), reverse=True))


def _list(clients: Clients, request: dict[str, Any]) -> Any:
    return clients.tuning.list_tuning_jobs(request=request, retry=READ, timeout=DEADLINE)


def _is_ours(raw: Any, project: Project, name: str) -> bool:
    labels = dict(raw.labels)
    return labels.get(OWNER_LABEL) == project.owner and labels.get(NAME_LABEL) == name


def get_job(clients: Clients, name: str) -> Job | None:
    """One job."""
    try:
        with remote(f"reading {name}", clients.endpoint):
            return _job(clients.tuning.get_tuning_job(name=name, retry=READ, timeout=DEADLINE))
    except NotFound:
        return None


def create_job(clients: Clients, tuning: Tuning, training_uri: str, labels: Mapping[str, str]) -> Job:
    """Create a job: one call, never repeated."""
    body = job_body(tuning, training_uri, labels)
    with remote(f"creating the tuning job of {tuning.identity}", clients.endpoint):
        raw = clients.tuning.create_tuning_job(
            parent=tuning.project.parent, tuning_job=body, retry=None, timeout=DEADLINE
        )
    return _job(raw)


def cancel_job(clients: Clients, name: str) -> None:
    """Ask for a job to be cancelled; one that has ended is left as it is."""
    with remote(f"cancelling {name}", clients.endpoint):
        try:
            clients.tuning.cancel_tuning_job(name=name, retry=READ, timeout=DEADLINE)
        except exceptions.BadRequest:  # over REST, FAILED_PRECONDITION is one of these
            job = get_job(clients, name)
            if job is None or not job.state.ended:
                raise


def job_body(tuning: Tuning, training_uri: str, labels: Mapping[str, str]) -> Any:
    """The TuningJob message to create. What the spec leaves unset is left to the service."""
    job = slim.types("tuning_job")
    hyper = tuning.hyper_parameters
    spec = job.SupervisedTuningSpec(
        training_dataset_uri=training_uri,
        validation_dataset_uri=tuning.validation.uri if tuning.validation else "",
        hyper_parameters=job.SupervisedHyperParameters(
            epoch_count=hyper.epoch_count or 0,
            learning_rate_multiplier=hyper.learning_rate_multiplier or 0.0,
            adapter_size=hyper.adapter_size or 0,
        ),
        export_last_checkpoint_only=bool(tuning.export_last_checkpoint_only),
    )
    body = job.TuningJob(
        base_model=tuning.base_model,
        supervised_tuning_spec=spec,
        tuned_model_display_name=tuning.display_name or tuning.name,
        description=tuning.description,
        labels=dict(labels),
        service_account=tuning.service_account or "",
    )
    if tuning.kms_key:
        body.encryption_spec = slim.types("encryption_spec").EncryptionSpec(kms_key_name=tuning.kms_key)
    return body


def _job(raw: Any) -> Job:
    spec, stats = raw.supervised_tuning_spec, raw.tuning_data_stats.supervised_tuning_data_stats
    return Job(
        name=raw.name,
        state=JobState(raw.state.name.removeprefix("JOB_STATE_")),
        labels=dict(raw.labels),
        base_model=raw.base_model,
        training_uri=spec.training_dataset_uri,
        epochs=int(spec.hyper_parameters.epoch_count),
        steps=int(stats.tuning_step_count),
        model=raw.tuned_model.model,
        endpoint=raw.tuned_model.endpoint,
        checkpoints=tuple(
            Checkpoint(c.checkpoint_id, int(c.epoch), int(c.step), c.endpoint)
            for c in raw.tuned_model.checkpoints
        ),
        experiment=raw.experiment,
        error=raw.error.message,
        billable_tokens=int(stats.total_billable_token_count) or None,
        created=_time(raw.create_time),
        ended=_time(raw.end_time),
    )


def _time(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value.timestamp(), tz=value.tzinfo) if value else None
