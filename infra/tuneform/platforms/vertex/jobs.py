"""Tuning jobs: the calls on them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import requests
from google.api_core import exceptions
from google.auth import exceptions as auth
from google.protobuf import json_format

from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.calls.retry import ONCE, READ, Undecodable
from tuneform.platforms.vertex.clients import Clients, readable
from tuneform.platforms.vertex.messages import substate
from tuneform.reconcile.actions import Origin
from tuneform.reconcile.desired import Project, Tuning
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, Job, JobState

SERVICE = "gen_ai_tuning_service"
SUPERVISED = "SUPERVISED"
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
        jobs = [
            self._clients.messages.job(raw)
            for page in found
            for raw in page.tuning_jobs
            if all(raw.labels.get(label) == value for label, value in wanted.items())
        ]
        # What has ended needs its data no more, so that the lean picture of it is enough.
        lacking = [job for job in jobs if not job.training_uri and not job.state.ended]
        whole = await asyncio.gather(*(_with_preferences(self._clients, job) for job in lacking))
        known = {job.name: job for job in whole}
        return _sorted(known.get(job.name, job) for job in jobs)

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
    if not found.training_uri:
        shown = await READ.patiently(lambda: clients.beta(name))
        return clients.messages.with_preferences(found, shown)
    return (
        replace(found, substate=await _substate(clients, name)) if found.state is JobState.RUNNING else found
    )


async def _with_preferences(clients: Clients, job: Job) -> Job:
    """A job with what the generated messages leave out of it, which are those of supervised tuning alone."""
    shown = await READ.patiently(lambda: clients.beta(job.name))
    return readable(lambda: clients.messages.with_preferences(job, shown))


async def _substate(clients: Clients, name: str) -> str:
    """What a running job is at, e.g. `TUNING`; empty when that cannot be found out.

    v1beta1 has it (`tuningJobState`, discovery revision 20261106), and no generated client has a field for it. It is
    for people to see, so one try is enough.
    """
    try:
        return substate(await clients.beta(name))
    except (
        requests.RequestException,
        exceptions.GoogleAPICallError,
        auth.GoogleAuthError,
        Undecodable,
        TimeoutError,
        AttributeError,
    ):
        return ""


async def create(
    clients: Clients, tuning: Tuning, training_uri: str, labels: Mapping[str, str], origin: Origin | None
) -> Job:
    """Create a job: one call, never repeated.

    Over REST where the generated messages of v1 (google-cloud-aiplatform 2.7.0) lack what the job needs: preference
    tuning, and the tuning mode.
    """
    parent = tuning.project.parent
    if tuning.method == SUPERVISED and not tuning.tuning_mode:
        body = job_body(tuning, training_uri, labels, origin)
        request = slim.message(
            "genai_tuning_service", "CreateTuningJobRequest", parent=parent, tuning_job=body
        )
        raw = await clients.call(SERVICE, "create_tuning_job", request, at=parent, policy=ONCE)
        return clients.messages.job(raw)
    shown = await clients.beta_create(f"{parent}/tuningJobs", job_json(tuning, training_uri, labels, origin))
    return readable(lambda: clients.messages.job_shown(shown))


async def cancel(clients: Clients, name: str) -> None:
    """Ask for a job to be cancelled; one that has ended is left as it is."""
    request = slim.message("genai_tuning_service", "CancelTuningJobRequest", name=name)
    try:
        await clients.call(SERVICE, "cancel_tuning_job", request, at=name)
    except exceptions.BadRequest:  # FAILED_PRECONDITION is one of these
        found = await get(clients, name)
        if found is None or not found.state.ended:
            raise


def job_json(
    tuning: Tuning, training_uri: str, labels: Mapping[str, str], origin: Origin | None
) -> dict[str, Any]:
    """The job to create as JSON of v1beta1. What the spec leaves unset is left to the service."""
    message = type(body := job_body(tuning, training_uri, labels, origin)).pb(body)
    made: dict[str, Any] = json_format.MessageToDict(message, use_integers_for_enums=False)
    spec = made.pop("supervisedTuningSpec")
    if tuning.tuning_mode:
        spec["tuningMode"] = tuning.tuning_mode
    if tuning.method == SUPERVISED:
        return {**made, "supervisedTuningSpec": spec}
    if tuning.hyper_parameters.beta is not None:
        spec.setdefault("hyperParameters", {})["beta"] = tuning.hyper_parameters.beta
    return {**made, "preferenceOptimizationSpec": spec}


def job_body(
    tuning: Tuning, training_uri: str, labels: Mapping[str, str], origin: Origin | None = None
) -> Any:
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
    if tuning.evaluation:
        spec.evaluation_config = _evaluation(tuning.evaluation)
    start = {"pre_tuned_model": _pre_tuned(origin)} if origin else {"base_model": tuning.base_model}
    body = job.TuningJob(
        **start,
        supervised_tuning_spec=spec,
        tuned_model_display_name=tuning.display_name or tuning.name,
        description=tuning.description,
        labels=dict(labels),
        service_account=tuning.service_account or "",
    )
    if tuning.kms_key:
        body.encryption_spec = slim.message("encryption_spec", "EncryptionSpec", kms_key_name=tuning.kms_key)
    return body


def _evaluation(config: Mapping[str, Any]) -> Any:
    kind = slim.types("tuning_job").EvaluationConfig
    return kind.wrap(json_format.ParseDict(dict(config), kind.pb()()))


def _pre_tuned(origin: Origin) -> Any:
    return slim.message(
        "tuning_job", "PreTunedModel", tuned_model_name=origin.model, checkpoint_id=origin.checkpoint
    )
