"""The Model Registry, as far as tuned models need it.

A tuned model has one version: continuous tuning makes a model of its own here (`tuning_source`). A stored model
also holds `job`, the tuning job it came from, and `blobs`, the store's keys of its checkpoints by checkpoint id
(under "" the only one, where the job exported its last checkpoint alone).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.services import operations
from tuneform_emulator.services.vertex import fields, listing, resources
from tuneform_emulator.services.vertex.resources import JOB, MODEL, PREFIX, Json
from tuneform_emulator.world import World

VERSION = "1"

MUTABLE = ("displayName", "description", "labels", "defaultCheckpointId", "versionDescription")
_READ_ONLY = (
    "name", "versionId", "versionAliases", "versionCreateTime", "versionUpdateTime", "createTime", "updateTime", "etag",
    "deployedModels", "encryptionSpec", "modelSourceInfo", "baseModelSource", "checkpoints", "metadata",
    "supportedDeploymentResourcesTypes", "predictSchemata", "metadataSchemaUri", "supportedExportFormats",
    "trainingPipeline", "pipelineJob", "containerSpec", "artifactUri", "supportedInputStorageFormats",
    "supportedOutputStorageFormats", "explanationSpec", "dataStats", "originalModelInfo", "metadataArtifact",
    "satisfiesPzs", "satisfiesPzi",
)  # fmt: skip
"""The other fields of Model: the SDK's `Model.update` sends them all back, and the update mask leaves them out."""

_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")

_GETTERS: Mapping[str, listing.Getter] = {
    "model": lambda model: resources.last(model["name"]),
    "display_name": lambda model: model.get("displayName", ""),
    "base_model_name": lambda model: resources.last(model["baseModelSource"]["genieSource"]["baseModelUri"]),
}


def find(world: World, name: str) -> Json:
    """The stored model for a full name, which may end in `@VERSION` or `@ALIAS`.

    Raises:
        ApiError: 404 for an unknown model, version or alias.
    """
    bare, _, version = name.partition("@")
    document = resources.get(world, MODEL, bare)
    if version and version != VERSION and version not in document["resource"].get("versionAliases", []):
        raise resources.missing(MODEL, name)
    return document


def checkpoint_id(document: Mapping[str, Any], wanted: str) -> str:
    """The checkpoint to deploy: the one wanted, else the model's default.

    Raises:
        ApiError: 400 for one that the model does not have.
    """
    chosen = wanted or str(document["resource"].get("defaultCheckpointId", ""))
    if chosen not in document["blobs"]:
        reason = f"Checkpoint {chosen} does not exist in model {document['resource']['name']}."
        raise wire.ApiError.invalid(reason, ("checkpoint_id", reason))
    return chosen


def set_deployed(world: World, model: str, endpoint: str, deployed_id: str, checkpoint: str | None) -> None:
    """Records on a model that it is deployed (`checkpoint` given) or no longer (None); its job's endpoint follows."""

    def change(document: Json) -> Json:
        kept = [
            item
            for item in document["resource"].get("deployedModels", [])
            if (item["endpoint"], item["deployedModelId"]) != (endpoint, deployed_id)
        ]
        if checkpoint is not None:
            kept.append({"endpoint": endpoint, "deployedModelId": deployed_id, "checkpointId": checkpoint})
        return {**document, "resource": {**document["resource"], "deployedModels": kept}}

    point_job(world, world.store.update(MODEL, model.partition("@")[0], change))


def point_job(world: World, document: Mapping[str, Any]) -> None:
    """Keeps `tunedModel.endpoint` of the tuning job at the endpoint of the model's default checkpoint.

    It is empty while that checkpoint is not deployed on the endpoint that the job made for it ("Use checkpoints in
    supervised fine-tuning", Google Cloud, 2026).
    """
    model = document["resource"]
    deployed = {(item["endpoint"], item["checkpointId"]) for item in model.get("deployedModels", [])}
    wanted = model.get("defaultCheckpointId", "")

    def change(job: Json) -> Json:
        made: Mapping[str, str] = job["endpoints"]
        endpoint = made.get(wanted, "")
        tuned = {
            **job["resource"]["tunedModel"],
            "endpoint": endpoint if (endpoint, wanted) in deployed else "",
        }
        return {**job, "resource": {**job["resource"], "tunedModel": tuned}}

    world.store.update(JOB, document["job"], change)


