"""Which base models can be tuned, where, and with which adapter sizes.

The emulator keeps its own table: it stands in for the service, so it must not borrow tuneform's.
Source for every `gemini-2.5` and newer row: "About supervised fine-tuning for Gemini models", Google Cloud, last
updated 2026-09-25. Source for the `gemini-2.0` rows: the same page as it stood in 2025, when 2.0 Flash was current.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    """Where it can be tuned; empty: in every region."""
    customer_managed_keys: bool = True


BASE_MODELS: Mapping[str, BaseModel] = {
    model.name: model
    for model in (
        BaseModel(
            "gemini-3.5-flash", UP_TO_16, 4, ("us-central1", "europe-west4"), customer_managed_keys=False
        ),
        BaseModel(
            "gemini-3.1-flash-lite", UP_TO_16, 4, ("us-central1", "europe-west4"), customer_managed_keys=False
        ),
        BaseModel("gemini-2.5-pro", UP_TO_8, 4),
        BaseModel("gemini-2.5-flash", UP_TO_16, 4),
        BaseModel("gemini-2.5-flash-lite", UP_TO_16, 4),
        BaseModel("gemini-2.0-flash-001", UP_TO_8, 4),
        BaseModel("gemini-2.0-flash-lite-001", UP_TO_8, 4),
    )
}

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
