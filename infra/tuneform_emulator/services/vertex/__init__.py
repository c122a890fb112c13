"""Vertex AI: tuning jobs, models, endpoints and the answers they give, metadata and TensorBoards.

The same handlers serve v1 and v1beta1.
"""

from __future__ import annotations

from tuneform_emulator import wire
from tuneform_emulator.services.vertex import endpoints, generate, metadata, models, tensorboards, tuning_jobs
from tuneform_emulator.services.vertex.tuning_runner import worker
from tuneform_emulator.world import World

__all__ = ["routes", "worker"]


def routes(world: World) -> tuple[wire.Route, ...]:
    """Everything that is served here."""
    modules = (tuning_jobs, models, endpoints, generate, metadata, tensorboards)
    return tuple(route for module in modules for route in module.routes(world))
