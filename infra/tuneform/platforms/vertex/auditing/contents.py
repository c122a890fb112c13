"""What lies in a project: jobs, models and endpoints of one location, and buckets. One page is held at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from google.api_core import exceptions

from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.calls.retry import READ
from tuneform.platforms.vertex.clients import Clients, readable
from tuneform.platforms.vertex.jobs import SERVICE as JOBS
from tuneform.platforms.vertex.messages import Messages, moment
from tuneform.platforms.vertex.serving import ENDPOINTS, MODELS
from tuneform.reconcile.estate import BucketSeen, DeleteRule, EndpointSeen, JobSeen, ModelSeen
from tuneform.reconcile.live import Job

PAGE = 200
"""Fewer than a page may have: what is held at once is a page for each location that is being read."""
BUCKET_PAGE = 500
BUCKET_FIELDS = (
    "items(name,location,labels,storageClass,versioning,lifecycle,encryption,iamConfiguration,timeCreated,updated),"
    "nextPageToken"
)
EVERYBODY = ("allUsers", "allAuthenticatedUsers")
TUNED = frozenset({"tune-type", "google-vertex-llm-tuning-base-model-id"})
"""Labels that Vertex AI puts on the models of tunings."""


class Contents:
    """Reads any project. What an answer cannot be read from is raised as the clients raise it."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def models(self, project: str, location: str) -> AsyncIterator[ModelSeen]:
        """Every model of a location."""
        request = slim.message(MODELS, "ListModelsRequest", **_where(project, location))
        messages = Messages(project)
        async for page in self._pages(MODELS, "list_models", request):
            for raw in page.models:
                yield readable(lambda raw=raw: _model(messages, raw))  # type: ignore[misc]

    async def jobs(self, project: str, location: str) -> AsyncIterator[JobSeen]:
        """Every tuning job of a location, the newest first."""
        request = slim.message("genai_tuning_service", "ListTuningJobsRequest", **_where(project, location))
        messages = Messages(project)
        async for page in self._pages(JOBS, "list_tuning_jobs", request):
            for raw in page.tuning_jobs:
                seen = readable(lambda raw=raw: _job(messages, raw))  # type: ignore[misc]
                yield replace(seen, job=await self._whole(messages, seen.job))

    async def endpoints(self, project: str, location: str) -> AsyncIterator[EndpointSeen]:
        """Every endpoint of a location."""
        request = slim.message(ENDPOINTS, "ListEndpointsRequest", **_where(project, location))
        messages = Messages(project)
        async for page in self._pages(ENDPOINTS, "list_endpoints", request):
            for raw in page.endpoints:
                yield readable(lambda raw=raw: _endpoint(messages, raw))  # type: ignore[misc]

    async def buckets(self, project: str) -> AsyncIterator[BucketSeen]:
        """Every bucket of a project; of those that could be public, with the grants that make them so."""
        token: str | None = None
        while True:
            page, token = await self._bucket_page(project, token)
            for raw in page:
                seen = readable(lambda raw=raw: _bucket(raw))  # type: ignore[misc]
                if seen.may_be_public:
                    seen = replace(seen, public=await self._public(project, seen.name))
                yield seen
            if not token:
                return

    def _pages(self, service: str, method: str, request: Any) -> AsyncIterator[Any]:
        return self._clients.pages(service, method, request, at=f"{request.parent}/x")

    async def _whole(self, messages: Messages, job: Job) -> Job:
        """A job that has not ended with what the generated messages leave out: they know supervised tuning alone."""
        if job.training_uri or job.state.ended:
            return job
        shown = await READ.patiently(lambda: self._clients.beta(job.name))
        return readable(lambda: messages.with_preferences(job, shown))

    async def _bucket_page(self, project: str, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        def read(client: Any) -> tuple[list[dict[str, Any]], str | None]:
            found = client.list_buckets(
                project=project,
                page_size=BUCKET_PAGE,
                page_token=token,
                fields=BUCKET_FIELDS,
                timeout=self._clients.deadline,
                retry=None,
            )
            page = next(found.pages, ())
            return [bucket._properties for bucket in page], found.next_page_token

        return await self._clients.storage(read, project=project)

    async def _public(self, project: str, bucket: str) -> tuple[str, ...] | None:
        def read(client: Any) -> tuple[str, ...]:
            policy = client.bucket(bucket).get_iam_policy(
                requested_policy_version=3, timeout=self._clients.deadline, retry=None
            )
            return tuple(
                sorted(
                    f"{binding['role']} to {member}"
                    for binding in policy.bindings
                    for member in binding["members"]
                    if member in EVERYBODY
                )
            )

        try:
            return await self._clients.storage(read, project=project)
        except (exceptions.Forbidden, exceptions.NotFound):  # or it was deleted meanwhile
            return None


def _where(project: str, location: str) -> dict[str, Any]:
    return {"parent": f"projects/{project}/locations/{location}", "page_size": PAGE}


def _job(messages: Messages, raw: Any) -> JobSeen:
    stats = raw.tuning_data_stats.supervised_tuning_data_stats
    return JobSeen(messages.job(raw), stats.tuning_dataset_example_count or None)


def _model(messages: Messages, raw: Any) -> ModelSeen:
    tuned = raw.base_model_source.HasField("genie_source") or not TUNED.isdisjoint(raw.labels)
    return ModelSeen(messages.model(raw), tuned, moment(raw.create_time), moment(raw.update_time))


def _endpoint(messages: Messages, raw: Any) -> EndpointSeen:
    return EndpointSeen(messages.endpoint(raw), moment(raw.create_time), moment(raw.update_time))


def _bucket(raw: Mapping[str, Any]) -> BucketSeen:
    access = raw.get("iamConfiguration", {})
    return BucketSeen(
        name=raw["name"],
        location=raw["location"].lower(),
        labels=dict(raw.get("labels", {})),
        uniform_access=bool(access.get("uniformBucketLevelAccess", {}).get("enabled")),
        public_access_prevention=access.get("publicAccessPrevention", "inherited"),
        versioning=bool(raw.get("versioning", {}).get("enabled")),
        storage_class=raw.get("storageClass", "STANDARD"),
        key=raw.get("encryption", {}).get("defaultKmsKeyName", ""),
        lifecycle=tuple(_deletes(raw.get("lifecycle", {}).get("rule", ()))),
        created=datetime.fromisoformat(raw["timeCreated"]),
        updated=datetime.fromisoformat(raw["updated"]),
    )


def _deletes(rules: Any) -> Any:
    """The rules that delete live objects by age or number of newer versions alone, as specs can write them."""
    for rule in rules:
        condition = rule.get("condition", {})
        if rule["action"]["type"] == "Delete" and condition and set(condition) <= {"age", "numNewerVersions"}:
            yield DeleteRule(condition.get("age"), condition.get("numNewerVersions"))
