"""tuningJobs: create, get, list, cancel. A job never goes away, and nothing about it can be patched.

A stored job also holds `endpoints`, the endpoint made for each checkpoint id. While it is not finished there is a
`tuning-run` of the same name, which is what `tuning_runner` works on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.clock import parse_stamp
from tuneform_emulator.services import agents
from tuneform_emulator.services.vertex import (
    listing,
    resources,
    tuning_runner,
    tuning_validation,
)
from tuneform_emulator.services.vertex.resources import JOB, PREFIX, STATS, Json
from tuneform_emulator.world import World

FINISHED = (
    "JOB_STATE_SUCCEEDED",
    "JOB_STATE_PARTIALLY_SUCCEEDED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
)

_BETA_ONLY = ("tuningJobState", "tuningJobMetadata")
"""Fields of v1beta1 that v1 does not have (discovery documents of aiplatform, revision 20261106)."""

_GETTERS: Mapping[str, listing.Getter] = {
    "state": lambda job: job["state"],
    "tuned_model_display_name": lambda job: job["tunedModelDisplayName"],
    "base_model": resources.base_model,
}


def view(world: World, resource: Mapping[str, Any], version: str) -> Json:
    """The job as a version of the API shows it."""
    hidden = () if version == "v1beta1" else _BETA_ONLY
    found = resources.shown({key: value for key, value in resource.items() if key not in hidden})
    if "tunedModel" in found:
        found["tunedModel"] = resources.shown(found["tunedModel"])
    if stats := world.store.get(STATS, found["name"]):
        found["tuningDataStats"] = stats
    return found


def routes(world: World) -> tuple[wire.Route, ...]:
    """Everything under `tuningJobs/`."""
    job = f"{PREFIX}/tuningJobs/{{job}}"
    return (
        wire.Route("POST", f"{PREFIX}/tuningJobs", lambda request: _create(world, request)),
        wire.Route("GET", f"{PREFIX}/tuningJobs", lambda request: _list(world, request)),
        wire.Route("GET", job, lambda request: _get(world, request)),
        wire.Route("POST", f"{job}:cancel", lambda request: _cancel(world, request)),
    )


def _named(world: World, request: wire.Request) -> Json:
    return resources.get(
        world, JOB, f"{resources.place(world, request).name}/tuningJobs/{request.params['job']}"
    )


def _get(world: World, request: wire.Request) -> Json:
    return view(world, resources.seen(world, JOB, _named(world, request)["resource"]), request.version)


def _create(world: World, request: wire.Request) -> Json:
    place = resources.place(world, request)
    agents.make_tuning(world, place.project)
    submission = tuning_validation.accept(world, place, wire.camel(request.json()), request.version)
    with world.store.transaction():
        tuning_runner.refuse_beyond_quota(world, place.name)
        number, key = resources.new_id(world)
        now = world.stamp()
        resource: Json = {
            "name": f"{place.name}/tuningJobs/{key}",
            **submission.fields,
            "state": "JOB_STATE_QUEUED",
            "createTime": now,
            "updateTime": now,
        }
        world.store.create(JOB, resource["name"], {"number": number, "resource": resource, "endpoints": {}})
        tuning_runner.enqueue(world, resource["name"], submission)
    return view(world, resource, request.version)


def _list(world: World, request: wire.Request) -> Json:
    terms = listing.parse(listing.filter_text(request))
    if not world.settings.list_filters_labels and any(term.field.startswith("labels") for term in terms):
        raise wire.ApiError.invalid("Invalid filter: labels cannot be filtered on.", ("filter", "labels"))
    seen_until = world.clock.now() - timedelta(seconds=world.settings.list_lag_seconds)
    parent = resources.place(world, request).name
    newest = resources.newest(world, JOB, parent, "tuningJobs", listing.after(request))
    found = (
        (number, document["resource"])
        for number, document in newest
        if listing.matches(terms, document["resource"], _GETTERS)
        and parse_stamp(document["resource"]["createTime"]) <= seen_until
    )
    return listing.page(request, "tuningJobs", found, lambda resource: view(world, resource, request.version))


def _cancel(world: World, request: wire.Request) -> Json:
    """Starts a cancellation: best effort, and the job stays as a record (Google Cloud, tuningJobs.cancel).

    What the real service says to a cancel of a finished job is not known; here it is FAILED_PRECONDITION.
    """
    name = _named(world, request)["resource"]["name"]
    now = world.stamp()

    def change(document: Json) -> Json:
        state = document["resource"]["state"]
        if state in FINISHED:
            raise wire.ApiError.failed_precondition(f"{name} is in state {state} and cannot be cancelled.")
        if state == "JOB_STATE_CANCELLING":
            return document
        moved = {"state": "JOB_STATE_CANCELLING", "updateTime": now, "tuningJobState": ""}
        return {**document, "resource": {**document["resource"], **moved}}

    with world.store.transaction():
        before = _named(world, request)["resource"]["state"]
        world.store.update(JOB, name, change)
        if before != "JOB_STATE_CANCELLING":
            tuning_runner.cancel(world, name)
    return {}
