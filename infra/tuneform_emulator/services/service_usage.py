"""Service Usage v1 and v1beta1: which APIs a project has enabled, and the agents of services.

Enabled services are recorded and nothing more: a call to an API that is not enabled is answered all the same.
Quotas (consumerQuotaMetrics) answer 501.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.wire import ApiError, Request, Route
from tuneform_emulator.world import World

from . import agents, operations, paging
from .names import derive_number

KIND = "service"
SERVICE = re.compile(r"[a-z][-a-z0-9]*(\.[a-z][-a-z0-9]*)+")
TYPES = "google.api.serviceusage"
MOST_IN_BATCH = 20
DISABLE = {"disableDependentServices": bool, "checkIfServiceHasUsage": (str, int)}


def shown(number: str, service: str, state: str) -> dict[str, Any]:
    """A service as the API shows it."""
    return {
        "name": f"projects/{number}/services/{service}",
        "config": {"name": service},
        "state": state,
        "parent": f"projects/{number}",
    }


def key(world: World, request: Request, service: str) -> tuple[str, str]:
    """The project's number and the name a service is stored under; raises `ApiError` for a malformed name."""
    if not SERVICE.fullmatch(service):
        raise ApiError.invalid(f"Invalid service name '{service}'.", ("name", service))
    number = world.names.number(request.params["project"])
    return number, f"{number}/{service}"


def state_of(world: World, name: str) -> str:
    """ENABLED or DISABLED."""
    return "ENABLED" if world.store.get(KIND, name) else "DISABLED"


def switch(world: World, request: Request, service: str, *, on: bool) -> dict[str, Any]:
    """Enables or disables one service and returns it."""
    number, name = key(world, request, service)
    with world.store.transaction():
        world.store.delete(KIND, name)
        if on:
            world.store.create(KIND, name, {"number": number, "service": service})
    return shown(number, service, state_of(world, name))


def finished(world: World, version: str, response_type: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """A Service Usage operation that is done."""
    full = f"{TYPES}.{version}"
    return operations.done(
        world,
        version,
        "",
        f"{full}.OperationMetadata",
        response,
        response_type=f"{full}.{response_type}",
    )


def routes(world: World) -> tuple[Route, ...]:
    """enable, disable, batchEnable, get, batchGet, list; generateServiceIdentity in v1beta1."""

    def enable(request: Request) -> Mapping[str, Any]:
        service = switch(world, request, request.params["service"], on=True)
        return finished(world, request.version, "EnableServiceResponse", {"service": service})

    def disable(request: Request) -> Mapping[str, Any]:
        body = wire.camel(request.json())
        wire.conform(body, DISABLE, "DisableServiceRequest")
        service = switch(world, request, request.params["service"], on=False)
        return finished(world, request.version, "DisableServiceResponse", {"service": service})

    def batch_enable(request: Request) -> Mapping[str, Any]:
        body = wire.camel(request.json())
        wire.conform(body, {"serviceIds": [str]}, "BatchEnableServicesRequest")
        ids = body.get("serviceIds") or []
        if not ids or len(ids) > MOST_IN_BATCH:
            raise ApiError.invalid(
                f"service_ids must name 1 to {MOST_IN_BATCH} services.", ("service_ids", "count")
            )
        with world.store.transaction():
            services = [switch(world, request, service, on=True) for service in ids]
        return finished(world, request.version, "BatchEnableServicesResponse", {"services": services})

    def get(request: Request) -> Mapping[str, Any]:
        number, name = key(world, request, request.params["service"])
        return shown(number, request.params["service"], state_of(world, name))

    def batch_get(request: Request) -> Mapping[str, Any]:
        services = []
        for full in request.query.get("names", ()):
            number, name = key(world, request, full.rpartition("/")[2])
            services.append(shown(number, full.rpartition("/")[2], state_of(world, name)))
        return {"services": services}

    def list_all(request: Request) -> Mapping[str, Any]:
        number = world.names.number(request.params["project"])
        if request.one("filter") not in ("", "state:ENABLED", "state=ENABLED"):
            raise ApiError.unimplemented(
                "tuneform-emulator lists enabled services only (filter=state:ENABLED)"
            )
        rows = world.store.list(KIND, f"{number}/")
        listed = [(name, shown(number, row["service"], "ENABLED")) for name, row in rows]
        return paging.page(request, listed, "services", default=50, most=200)

    def identity(request: Request) -> Mapping[str, Any]:
        number, name = key(world, request, request.params["service"])
        email = agents.of_service(request.params["service"], number)
        if email is None:
            raise ApiError.unimplemented(
                f"tuneform-emulator does not know the service agent of {request.params['service']}"
            )
        unique = f"{derive_number(name)}{derive_number(email)}"[:21]
        answer = {"email": email, "uniqueId": unique}
        return finished(world, "v1beta1", "ServiceIdentity", answer)

    services = "/{version}/projects/{project}/services"
    service = services + "/{service}"
    return (
        Route("GET", services, list_all),
        Route("GET", service, get),
        Route("GET", services + ":batchGet", batch_get),
        Route("POST", services + ":batchEnable", batch_enable),
        Route("POST", service + ":enable", enable),
        Route("POST", service + ":disable", disable),
        Route("POST", "/v1beta1/projects/{project}/services/{service}:generateServiceIdentity", identity),
    )
