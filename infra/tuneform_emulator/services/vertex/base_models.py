"""Which base models can be tuned, where, and with which adapter sizes.

The emulator keeps its own table: it stands in for the service, so it must not borrow tuneform's. A test sends the same
cases to both.
Source for every `gemini-2.5` and newer row: "About supervised fine-tuning for Gemini models", Google Cloud, last
updated 2026-09-25. Source for the `gemini-2.0` rows: the same page as it stood in 2025, when 2.0 Flash was current;
they are tuned here though they were to be gone on 2026-06-01. What the page does not say of a model, such as places and
keys of the 2.5 ones, is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UP_TO_8 = (1, 2, 4, 8)
UP_TO_16 = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class BaseModel:
    """What the documentation says about tuning one base model."""

    name: str
    adapter_sizes: tuple[int, ...]
    default_adapter_size: int
    """The page says "recommended value" without naming it; 4 is what real 1.5 Pro and 2.x jobs resolved to."""
    locations: tuple[str, ...] = ()
    """Where it can be tuned; empty where the page does not say: in every region."""
    serving: tuple[str, ...] = ()
    """Where it serves once it is tuned; empty where the page does not say: wherever it is deployed."""
    customer_managed_keys: bool = True

    def home(self, location: str) -> str:
        """Where a job that is tuned in this location deploys its checkpoints.

        Where the model serves from multi-regions only, in the one around the location ("About reinforcement learning
        fine-tuning for Gemini models", Google Cloud, as read on 2026-10-03: us for us-central1, eu for europe-west4).
        """
        return location[:2] if self.serving else location


_SINCE_3 = (("us-central1", "europe-west4"), ("us", "eu"), False)
_REGION = re.compile(r"[a-z]+(-[a-z]+)+[0-9]+")

BASE_MODELS: Mapping[str, BaseModel] = {
    model.name: model
    for model in (
        BaseModel("gemini-3.5-flash", UP_TO_16, 4, *_SINCE_3),
        BaseModel("gemini-3.1-flash-lite", UP_TO_16, 4, *_SINCE_3),
        BaseModel("gemini-2.5-pro", UP_TO_8, 4),
        BaseModel("gemini-2.5-flash", UP_TO_16, 4),
        BaseModel("gemini-2.5-flash-lite", UP_TO_16, 4),
        BaseModel("gemini-2.0-flash-001", UP_TO_8, 4),
        BaseModel("gemini-2.0-flash-lite-001", UP_TO_8, 4),
    )
}


def is_region(location: str) -> bool:
    """Whether a location is a region, which the page has models tuned in, rather than global or a multi-region."""
    return bool(_REGION.fullmatch(location))


def of_model(model: Mapping[str, Any]) -> BaseModel:
    """The base model that a Model resource was tuned from."""
    uri: str = model["baseModelSource"]["genieSource"]["baseModelUri"]
    return BASE_MODELS[uri.rpartition("/")[2]]


ADAPTER_SIZES: Mapping[str, int] = {
    "ADAPTER_SIZE_UNSPECIFIED": 0,
    "ADAPTER_SIZE_ONE": 1,
    "ADAPTER_SIZE_FOUR": 4,
    "ADAPTER_SIZE_EIGHT": 8,
    "ADAPTER_SIZE_SIXTEEN": 16,
    "ADAPTER_SIZE_THIRTY_TWO": 32,
    "ADAPTER_SIZE_TWO": 2,
}
"""Ranks by enum name, in the order of the enum's numbers 0 to 6 (aiplatform_v1 `SupervisedHyperParameters`)."""

ADAPTER_SIZE_NAMES: Mapping[int, str] = {rank: name for name, rank in ADAPTER_SIZES.items()}
