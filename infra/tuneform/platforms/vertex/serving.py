"""Models, endpoints, and the questions that endpoints answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.api_core import exceptions
from google.protobuf import field_mask_pb2

from tuneform.errors import NotFound
from tuneform.platforms.vertex import slim
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.errors import DEADLINE, READ, remote
from tuneform.reconcile.live import Deployed, Endpoint, Model, bare, version

OPERATION_DEADLINE = 900.0
"""Seconds that a deployment may take; Vertex deploys tuned adapters in minutes."""


def get_model(clients: Clients, name: str) -> Model | None:
    """One model."""
    try:
        with remote(f"reading {name}", clients.endpoint):
            raw = clients.models.get_model(name=name, retry=READ, timeout=DEADLINE)
    except NotFound:
        return None
    return Model(raw.name, raw.display_name, raw.description, dict(raw.labels))


def patch_model(
    clients: Clients, name: str, *, labels: Mapping[str, str], display_name: str, description: str
) -> None:
    """Set labels, and display name and description where given."""
    fields: dict[str, Any] = {"labels": dict(labels)}
    fields |= {k: v for k, v in (("display_name", display_name), ("description", description)) if v}
    model = slim.types("model").Model(name=bare(name), **fields)
    with remote(f"updating {name}", clients.endpoint):
        clients.models.update_model(model=model, update_mask=_mask(fields), retry=READ, timeout=DEADLINE)


def delete_model(clients: Clients, name: str) -> None:
    """Delete a model; one that is gone already is fine."""
    with remote(f"deleting {name}", clients.endpoint):
        try:
            clients.models.delete_model(name=bare(name), retry=READ, timeout=DEADLINE).result(
                timeout=OPERATION_DEADLINE
            )
        except exceptions.NotFound:
            return


def get_endpoint(clients: Clients, name: str) -> Endpoint | None:
    """One endpoint and what is deployed on it."""
    try:
        with remote(f"reading {name}", clients.endpoint):
            raw = clients.at(name)[0].get_endpoint(name=name, retry=READ, timeout=DEADLINE)
    except NotFound:
        return None
    deployed = tuple(
        Deployed(
            id=d.id,
            model=bare(d.model),
            version=d.model_version_id or version(d.model),
            checkpoint=d.checkpoint_id,
            traffic=raw.traffic_split.get(d.id, 0),
        )
        for d in raw.deployed_models
    )
    return Endpoint(name, raw.display_name, raw.description, dict(raw.labels), deployed)


def create_endpoint(clients: Clients, endpoint: Endpoint, kms_key: str | None) -> None:
    """Create an endpoint under its own id; one that exists already under it is left as it is."""
    parent, _, endpoint_id = endpoint.name.partition("/endpoints/")
    body = _endpoint(endpoint)
    if kms_key:
        body.encryption_spec = slim.types("encryption_spec").EncryptionSpec(kms_key_name=kms_key)
    with remote(f"creating {endpoint.name}", clients.endpoint):
        clients.at(endpoint.name)[0].create_endpoint(
            parent=parent, endpoint=body, endpoint_id=endpoint_id, retry=None, timeout=DEADLINE
        ).result(timeout=OPERATION_DEADLINE)


def patch_endpoint(clients: Clients, endpoint: Endpoint) -> None:
    """Set labels, display name and description."""
    with remote(f"updating {endpoint.name}", clients.endpoint):
        clients.at(endpoint.name)[0].update_endpoint(
            endpoint=_endpoint(endpoint),
            update_mask=_mask(("labels", "display_name", "description")),
            retry=READ,
            timeout=DEADLINE,
        )


def _endpoint(endpoint: Endpoint) -> Any:
    return slim.types("endpoint").Endpoint(
        name=endpoint.name,
        display_name=endpoint.display_name,
        description=endpoint.description,
        labels=dict(endpoint.labels),
    )


def deploy(clients: Clients, endpoint: str, model: str, checkpoint: str, traffic: Mapping[str, int]) -> str:
    """Deploy a model's checkpoint; a zero share for the new one is added where `traffic` leaves it out."""
    body = slim.types("endpoint").DeployedModel(model=model, checkpoint_id=checkpoint)
    split = {"0": 0, **traffic}
    with remote(f"deploying {model} on {endpoint}", clients.endpoint):
        done = (
            clients.at(endpoint)[0]
            .deploy_model(
                endpoint=endpoint, deployed_model=body, traffic_split=split, retry=None, timeout=DEADLINE
            )
            .result(timeout=OPERATION_DEADLINE)
        )
    return str(done.deployed_model.id)


def set_traffic(clients: Clients, endpoint: str, traffic: Mapping[str, int]) -> None:
    """Switch the traffic."""
    body = slim.types("endpoint").Endpoint(name=endpoint, traffic_split=dict(traffic))
    with remote(f"switching the traffic of {endpoint}", clients.endpoint):
        clients.at(endpoint)[0].update_endpoint(
            endpoint=body, update_mask=_mask(("traffic_split",)), retry=READ, timeout=DEADLINE
        )


def undeploy(clients: Clients, endpoint: str, deployed: str) -> None:
    """Take a deployed model off; one that is off already is fine."""
    with remote(f"undeploying {deployed} from {endpoint}", clients.endpoint):
        try:
            clients.at(endpoint)[0].undeploy_model(
                endpoint=endpoint, deployed_model_id=deployed, retry=READ, timeout=DEADLINE
            ).result(timeout=OPERATION_DEADLINE)
        except exceptions.NotFound:
            return


def delete_endpoint(clients: Clients, name: str) -> None:
    """Delete an endpoint; one that is gone already is fine."""
    with remote(f"deleting {name}", clients.endpoint):
        try:
            clients.at(name)[0].delete_endpoint(name=name, retry=READ, timeout=DEADLINE).result(
                timeout=OPERATION_DEADLINE
            )
        except exceptions.NotFound:
            return


def ask(clients: Clients, endpoint: str, request: Mapping[str, Any]) -> str:
    """The text of the most probable answer.

    Thinking is off: a tuned model has learnt to answer without (Vertex tuning guide, 2025-08-21).
    """
    service = slim.types("prediction_service")
    message = {
        "model": endpoint,
        "contents": request["contents"],
        "generationConfig": {"temperature": 0, "thinkingConfig": {"thinkingBudget": 0}},
    }
    if "systemInstruction" in request:
        message["systemInstruction"] = request["systemInstruction"]
    parsed = service.GenerateContentRequest.from_json(json.dumps(message))
    with remote(f"asking {endpoint}", clients.endpoint):
        answer = clients.at(endpoint)[1].generate_content(request=parsed, retry=READ, timeout=DEADLINE)
    parts = answer.candidates[0].content.parts if answer.candidates else ()
    return "".join(part.text for part in parts)


def _mask(fields: Iterable[str]) -> Any:
    return field_mask_pb2.FieldMask(paths=list(fields))
