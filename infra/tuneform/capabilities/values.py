"""What is known of a model and of a platform: cells, each with its source, or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, Literal, TypeVar

from tuneform.errors import Diagnostic

PUBLISHER = "publishers/google/models/"
METHODS: Mapping[str, MethodName] = {
    "SUPERVISED": "supervised",
    "PREFERENCE_TUNING": "preference",
    "REINFORCEMENT_TUNING": "reinforcement",
    "DISTILLATION": "distillation",
}
"""The part of a model that says what holds for a `TuningJob.method`."""
MethodName = Literal["supervised", "preference", "reinforcement", "distillation"]

ValueT_co = TypeVar("ValueT_co", covariant=True)


@dataclass(frozen=True)
class Source:
    """A document that a cell comes from, cited by its `key`.

    `day` is the document's own date where it has one (`dated`), else the day of the copy that was read. `file` is
    the user's file that names it, empty for what is built in.
    """

    key: str
    title: str
    day: date
    url: str = ""
    dated: bool = True
    file: str = ""

    def __str__(self) -> str:
        day = self.day.isoformat() if self.dated else f"as read on {self.day.isoformat()}"
        more = [f"in {self.file}"] if self.file else [self.url] if self.url else []
        return ", ".join([repr(self.title), day, *more])


@dataclass(frozen=True)
class Cell(Generic[ValueT_co]):
    """One fact: a value and the document that says it; neither where no document does.

    `at_least`: the document says "or later", "or more".
    """

    value: ValueT_co | None = None
    source: Source | None = None
    at_least: bool = False

    @property
    def says(self) -> str:
        """`says 'Title', 2026-09-25, https://…`: for hints. Only of a cell that is known."""
        return f"says {self.source}"


UNKNOWN: Cell[Any] = Cell()
"""No document says. Not the same as no."""


@dataclass(frozen=True)
class ValidationRule:
    """The most validation examples there may be, and their share of the training examples above some number."""

    most: int
    percent_of_training: int
    percent_above: int

    def allowed(self, training: int) -> int:
        """The most validation examples that go with `training` training examples."""
        share = training * self.percent_of_training // 100
        return min(self.most, max(self.percent_above, share))

    def __str__(self) -> str:
        return (
            f"{self.most:,}, and at most {self.percent_of_training}% of the training examples "
            f"where there are more than {self.percent_above:,}"
        )


@dataclass(frozen=True)
class Method:
    """What holds where a model is tuned by one method. `adapter_sizes` are ranks; `training_file` is as written."""

    offered: Cell[bool] = UNKNOWN
    adapter_sizes: Cell[tuple[int, ...]] = UNKNOWN
    modalities: Cell[tuple[str, ...]] = UNKNOWN
    tokens_per_example: Cell[int] = UNKNOWN
    text_examples: Cell[int] = UNKNOWN
    multimodal_examples: Cell[int] = UNKNOWN
    training_file: Cell[str] = UNKNOWN
    validation_examples: Cell[ValidationRule] = UNKNOWN
    most_epochs: Cell[int] = UNKNOWN


@dataclass(frozen=True)
class Model:
    """A base model by its short name, as Vertex AI's documents have it."""

    name: str
    released: Cell[date] = UNKNOWN
    retirement: Cell[date] = UNKNOWN
    replacements: Cell[tuple[str, ...]] = UNKNOWN
    tuning_locations: Cell[tuple[str, ...]] = UNKNOWN
    serving_locations: Cell[tuple[str, ...]] = UNKNOWN
    customer_managed_keys: Cell[bool] = UNKNOWN
    intermediate_checkpoints: Cell[bool] = UNKNOWN
    continuous_tuning: Cell[bool] = UNKNOWN
    thinking_when_tuned: Cell[str] = UNKNOWN
    supervised: Method = field(default=Method())
    preference: Method = field(default=Method())
    reinforcement: Method = field(default=Method())
    distillation: Method = field(default=Method())

    def method(self, name: str) -> Method:
        """What holds for a `TuningJob.method`."""
        found: Method = getattr(self, METHODS[name])
        return found


@dataclass(frozen=True)
class Capabilities:
    """Everything that is known, on one day.

    `models` by short name, those that are gone among them. `vertex` and `gemini_api` hold what is said of the
    platforms whatever the model. `found` is what is wrong with the user's own files. `today` decides what is
    retired; without it nothing is.
    """

    models: Mapping[str, Model]
    vertex: Mapping[str, Cell[Any]]
    gemini_api: Mapping[str, Cell[Any]]
    found: tuple[Diagnostic, ...] = ()
    today: date | None = None

    def find(self, name: str) -> Model | None:
        """The model of that name, short or as `publishers/google/models/…`; None when no document names it."""
        return self.models.get(name.removeprefix(PUBLISHER))

    def days_left(self, model: Model) -> int | None:
        """Days until the model's documented retirement, negative after it; None where that cannot be said."""
        retirement = model.retirement.value
        return (retirement - self.today).days if retirement and self.today else None


def size_in_bytes(text: str) -> int:
    """The number of bytes of a size as documents write it, `1GB`.

    The larger reading of the unit is taken: to refuse a file that the service accepts would be worse than to let the
    service refuse one, which costs nothing.
    """
    units = {"KB": 2**10, "MB": 2**20, "GB": 2**30}
    return int(text[:-2]) * units[text[-2:]]
