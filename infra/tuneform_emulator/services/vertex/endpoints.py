"""Endpoints: made by tuning jobs, one a checkpoint, and by callers, with an id of their choice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.services import operations
from tuneform_emulator.services.vertex import (
    base_models,
    fields,
    listing,
    models,
    resources,
    tuning_validation,
)
from tuneform_emulator.services.vertex.base_models import BaseModel
from tuneform_emulator.services.vertex.resources import ENDPOINT, PREFIX, Json, Place
from tuneform_emulator.store import Exists
from tuneform_emulator.world import World

MUTABLE = ("displayName", "description", "labels", "trafficSplit")
_READ_ONLY = ("name", "deployedModels", "etag", "createTime", "updateTime", "encryptionSpec")
_DEPLOYED = ("model", "displayName", "checkpointId", "id", "automaticResources")
NEW = "0"
"""Stands for the model being deployed in the traffic split of deployModel."""

_CHOSEN_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}|0")
"""`CreateEndpointRequest.endpoint_id` in aiplatform_v1: up to 63 characters when it starts with a letter, up to 9
digits without leading zeros when it starts with a number."""
_DEPLOYED_ID = re.compile(r"[0-9]{1,10}")

_GETTERS: Mapping[str, listing.Getter] = {
    "endpoint": lambda endpoint: resources.last(endpoint["name"]),
    "display_name": lambda endpoint: endpoint.get("displayName", ""),
}


def create(world: World, place: Place, chosen: str, values: Json) -> Json:
    """Stores a new endpoint and returns its resource; without a chosen id one is made up.

    Raises:
        ApiError: 409 when the id is taken.
    """
    number, key = resources.new_id(world)
    now = world.stamp()
    name = f"{place.name}/endpoints/{chosen or key}"
    resource = {
        "name": name,
        "createTime": now,
        "updateTime": now,
        "deployedModels": [],
        "trafficSplit": {},
        **values,
    }
    try:
        world.store.create(ENDPOINT, name, {"number": number, "resource": resource})
    except Exists as error:
        raise wire.ApiError.already_exists(f"Endpoint with ID {chosen} already exists: {name}") from error
    return resource


def deploy(world: World, endpoint: str, wanted: Json, split: Mapping[str, int]) -> Json:
    """Adds a DeployedModel to an endpoint and returns it; all or nothing.

    Raises:
        ApiError: 404 for an unknown model or endpoint, 400 for a checkpoint, id or split that does not fit.
    """
    with world.store.transaction():
        document = models.find(world, resources.normal(world, wanted["model"]))
        model = document["resource"]
        _check_place(endpoint, base_models.of_model(model))
        checkpoint = models.checkpoint_id(document, wanted.get("checkpointId", ""))
        deployed_id = wanted.get("id") or resources.new_id(world)[1]
        now = world.stamp()
        deployed = resources.shown(
            {
                **wanted,
                "id": deployed_id,
                "model": f"{model['name']}@{model['versionId']}",
                "modelVersionId": model["versionId"],
                "displayName": wanted.get("displayName") or model["displayName"],
                "checkpointId": checkpoint,
                "createTime": now,
            }
        )

        def change(found: Json) -> Json:
            resource = found["resource"]
            present = resource["deployedModels"]
            if any(item["id"] == deployed_id for item in present):
                raise wire.ApiError.invalid(
                    f"DeployedModel ID {deployed_id} is in use.", ("deployed_model.id", "")
                )
            traffic = {deployed_id if key == NEW else key: share for key, share in split.items()}
            _check_split(traffic, {deployed_id, *(item["id"] for item in present)})
            changed = {"deployedModels": [*present, deployed], "updateTime": now}
            return {
                **found,
                "resource": {**resource, **changed, **({"trafficSplit": traffic} if traffic else {})},
            }

        resources.get(world, ENDPOINT, endpoint)
        world.store.update(ENDPOINT, endpoint, change)
        models.set_deployed(world, model["name"], endpoint, deployed_id, checkpoint)
    return deployed


def _check_place(endpoint: str, base: BaseModel) -> None:
    location = endpoint.split("/")[3]
    if base.serving and location not in base.serving:
        raise wire.ApiError.failed_precondition(
            f"Tuned models of {base.name} are served from {' and '.join(base.serving)} only, not from {location}."
        )


def routes(world: World) -> tuple[wire.Route, ...]:
    """Everything under `endpoints/` but generating content."""
    endpoint = f"{PREFIX}/endpoints/{{endpoint}}"
    return (
        wire.Route("POST", f"{PREFIX}/endpoints", lambda request: _create(world, request)),
        wire.Route("GET", f"{PREFIX}/endpoints", lambda request: _list(world, request)),
        wire.Route(
            "GET",
            endpoint,
            lambda request: resources.shown(resources.seen(world, ENDPOINT, named(world, request))),
        ),
        wire.Route("PATCH", endpoint, lambda request: _patch(world, request)),
        wire.Route("DELETE", endpoint, lambda request: _delete(world, request)),
        wire.Route("POST", f"{endpoint}:deployModel", lambda request: _deploy(world, request)),
        wire.Route("POST", f"{endpoint}:undeployModel", lambda request: _undeploy(world, request)),
    )


def named(world: World, request: wire.Request) -> Json:
    """The endpoint that a path names; raises `ApiError` 404."""
    name = f"{resources.place(world, request).name}/endpoints/{request.params['endpoint']}"
    found: Json = resources.get(world, ENDPOINT, name)["resource"]
    return found


def _create(world: World, request: wire.Request) -> Json:
    body = fields.known(
        wire.camel(request.json()), "Endpoint", read=("displayName", "description", "labels", "encryptionSpec"),
        ignored=("name", "etag", "createTime", "updateTime"),
    )  # fmt: skip
    chosen = request.one("endpointId")
    if chosen and not _CHOSEN_ID.fullmatch(chosen):
        reason = (
            f"Invalid endpoint_id '{chosen}': up to 63 characters [a-z0-9-] starting with a letter and ending with a "
            "letter or number, or up to 9 digits without leading zeros."
        )
        raise wire.ApiError.invalid(reason, ("endpoint_id", reason))
    place = resources.place(world, request)
    values = resources.shown(
        {
            "displayName": fields.display_name(body, "displayName", required=True),
            "description": fields.string(body, "description"),
            "labels": fields.labels(body),
            "encryptionSpec": tuning_validation.encryption(
                world, place, fields.message(body, "encryptionSpec")
            ),
        }
    )
    with world.store.transaction():
        resource = create(world, place, chosen, values)
        return operations.done(
            world,
            request.version,
            resource["name"],
            "CreateEndpointOperationMetadata",
            resources.shown(resource),
            response_type="Endpoint",
        )


def _list(world: World, request: wire.Request) -> Json:
    terms = listing.parse(listing.filter_text(request))
    parent = resources.place(world, request).name
    newest = resources.newest(world, ENDPOINT, parent, "endpoints", listing.after(request))
    found = (
        (number, document["resource"])
        for number, document in newest
        if listing.matches(terms, document["resource"], _GETTERS)
    )
    return listing.page(request, "endpoints", found, resources.shown)


def _patch(world: World, request: wire.Request) -> Json:
    given = fields.known(wire.camel(request.json()), "Endpoint", read=MUTABLE, ignored=_READ_ONLY)
    masked = fields.mask(request.one("updateMask"), given)
    if unknown := [name for name in masked if name not in MUTABLE]:
        reason = f"update_mask may name {', '.join(MUTABLE)}; not {', '.join(unknown)}."
        raise wire.ApiError.invalid(reason, ("update_mask", reason))
    values: Json = {}
    for name in masked:
        if name == "labels":
            values[name] = fields.labels(given)
        elif name == "trafficSplit":
            values[name] = fields.traffic_split(given)
        elif name == "displayName":
            values[name] = fields.display_name(given, name, required=True)
        else:
            values[name] = fields.string(given, name)
    name = named(world, request)["name"]
    now = world.stamp()

    def change(document: Json) -> Json:
        resource = document["resource"]
        if "trafficSplit" in values:
            _check_split(values["trafficSplit"], {item["id"] for item in resource["deployedModels"]})
        return {**document, "resource": {**resource, **values, "updateTime": now}}

    return resources.shown(world.store.update(ENDPOINT, name, change)["resource"])


def _delete(world: World, request: wire.Request) -> Json:
    with world.store.transaction():
        endpoint = named(world, request)
        if endpoint["deployedModels"]:
            ids = ", ".join(item["id"] for item in endpoint["deployedModels"])
            raise wire.ApiError.failed_precondition(
                f'Endpoint "{endpoint["name"]}" has deployed or being-deployed DeployedModel(s): {ids}.'
            )
        world.store.delete(ENDPOINT, endpoint["name"])
        return operations.done(world, request.version, endpoint["name"], "DeleteOperationMetadata")


def _deploy(world: World, request: wire.Request) -> Json:
    body = fields.known(
        wire.camel(request.json()), "DeployModelRequest", read=("deployedModel", "trafficSplit")
    )
    wanted = fields.known(fields.message(body, "deployedModel"), "DeployedModel", read=_DEPLOYED)
    if not fields.string(wanted, "model"):
        raise wire.ApiError.invalid(
            "deployed_model.model is required.", ("deployed_model.model", "Required.")
        )
    given = fields.string(wanted, "id")
    if given and not _DEPLOYED_ID.fullmatch(given):
        raise wire.ApiError.invalid("A DeployedModel ID has 1 to 10 digits.", ("deployed_model.id", given))
    fields.string(wanted, "checkpointId")
    fields.display_name(wanted, "displayName")
    with world.store.transaction():
        endpoint = named(world, request)["name"]
        deployed = deploy(world, endpoint, wanted, fields.traffic_split(body))
        return operations.done(
            world,
            request.version,
            endpoint,
            "DeployModelOperationMetadata",
            {"deployedModel": deployed},
            response_type="DeployModelResponse",
        )


def _undeploy(world: World, request: wire.Request) -> Json:
    body = fields.known(
        wire.camel(request.json()), "UndeployModelRequest", read=("deployedModelId", "trafficSplit")
    )
    deployed_id = fields.string(body, "deployedModelId")
    split = fields.traffic_split(body)
    now = world.stamp()
    taken: list[str] = []

    def change(document: Json) -> Json:
        resource = document["resource"]
        kept = [item for item in resource["deployedModels"] if item["id"] != deployed_id]
        if len(kept) == len(resource["deployedModels"]):
            raise wire.ApiError.not_found(f"The following DeployedModel ID(s) [{deployed_id}] do not exist.")
        taken.extend(item["model"] for item in resource["deployedModels"] if item["id"] == deployed_id)
        traffic = _split_without(resource, deployed_id, split) if kept else {}
        return {
            **document,
            "resource": {**resource, "deployedModels": kept, "trafficSplit": traffic, "updateTime": now},
        }

    with world.store.transaction():
        endpoint = named(world, request)["name"]
        world.store.update(ENDPOINT, endpoint, change)
        models.set_deployed(world, taken[0], endpoint, deployed_id, None)
        return operations.done(
            world,
            request.version,
            endpoint,
            "UndeployModelOperationMetadata",
            response_type="UndeployModelResponse",
        )


def _split_without(resource: Mapping[str, Any], deployed_id: str, split: dict[str, int]) -> dict[str, int]:
    """The traffic once a model that is not the only one has gone."""
    if split:
        _check_split(split, {item["id"] for item in resource["deployedModels"]})
    traffic = split or dict(resource["trafficSplit"])
    if traffic.get(deployed_id, 0):
        raise wire.ApiError.failed_precondition(
            f"DeployedModel {deployed_id} receives {traffic[deployed_id]} % of the traffic of {resource['name']}; "
            "set its traffic to 0 or give a traffic_split without it."
        )
    traffic.pop(deployed_id, None)
    return traffic


def _check_split(split: Mapping[str, int], present: set[str]) -> None:
    if strangers := sorted(set(split) - present):
        reason = f"The following DeployedModel ID(s) [{', '.join(strangers)}] do not exist."
        raise wire.ApiError.invalid(reason, ("traffic_split", reason))
    if split and sum(split.values()) != 100:
        reason = f"The traffic percentages must add up to 100, they add up to {sum(split.values())}."
        raise wire.ApiError.invalid(reason, ("traffic_split", reason))
