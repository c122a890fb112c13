"""What every kind is made of: the base model, metadata, references and the small value types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

NAME = re.compile(r"[a-z]([-a-z0-9]{0,21}[a-z0-9])?")
DURATION = re.compile(r"(?:[0-9]{1,12}[smhdw])+")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
RESERVED_LABEL_PREFIX = "tuneform-"
_LABEL_LENGTH = 63
_PLAIN_LABEL = re.compile("[a-z0-9_-]*")
_SHOWN = 80
_A_NAME = "a name: at most 23 of a-z, 0-9 and '-', a letter first, no dash last"
_LONGEST = timedelta(days=36500)


def problem(
    code: str, message: str, *, hint: str = "", at: tuple[str | int, ...] = ()
) -> PydanticCustomError:
    """A validation error with one of our codes; `at` leads from the model to the field that is meant."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint, "at": at})


def shown(value: object) -> str:
    """A value as a message shows it: like Python writes it, cut short."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


class SpecModel(BaseModel):
    """Strict, frozen, camelCase outside and snake_case inside; a field it does not know is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        allow_inf_nan=False,
    )

    not_yet: ClassVar[Mapping[str, str]] = {}
    """Fields refused by name, each with what to do instead."""

    values_not_yet: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Values that the API knows and tuneform does not support yet, by the field's name in YAML."""

    replaced: ClassVar[bool] = False
    """Whether a mapping of this model replaces one that lies below it, rather than being merged with it."""

    identifying: ClassVar[frozenset[str]] = frozenset()
    """Fields that name what is live, by their names in YAML: as defaults, all documents would claim the same thing."""


@dataclass(frozen=True)
class Matching(AfterValidator):
    """A validator of text that has a pattern, which the JSON Schema shows too; `form` says it in words."""

    pattern: str = ""
    form: str = ""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """See pydantic. JSON Schema looks for a pattern anywhere in a text unless it is bound to both ends; the message
        is for the YAML language server, which shows it in place of the pattern.
        """
        said = {"patternErrorMessage": f"this is not {self.form}"}
        return {**handler(core), "pattern": f"^(?:{self.pattern})$", **said}


def one_of(*names: str, at_least: bool = False) -> ConfigDict:
    """A model's configuration that tells the JSON Schema what a validator of the model demands: one of these fields."""
    return ConfigDict(
        json_schema_extra={"anyOf" if at_least else "oneOf": [{"required": [name]} for name in names]}
    )


def matching(pattern: str, form: str) -> Matching:
    """A validator for text that must match `pattern` as a whole; `form` says so in words."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise problem("E127", f"{shown(value)} is not {form}")
        return value

    return Matching(check, pattern, form)


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise problem("E128", f"{shown(value)} is not {_A_NAME}")
    return value


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not DURATION.fullmatch(value):
        raise problem(
            "E127", f"{shown(value)} is not a duration", hint="write a number and a unit: 30m, 6h, 90d, 1d12h"
        )
    seconds = _seconds(value)
    if not 0 < seconds <= _LONGEST.total_seconds():
        raise problem("E127", f"{shown(value)} is not a duration between a second and a hundred years")
    return timedelta(seconds=seconds)


@lru_cache(maxsize=1_000)
def _seconds(duration: str) -> int:
    """The length of a duration, of which thousands of documents share a few."""
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d{1,12})([smhdw])", duration))


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _label_characters(value: str) -> bool:
    # Nearly all labels are plain, and every one of thousands of documents has some.
    return _PLAIN_LABEL.fullmatch(value) is not None or all(
        c in "_-" or c.isdigit() or (c.isalpha() and not c.isupper()) for c in value
    )


def _label_key(value: str) -> str:
    if value.startswith(RESERVED_LABEL_PREFIX):
        raise problem(
            "E129", f"label key {shown(value)}: the prefix {RESERVED_LABEL_PREFIX!r} is tuneform's own"
        )
    if not (0 < len(value) <= _LABEL_LENGTH and value[0].isalpha() and _label_characters(value)):
        raise problem(
            "E129",
            f"{shown(value)} is not a label key: at most 63 of a-z, 0-9, '_' and '-', a letter first",
        )
    return value


def _label_value(value: str) -> str:
    if not (len(value) <= _LABEL_LENGTH and _label_characters(value)):
        raise problem("E129", f"{shown(value)} is not a label value: at most 63 of a-z, 0-9, '_' and '-'")
    return value


def _each_once(projects: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    if info.data.get("project") is not None:
        raise problem("E130", "'project' and 'projects' exclude each other", hint="keep one of them")
    for index, name in enumerate(projects):
        if name in projects[:index]:
            raise problem("E127", f"{name!r} is named twice", hint="name it once", at=(index,))
    return projects


Name = Annotated[str, Matching(_name, NAME.pattern, _A_NAME)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=f"^{DURATION.pattern}$")]),
]
Whole = Annotated[
    int,
    # Other readers of YAML take a number with underscores for text.
    BeforeValidator(_whole, json_schema_input_type=int | Annotated[str, Field(pattern="^[0-9]+(_[0-9]+)+$")]),
]
"""An integer; 4.0 is 4."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Labels = dict[Annotated[str, AfterValidator(_label_key)], Annotated[str, AfterValidator(_label_value)]]
"""Google Cloud labels: https://cloud.google.com/resource-manager/docs/labels-overview#requirements."""
DeletionPolicy = Literal["Delete", "Retain"]
Text = Annotated[str, Field(min_length=1)]


class Metadata(SpecModel):
    """Who a document is."""

    name: Name
    """What references call it and, unless said otherwise, what it is called live."""
    project: Name | None = None
    """Name of a Project document; may be left out where there is exactly one."""
    projects: Annotated[
        tuple[Name, ...],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
    ] = ()
    """Names of several Project documents that this document is for, instead of `project`; `in` says what differs."""
    labels: Labels = Field(default_factory=dict)
    """Google Cloud labels, added to those of the project."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Free text for people and other programs; never sent to Google Cloud."""
    previous_names: tuple[Name, ...] = ()
    """Names this document had before a rename: what is live under them goes on under the new one."""


class Referring(SpecModel):
    """A mapping whose `ref`, where it has one, names another document of the same project, of the kind `target`."""

    replaced = True
    target: ClassVar[str] = ""


class Ref(Referring):
    """`{ref: name}` and nothing else. Subclasses say of which kind."""

    ref: str
    """The other document's metadata.name."""


class BucketRef(Ref):
    """A DatasetBucket."""

    target = "DatasetBucket"


class KeyRef(Ref):
    """An EncryptionKey."""

    target = "EncryptionKey"


class AccountRef(Ref):
    """A ServiceAccount."""

    target = "ServiceAccount"


class DatasetRef(Ref):
    """A Dataset."""

    target = "Dataset"


class JobRef(Ref):
    """A TuningJob."""

    target = "TuningJob"
