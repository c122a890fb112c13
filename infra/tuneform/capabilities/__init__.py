"""What is documented about base models and platforms: dated and sourced data, and the user's own corrections."""

from __future__ import annotations

from tuneform.capabilities.columns import is_region
from tuneform.capabilities.reading import built_in, on, read
from tuneform.capabilities.values import (
    METHODS,
    PUBLISHER,
    Capabilities,
    Cell,
    Method,
    Model,
    Source,
    ValidationRule,
    size_in_bytes,
)

__all__ = [
    "METHODS",
    "PUBLISHER",
    "Capabilities",
    "Cell",
    "Method",
    "Model",
    "Source",
    "ValidationRule",
    "built_in",
    "is_region",
    "on",
    "read",
    "size_in_bytes",
]
