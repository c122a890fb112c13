"""Tuning jobs: the calls on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from google.api_core import exceptions
from google.auth import exceptions as auth

from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.calls.retry import ONCE, Undecodable
from tuneform.platforms.vertex.clients import Clients
from tuneform.reconcile.desired import Project, Tuning
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, Job, JobState

SERVICE = "gen_ai_tuning_service"
PAGE = 1000
"""Vertex says no limit for tuning jobs, models and endpoints; a service that has one gives smaller pages."""
API_DISABLED = "SERVICE_DISABLED"
"""Source: google.api.ErrorReason."""


class Jobs:
    """The jobs of a project; remembers whether the service's filter knows labels."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._filters = True

    async def ours(self, project: Project, name: str | None) -> tuple[Job, ...]:
        """Our jobs, newest first. The server's filter narrows the list where it works; ours decides."""
        wanted = {OWNER_LABEL: project.owner} | ({} if name is None else {NAME_LABEL: name})
        found = await self._list(project, " AND ".join(f'labels.{k}="{v}"' for k, v in wanted.items()))
        return _sorted(
            self._clients.messages.job(raw)
            for page in found
            for raw in page.tuning_jobs
            if all(raw.labels.get(label) == value for label, value in wanted.items())
        )

    async def others(self, project: Project) -> tuple[Job, ...]:
        """Everybody else's jobs, newest first."""
        return _sorted(
            self._clients.messages.job(raw)
            for page in await self._list(project, "")
            for raw in page.tuning_jobs
            if raw.labels.get(OWNER_LABEL) != project.owner
        )

    async def _list(self, project: Project, wanted: str) -> list[Any]:
        try:
            return await listed(
                self._clients, SERVICE, "tuning_jobs", _request(project, wanted, self._filters)
            )
        except exceptions.BadRequest:
            if not (wanted and self._filters):
                raise
            self._filters = False  # a service that does not know this filter
            return await self._list(project, wanted)


def _request(project: Project, wanted: str, filters: bool) -> Any:
    return slim.message(
        "genai_tuning_service",
        "ListTuningJobsRequest",
        parent=project.parent,
        filter=wanted if filters else "",
        page_size=PAGE,
    )


def _sorted(found: Any) -> tuple[Job, ...]:
    return tuple(sorted(found, key=lambda job: (job.created is None, job.created, job.name), reverse=True))


async def listed(clients: Clients, service: str, collection: str, request: Any) -> list[Any]:
    """The pages of a list; none in a new project, before `up` has enabled Vertex AI in it."""
    try:
        return [
            page
            async for page in clients.pages(
                service, f"list_{collection}", request, at=f"{request.parent}/{collection}"
            )
        ]
    except exceptions.Forbidden as error:
        if error.reason != API_DISABLED:
            raise
        return []


async def get(clients: Clients, name: str) -> Job | None:
    """One job; while it runs, with its sub-state."""
    request = slim.message("genai_tuning_service", "GetTuningJobRequest", name=name)
    try:
        raw = await clients.call(SERVICE, "get_tuning_job", request, at=name)
    except exceptions.NotFound:
        return None
    found = clients.messages.job(raw)
    return (
        clients.messages.job(raw, await _substate(clients, name))
        if found.state is JobState.RUNNING
        else found
    )


async def _substate(clients: Clients, name: str) -> str:
    """What a running job is at, e.g. `TUNING`; empty when that cannot be found out.

    v1beta1 has it (`tuningJobState`, discovery revision 20261106), and no generated client has a field for it. It is
    for people to see, so one try is enough.
    """
    try:
        found = await clients.beta(name)
        return str(found.get("tuningJobState", "")).removeprefix("TUNING_JOB_STATE_")
    except (requests.RequestException, auth.GoogleAuthError, Undecodable, TimeoutError, AttributeError):
        return ""


async def create(clients: Clients, tuning: Tuning, training_uri: str, labels: Mapping[str, str]) -> Job:
    """Create a job: one call, never repeated."""
    request = slim.message(
        "genai_tuning_service",
        "CreateTuningJobRequest",
        parent=tuning.project.parent,
        tuning_job=job_body(tuning, training_uri, labels),
    )
    raw = await clients.call(SERVICE, "create_tuning_job", request, at=tuning.project.parent, policy=ONCE)
    return clients.messages.job(raw)


async def cancel(clients: Clients, name: str) -> None:
    """Ask for a job to be cancelled; one that has ended is left as it is."""
    request = slim.message("genai_tuning_service", "CancelTuningJobRequest", name=name)
    try:
        await clients.call(SERVICE, "cancel_tuning_job", request, at=name)
    except exceptions.BadRequest:  # FAILED_PRECONDITION is one of these
        found = await get(clients, name)
        if found is None or not found.state.ended:
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
        body.encryption_spec = slim.message("encryption_spec", "EncryptionSpec", kms_key_name=tuning.kms_key)
    return body