def view(model: Mapping[str, Any]) -> Json:
    """The model as a client sees it."""
    return resources.shown(
        {**model, "deployedModels": [resources.shown(item) for item in model["deployedModels"]]}
    )


def routes(world: World) -> tuple[wire.Route, ...]:
    """Everything under `models/`."""
    model = f"{PREFIX}/models/{{model}}"
    return (
        wire.Route("GET", f"{PREFIX}/models", lambda request: _list(world, request)),
        wire.Route(
            "GET",
            model,
            lambda request: view(resources.seen(world, MODEL, _named(world, request)["resource"])),
        ),
        wire.Route("PATCH", model, lambda request: _patch(world, request)),
        wire.Route("DELETE", model, lambda request: _delete(world, request)),
        wire.Route("GET", f"{model}:listVersions", lambda request: _list_versions(world, request)),
        wire.Route("GET", f"{model}:listCheckpoints", lambda request: _list_checkpoints(world, request)),
        wire.Route("POST", f"{model}:mergeVersionAliases", lambda request: _merge_aliases(world, request)),
        wire.Route("DELETE", f"{model}:deleteVersion", lambda request: _delete_version(world, request)),
    )


def _named(world: World, request: wire.Request) -> Json:
    return find(world, f"{resources.place(world, request).name}/models/{request.params['model']}")


def _list(world: World, request: wire.Request) -> Json:
    terms = listing.parse(listing.filter_text(request))
    parent = resources.place(world, request).name
    newest = resources.newest(world, MODEL, parent, "models", listing.after(request))
    found = (
        (number, document["resource"])
        for number, document in newest
        if listing.matches(terms, document["resource"], _GETTERS)
    )
    return listing.page(request, "models", found, view)


def _list_versions(world: World, request: wire.Request) -> Json:
    document = _named(world, request)
    terms = listing.parse(listing.filter_text(request))
    found = [(document["number"], view(document["resource"]))]
    return listing.page(request, "models", [item for item in found if listing.matches(terms, item[1], {})])


def _list_checkpoints(world: World, request: wire.Request) -> Json:
    """The checkpoints, the newest first, each under the number that its id is."""
    checkpoints = _named(world, request)["resource"].get("checkpoints", [])
    numbered = [(int(item["checkpointId"]), item) for item in checkpoints]
    return listing.page(request, "checkpoints", sorted(numbered, key=lambda item: item[0], reverse=True))


def _patch(world: World, request: wire.Request) -> Json:
    body = wire.camel(request.json())
    given = fields.known(body, "Model", read=MUTABLE, ignored=_READ_ONLY)
    masked = fields.mask(request.one("updateMask"), given)
    if unknown := [name for name in masked if name not in MUTABLE]:
        reason = f"update_mask may name {', '.join(MUTABLE)}; not {', '.join(unknown)}."
        raise wire.ApiError.invalid(reason, ("update_mask", reason))
    values: Json = {}
    for name in masked:
        if name == "labels":
            values[name] = fields.labels(given)
        elif name == "displayName":
            values[name] = fields.display_name(given, name, required=True)
        else:
            values[name] = fields.string(given, name)
    name = _named(world, request)["resource"]["name"]
    now = world.stamp()

    def change(document: Json) -> Json:
        if "defaultCheckpointId" in values:
            checkpoint_id(document, values["defaultCheckpointId"])
        times = {"updateTime": now, "versionUpdateTime": now}
        return {**document, "resource": {**document["resource"], **values, **times}}

    with world.store.transaction():
        document = world.store.update(MODEL, name, change)
        if "defaultCheckpointId" in values:
            point_job(world, document)
    return view(document["resource"])


