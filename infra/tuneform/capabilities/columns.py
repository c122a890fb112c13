"""Which cells there are, what their values look like, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from tuneform.capabilities.values import METHODS, ValidationRule

RANKS = (1, 2, 4, 8, 16, 32)
MODALITIES = ("text", "image", "audio", "video", "document")
_REGION = re.compile(r"[a-z]+(-[a-z]+)+[0-9]+")
_MULTI_REGIONS = ("us", "eu")
_SIZE = re.compile(r"[1-9][0-9]*(KB|MB|GB)")
_RULE = ("most", "percent_of_training", "percent_above")


def is_region(location: str) -> bool:
    """Whether the location is a region, such as us-central1, rather than global or a multi-region."""
    return bool(_REGION.fullmatch(location))


@dataclass(frozen=True)
class Shape:
    """What a value looks like: in words, and as a function that gives the value or None where it is not of it."""

    words: str
    read: Callable[[Any], Any]
    ordered: bool = False
    """Whether "at least" means something."""


@dataclass(frozen=True)
class Column:
    """One cell of every model: its path in a file (`supervised.adapter_sizes`), its shape and its meaning."""

    name: str
    shape: Shape
    meaning: str


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _texts(value: Any, good: Callable[[str], object]) -> tuple[str, ...] | None:
    sound = isinstance(value, list) and value and all(isinstance(one, str) and good(one) for one in value)
    return tuple(value) if sound and len(set(value)) == len(value) else None


def _ranks(value: Any) -> tuple[int, ...] | None:
    sound = isinstance(value, list) and value and all(type(one) is int and one in RANKS for one in value)
    return tuple(sorted(value)) if sound and len(set(value)) == len(value) else None


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _rule(value: Any) -> ValidationRule | None:
    if not isinstance(value, dict) or set(value) != set(_RULE) or not all(map(_whole, value.values())):
        return None
    return ValidationRule(**value) if value["percent_of_training"] <= 100 else None


DAY = Shape("a day, such as 2027-05-19", _day, ordered=True)
YES_NO = Shape("true or false", lambda value: value if isinstance(value, bool) else None)
WHOLE = Shape("a whole number above 0", _whole, ordered=True)
TEXT = Shape("text", lambda value: value if isinstance(value, str) and value.strip() else None)
NAMES = Shape("a list of names of models", lambda value: _texts(value, str.strip))
REGIONS = Shape('a list of regions, such as ["us-central1"]', lambda value: _texts(value, is_region))
PLACES = Shape(
    'a list of regions, "us" or "eu"',
    lambda value: _texts(value, lambda one: one in _MULTI_REGIONS or is_region(one)),
)
KINDS_OF_DATA = Shape(
    f"a list of {', '.join(MODALITIES)}", lambda value: _texts(value, MODALITIES.__contains__)
)
ADAPTERS = Shape(f"a list of ranks, of {', '.join(map(str, RANKS))}", _ranks)
SIZE = Shape(
    'a size, such as "1GB"',
    lambda value: value if isinstance(value, str) and _SIZE.fullmatch(value) else None,
)
RULE = Shape("{ most = …, percent_of_training = …, percent_above = … }", _rule)
NUMBER = Shape(
    "a number above 0",
    lambda value: value if type(value) in (int, float) and value > 0 else None,
    ordered=True,
)
LIST = Shape(
    "a list of texts or numbers",
    lambda value: (
        tuple(value)
        if isinstance(value, list) and all(isinstance(one, str) or type(one) is int for one in value)
        else None
    ),
)

_MODEL = (
    Column("released", DAY, "first day"),
    Column("retirement", DAY, "last day that is promised"),
    Column("replacements", NAMES, "what is proposed instead, whether or not it can be tuned"),
    Column("tuning_locations", REGIONS, "where it is tuned"),
    Column("serving_locations", PLACES, "where a tuned one serves"),
    Column("customer_managed_keys", YES_NO, "whether it is tuned with a key of your own"),
    Column("intermediate_checkpoints", YES_NO, "whether there are checkpoints before the last"),
    Column("continuous_tuning", YES_NO, "whether a tuned one can be tuned further"),
    Column("thinking_when_tuned", TEXT, "what to set thinking to when a tuned one is asked"),
)
_METHOD = (
    Column("offered", YES_NO, "whether it is tuned this way"),
    Column("adapter_sizes", ADAPTERS, "ranks of the adapter"),
    Column("modalities", KINDS_OF_DATA, "what examples may hold"),
    Column("tokens_per_example", WHOLE, "most tokens of one example, question and answer"),
    Column("text_examples", WHOLE, "most training examples, all of text"),
    Column("multimodal_examples", WHOLE, "most training examples, with media"),
    Column("training_file", SIZE, "largest training file"),
    Column("validation_examples", RULE, "most validation examples"),
    Column("most_epochs", WHOLE, "most epochs"),
)
_IN_FULL = ("supervised", "preference")
"""The methods that tuneform knows more of than whether they are offered."""

RETIREMENT = tuple(column for column in _MODEL if column.name in ("retirement", "replacements"))
"""The cells of a model that is gone."""
MODEL: tuple[Column, ...] = (
    *_MODEL,
    *(
        replace(column, name=f"{method}.{column.name}")
        for method in METHODS.values()
        for column in (_METHOD if method in _IN_FULL else _METHOD[:1])
    ),
)
"""The cells of a model."""

VERTEX: Mapping[str, Shape] = {
    "tuning_location": TEXT,
    "concurrent_tuning_jobs": WHOLE,
    "service_level_agreement": YES_NO,
    "controlled_generation": TEXT,
    "billed_tokens": TEXT,
    "preference_billed_tokens": TEXT,
    "methods_in_v1": LIST,
    "methods_in_v1beta1": LIST,
    "adapter_sizes_in_api": ADAPTERS,
    "batch_size": TEXT,
    "checkpoints": TEXT,
    "continuous_key": TEXT,
    "default_adapter_size": WHOLE,
    "default_epochs": WHOLE,
    "default_learning_rate": NUMBER,
    "least_examples": WHOLE,
    "images_per_example": TEXT,
    "audio_per_example": TEXT,
    "video_per_example": TEXT,
    "documents_per_example": TEXT,
    "tuned_model_retirement": TEXT,
    "tuning_before_retirement": TEXT,
}
GEMINI_API: Mapping[str, Shape] = {
    "tunable_models": LIST,
    "last_tunable_model": TEXT,
    "last_tunable_model_retired": TEXT,
    "input_characters": WHOLE,
    "output_characters": WHOLE,
    "training_file": SIZE,
    "least_examples": WHOLE,
    "advised_examples": TEXT,
    "modalities": KINDS_OF_DATA,
    "turns": TEXT,
    "system_instruction": YES_NO,
    "json_mode": YES_NO,
    "tuned_model_input_characters": WHOLE,
    "default_epochs": WHOLE,
    "default_batch_size": WHOLE,
    "default_learning_rate": NUMBER,
    "default_learning_rate_multiplier": NUMBER,
    "validation_examples": WHOLE,
    "most_examples": WHOLE,
    "intermediate_checkpoints": YES_NO,
    "customer_managed_keys": YES_NO,
    "tuning_locations": PLACES,
}
