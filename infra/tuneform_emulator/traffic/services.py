"""Every module that serves something, and what they serve."""

from __future__ import annotations

from types import ModuleType

from tuneform_emulator.services import (
    buckets,
    folders,
    objects,
    operations,
    projects,
    service_accounts,
    service_usage,
    vertex,
)
from tuneform_emulator.services.kms import cryptokeys, key_versions, keyrings
from tuneform_emulator.services.storage import bucket_iam, uploads
from tuneform_emulator.wire import Route
from tuneform_emulator.world import Worker, World

MODULES: tuple[ModuleType, ...] = (
    operations,
    buckets,
    bucket_iam,
    objects,
    uploads,
    keyrings,
    cryptokeys,
    key_versions,
    service_accounts,
    projects,
    folders,
    service_usage,
    vertex,
)


def collect(world: World) -> tuple[Route, ...]:
    """The routes of all services."""
    return tuple(route for module in MODULES for route in module.routes(world))


def workers() -> tuple[Worker, ...]:
    """What the services run in the background."""
    return tuple(module.worker for module in MODULES if hasattr(module, "worker"))