def _delete(world: World, request: wire.Request) -> Json:
    with world.store.transaction():
        document = _named(world, request)
        _refuse_while_deployed(document)
        name = document["resource"]["name"]
        for key in document["blobs"].values():
            world.store.delete_blob(key)
        world.store.delete(MODEL, name)
        return operations.done(world, request.version, name, "DeleteOperationMetadata")


def _delete_version(world: World, request: wire.Request) -> Json:
    document = _named(world, request)
    _refuse_while_deployed(document)
    raise wire.ApiError.failed_precondition(
        f"Model version {VERSION} is the only version of {document['resource']['name']} and cannot be deleted; "
        "delete the model instead."
    )


def _refuse_while_deployed(document: Mapping[str, Any]) -> None:
    if deployed := document["resource"]["deployedModels"]:
        where = ", ".join(sorted({item["endpoint"] for item in deployed}))
        raise wire.ApiError.failed_precondition(
            f'The Model "{document["resource"]["name"]}" is deployed or being deployed at the following '
            f"Endpoint(s): {where}."
        )


def _merge_aliases(world: World, request: wire.Request) -> Json:
    body = fields.known(wire.camel(request.json()), "MergeVersionAliasesRequest", read=("versionAliases",))
    changes = body.get("versionAliases")
    if not isinstance(changes, list) or not changes:
        raise wire.ApiError.invalid(
            "version_aliases is required.", ("version_aliases", "At least one is needed.")
        )
    for alias in changes:
        if not (isinstance(alias, str) and _ALIAS.fullmatch(alias.removeprefix("-"))):
            raise wire.ApiError.invalid(f"Invalid version alias {alias!r}.", ("version_aliases", str(alias)))
    if "-default" in changes:
        raise wire.ApiError.invalid(
            "The default alias cannot be removed: a model has exactly one default version.",
            ("version_aliases", "-default"),
        )
    now = world.stamp()

    def change(document: Json) -> Json:
        aliases = dict.fromkeys(document["resource"]["versionAliases"])
        for alias in changes:
            if alias.startswith("-"):
                aliases.pop(alias[1:], None)
            else:
                aliases[alias] = None
        resource = {**document["resource"], "versionAliases": list(aliases), "versionUpdateTime": now}
        return {**document, "resource": resource}

    name = _named(world, request)["resource"]["name"]
    return view(world.store.update(MODEL, name, change)["resource"])


def create(
    world: World, job: Mapping[str, Any], labels: Mapping[str, str], checkpoints: list[Json], blobs: Json
) -> Json:
    """Registers the model that a tuning job made and returns its document.

    `job` is the stored job; `checkpoints` are empty when only the last one was exported.
    """
    tuned = job["resource"]
    number, key = resources.new_id(world)
    parent = tuned["name"].partition("/tuningJobs/")[0]
    now = world.stamp()
    resource: Json = {
        "name": f"{parent}/models/{key}",
        "versionId": VERSION,
        "versionAliases": ["default"],
        "displayName": tuned["tunedModelDisplayName"],
        "labels": dict(labels),
        "createTime": now,
        "updateTime": now,
        "versionCreateTime": now,
        "versionUpdateTime": now,
        "modelSourceInfo": {"sourceType": "GENIE"},
        "baseModelSource": {
            "genieSource": {"baseModelUri": f"publishers/google/models/{resources.base_model(tuned)}"}
        },
        "deployedModels": [],
        "checkpoints": checkpoints,
        "defaultCheckpointId": checkpoints[-1]["checkpointId"] if checkpoints else "",
    }
    if "encryptionSpec" in tuned:
        resource["encryptionSpec"] = tuned["encryptionSpec"]
    document = {"number": number, "resource": resource, "job": tuned["name"], "blobs": blobs}
    world.store.create(MODEL, resource["name"], document)
    return document


def served_blob(world: World, deployed: Mapping[str, Any]) -> str:
    """The store's key of the checkpoint that a DeployedModel serves."""
    document = resources.get(world, MODEL, str(deployed["model"]).partition("@")[0])
    return str(document["blobs"][deployed.get("checkpointId", "")])
