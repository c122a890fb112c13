"""Models, endpoints, and the questions that endpoints answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.api_core import exceptions
from google.protobuf import field_mask_pb2
from google.protobuf.message import DecodeError

from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.calls.retry import ONCE, Undecodable
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.jobs import PAGE, listed
from tuneform.reconcile.desired import Project
from tuneform.reconcile.live import Endpoint, Model, bare

MODELS = "model_service"
ENDPOINTS = "endpoint_service"
PREDICTIONS = "prediction_service"


async def models(clients: Clients, project: Project) -> tuple[Model, ...]:
    """Every model where the jobs are."""
    request = slim.message(MODELS, "ListModelsRequest", parent=project.parent, page_size=PAGE)
    pages = await listed(clients, MODELS, "models", request)
    return tuple(clients.messages.model(raw) for page in pages for raw in page.models)


async def endpoints(clients: Clients, project: Project) -> tuple[Endpoint, ...]:
    """Every endpoint where models are served."""
    request = slim.message(ENDPOINTS, "ListEndpointsRequest", parent=project.serving_parent, page_size=PAGE)
    pages = await listed(clients, ENDPOINTS, "endpoints", request)
    return tuple(clients.messages.endpoint(raw) for page in pages for raw in page.endpoints)


async def get_model(clients: Clients, name: str) -> Model | None:
    """One model."""
    request = slim.message(MODELS, "GetModelRequest", name=name)
    try:
        return clients.messages.model(await clients.call(MODELS, "get_model", request, at=name))
    except exceptions.NotFound:
        return None


async def patch_model(
    clients: Clients, name: str, *, labels: Mapping[str, str], display_name: str, description: str
) -> None:
    """Set labels, and display name and description where given."""
    fields: dict[str, Any] = {"labels": dict(labels)}
    fields |= {k: v for k, v in (("display_name", display_name), ("description", description)) if v}
    model = slim.message("model", "Model", name=bare(name), **fields)
    request = slim.message(MODELS, "UpdateModelRequest", model=model, update_mask=_mask(fields))
    await clients.call(MODELS, "update_model", request, at=name)


async def delete_model(clients: Clients, name: str) -> None:
    """Delete a model; one that is gone already is fine."""
    request = slim.message(MODELS, "DeleteModelRequest", name=bare(name))
    try:
        await clients.operation(MODELS, "delete_model", request, at=name)
    except exceptions.NotFound:
        return


async def get_endpoint(clients: Clients, name: str) -> Endpoint | None:
    """One endpoint and what is deployed on it."""
    request = slim.message(ENDPOINTS, "GetEndpointRequest", name=name)
    try:
        return clients.messages.endpoint(await clients.call(ENDPOINTS, "get_endpoint", request, at=name))
    except exceptions.NotFound:
        return None


async def create_endpoint(clients: Clients, endpoint: Endpoint, kms_key: str | None) -> None:
    """Create an endpoint under its own id: one call, never repeated."""
    parent, _, endpoint_id = endpoint.name.partition("/endpoints/")
    body = _endpoint(endpoint)
    if kms_key:
        body.encryption_spec = slim.message("encryption_spec", "EncryptionSpec", kms_key_name=kms_key)
    request = slim.message(
        ENDPOINTS, "CreateEndpointRequest", parent=parent, endpoint=body, endpoint_id=endpoint_id
    )
    await clients.operation(ENDPOINTS, "create_endpoint", request, at=endpoint.name, policy=ONCE)


async def patch_endpoint(clients: Clients, endpoint: Endpoint) -> None:
    """Set labels, display name and description."""
    await _update(clients, _endpoint(endpoint), "labels", "display_name", "description")


async def set_traffic(clients: Clients, endpoint: str, traffic: Mapping[str, int]) -> None:
    """Switch the traffic."""
    body = slim.message("endpoint", "Endpoint", name=endpoint, traffic_split=dict(traffic))
    await _update(clients, body, "traffic_split")


async def _update(clients: Clients, body: Any, *fields: str) -> None:
    request = slim.message(ENDPOINTS, "UpdateEndpointRequest", endpoint=body, update_mask=_mask(fields))
    await clients.call(ENDPOINTS, "update_endpoint", request, at=body.name)


def _endpoint(endpoint: Endpoint) -> Any:
    return slim.message(
        "endpoint",
        "Endpoint",
        name=endpoint.name,
        display_name=endpoint.display_name,
        description=endpoint.description,
        labels=dict(endpoint.labels),
    )


async def deploy(
    clients: Clients, endpoint: str, model: str, checkpoint: str, traffic: Mapping[str, int]
) -> str:
    """Deploy a model's checkpoint, in one call; a zero share for the new one is added where `traffic` leaves it out."""
    deployed = slim.message("endpoint", "DeployedModel", model=model, checkpoint_id=checkpoint)
    request = slim.message(
        ENDPOINTS,
        "DeployModelRequest",
        endpoint=endpoint,
        deployed_model=deployed,
        traffic_split={"0": 0, **traffic},
    )
    done = await clients.operation(ENDPOINTS, "deploy_model", request, at=endpoint, policy=ONCE)
    answer = slim.types(ENDPOINTS).DeployModelResponse.pb()()
    try:
        readable = done.Unpack(answer)
    except DecodeError as error:
        raise Undecodable(f"the result of a deployment: {error}") from error
    if not readable or not answer.deployed_model.id:
        raise Undecodable("a deployment without an id")
    return str(answer.deployed_model.id)


async def undeploy(clients: Clients, endpoint: str, deployed: str) -> None:
    """Take a deployed model off; one that is off already is fine."""
    request = slim.message(ENDPOINTS, "UndeployModelRequest", endpoint=endpoint, deployed_model_id=deployed)
    try:
        await clients.operation(ENDPOINTS, "undeploy_model", request, at=endpoint)
    except exceptions.NotFound:
        return
    except (
        exceptions.BadRequest
    ):  # what the real service says of an id that is not deployed is not documented
        found = await get_endpoint(clients, endpoint)
        if found is not None and any(d.id == deployed for d in found.deployed):
            raise


async def delete_endpoint(clients: Clients, name: str) -> None:
    """Delete an endpoint; one that is gone already is fine."""
    request = slim.message(ENDPOINTS, "DeleteEndpointRequest", name=name)
    try:
        await clients.operation(ENDPOINTS, "delete_endpoint", request, at=name)
    except exceptions.NotFound:
        return


async def ask(clients: Clients, endpoint: str, request: Mapping[str, Any]) -> str:
    """The text of the most probable answer to a question in canonical form."""
    asked = json.dumps(question(endpoint, request))
    message = slim.types(PREDICTIONS).GenerateContentRequest.from_json(asked)
    answer = await clients.call(PREDICTIONS, "generate_content", message, at=endpoint)
    parts = answer.candidates[0].content.parts if answer.candidates else ()
    return "".join(part.text for part in parts)


def question(endpoint: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a call, for the most probable answer.

    Thinking is off: a tuned model has learnt to answer without (Vertex tuning guide, 2025-08-21).
    """
    system = {"systemInstruction": request["systemInstruction"]} if "systemInstruction" in request else {}
    return {
        "model": endpoint,
        "contents": request["contents"],
        "generationConfig": {"temperature": 0, "thinkingConfig": {"thinkingBudget": 0}},
        **system,
    }


def _mask(fields: Iterable[str]) -> Any:
    return field_mask_pb2.FieldMask(paths=list(fields))
