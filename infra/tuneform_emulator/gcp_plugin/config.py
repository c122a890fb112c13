"""The provider's own settings: gcp:project and its like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .resources import Context
from .rest import Rest, loopback_endpoint
from .schema_check import Problem, Shape, input_type, problems
from .values import Unknown, reveal

SUPPORTED: Shape = {
    "addPulumiAttributionLabel": {},
    "billingProject": {},
    "defaultLabels": {},
    "disableGooglePartnerName": {},
    "project": {},
    "region": {},
    "userProjectOverride": {},
    "zone": {},
}
ENGINE_KEYS = frozenset({"version", "pluginDownloadURL"})
"""Settings that the engine puts beside the provider's."""


def config_problems(args: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything wrong with the settings, by pulumi-gcp's ProviderArgs."""
    given = {name: value for name, value in _decoded(args).items() if name not in ENGINE_KEYS}
    return tuple(problems(given, input_type("pulumi_gcp", "ProviderArgs"), SUPPORTED))


def context_from(args: Mapping[str, Any], environment: Mapping[str, str]) -> Context:
    """The connection and settings; raises `PluginError` unless TUNEFORM_ENDPOINT is loopback."""
    endpoint = loopback_endpoint(environment.get("TUNEFORM_ENDPOINT", ""))
    settings = {
        name: value for name, value in reveal(_decoded(args)).items() if not isinstance(value, Unknown)
    }
    return Context(
        rest=Rest(endpoint),
        project=settings.get("project", ""),
        default_labels=settings.get("defaultLabels", {}),
        attribution=settings.get("addPulumiAttributionLabel", True),
    )


def _decoded(args: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that are not texts arrive as JSON in a text (pulumi provider protocol, Configure)."""
    return {name: _json(value) if name not in TEXTS else value for name, value in args.items()}


TEXTS = frozenset({"project", "region", "zone", "billingProject", "version", "pluginDownloadURL"})


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
