"""What a Dataset asks for, in the form that the provider receives: plain camelCase JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tuneform.datasets.limits import Limits, documented
from tuneform.errors import DatasetErrors, Diagnostic
from tuneform.specs.kinds.dataset import Dataset

SplitName = Literal["training", "validation", "test"]
FORMATS = ("auto", "vertex-jsonl", "gemini-pairs", "csv", "preference-jsonl")
_FIELDS = ("training", "validation", "test", "format", "columns", "split", "preamble")
_LIMITS = "limits"
"""Not the user's to write in a Dataset: it goes from the program to the provider."""


@dataclass(frozen=True)
class Part:
    """Where the examples of one split come from: exactly one of the three is set."""

    file: str = ""
    uri: str = ""
    examples: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_json(cls, name: str, value: object) -> Part:
        """`{"file"}`, `{"uri"}`, `{"examples": [{"input", "output"}]}`, or a plain path or gs:// URI."""
        if isinstance(value, str):
            value = {"uri": value} if value.startswith("gs://") else {"file": value}
        if not isinstance(value, Mapping) or len(value) != 1:
            raise _wrong(f"{name} must be exactly one of file, uri and examples")
        ((key, content),) = value.items()
        if key == "file" and isinstance(content, str) and content:
            return cls(file=content)
        if key == "uri" and isinstance(content, str) and content:
            return cls(uri=content)
        if key == "examples" and isinstance(content, list | tuple):
            return cls(examples=tuple(_pair(name, index, item) for index, item in enumerate(content, 1)))
        raise _wrong(f"{name} must be exactly one of file, uri and examples, and not empty")

    def to_json(self) -> dict[str, Any]:
        """The reverse of `from_json`."""
        if self.file:
            return {"file": self.file}
        if self.uri:
            return {"uri": self.uri}
        return {"examples": [{"input": prompt, "output": output} for prompt, output in self.examples]}


@dataclass(frozen=True)
class Fractions:
    """How much of the training examples goes to validation and test (0 to 1), and the seed that decides which."""

    validation: float = 0.0
    test: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class DatasetSource:
    """A dataset as asked for. `columns` are the CSV columns (input, output), when named.

    `preamble` goes before the prompt of every example, with a blank line between. `limits` are what the base models
    take that are tuned with it.
    """

    training: Part
    validation: Part | None = None
    test: Part | None = None
    format: str = "auto"
    columns: tuple[str, str] | None = None
    split: Fractions = Fractions()
    preamble: str = ""
    limits: Limits = field(default_factory=documented)

    @classmethod
    def from_spec(cls, spec: Dataset, limits: Limits | None = None) -> DatasetSource:
        """The source that a Dataset document's spec describes."""
        plain = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
        # Columns that the user did not name are found by the header, not by the model's defaults.
        left_out = {"columns"} - spec.model_fields_set
        found = cls.from_json({key: plain[key] for key in _FIELDS if key in plain and key not in left_out})
        return replace(found, limits=limits) if limits else found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DatasetSource:
        """The source in JSON form. Raises DatasetErrors when it is not one."""
        if unknown := sorted(set(value) - {*_FIELDS, _LIMITS}):
            raise _wrong(f"unknown field {unknown[0]!r}", hint=f"the fields are {', '.join(_FIELDS)}")
        if value.get("training") is None:
            raise _wrong("training is missing")
        parts = {name: _part(name, value.get(name)) for name in ("validation", "test")}
        fractions = _fractions(value.get("split") or {})
        for name, fraction in (("validation", fractions.validation), ("test", fractions.test)):
            if fraction and parts[name] is not None:
                raise _wrong(
                    f"{name} is given twice: as examples of its own and in split.{name}", hint="remove one"
                )
        file_format = value.get("format") or "auto"
        if file_format not in FORMATS:
            raise _wrong(f"unknown format {file_format!r}", hint=f"the formats are {', '.join(FORMATS)}")
        preamble = value.get("preamble") or ""
        if not isinstance(preamble, str):
            raise _wrong("preamble must be a text")
        return cls(
            training=Part.from_json("training", value["training"]),
            validation=parts["validation"],
            test=parts["test"],
            format=file_format,
            columns=_columns(value.get("columns")),
            split=fractions,
            preamble=preamble.strip(),  # a block of YAML (`|`) ends with a line feed
            limits=_limits(value[_LIMITS]) if _LIMITS in value else documented(),
        )

    @property
    def is_remote(self) -> bool:
        """Whether any part lies in Cloud Storage, so that preparing it needs the network."""
        return any(part is not None and part.uri for part in (self.training, self.validation, self.test))

    def to_json(self) -> dict[str, Any]:
        """The source as plain JSON; what is not set is left out, and `split` too when it asks for nothing."""
        parts = {"training": self.training, "validation": self.validation, "test": self.test}
        plain: dict[str, Any] = {name: part.to_json() for name, part in parts.items() if part is not None}
        plain["format"] = self.format
        if self.columns:
            plain["columns"] = {"input": self.columns[0], "output": self.columns[1]}
        if self.split != Fractions():
            split = self.split
            plain["split"] = {"validation": split.validation, "test": split.test, "seed": split.seed}
        if self.preamble:
            plain["preamble"] = self.preamble
        if self.limits != documented():
            plain[_LIMITS] = self.limits.to_json()
        return plain


def _wrong(message: str, *, hint: str = "") -> DatasetErrors:
    return DatasetErrors([Diagnostic("E203", message, hint=hint)])


def _part(name: str, value: object) -> Part | None:
    return None if value is None else Part.from_json(name, value)


def _pair(name: str, index: int, item: object) -> tuple[str, str]:
    if not isinstance(item, Mapping) or set(item) != {"input", "output"}:
        raise _wrong(f"{name}: example {index}: an inline example has input and output, and nothing else")
    prompt, output = item["input"], item["output"]
    if not isinstance(prompt, str) or not isinstance(output, str):
        raise _wrong(f"{name}: example {index}: input and output must be texts", hint="put numbers in quotes")
    return prompt, output


def _columns(value: object) -> tuple[str, str] | None:
    if value is None:
        return None
    if isinstance(value, Mapping) and set(value) == {"input", "output"}:
        prompt, output = value["input"], value["output"]
        if isinstance(prompt, str) and isinstance(output, str) and prompt != output:
            return prompt, output
    raise _wrong("columns must name two different columns: {input: ..., output: ...}")


def _limits(value: object) -> Limits:
    try:
        return Limits.from_json(value)  # type: ignore[arg-type] # what is no object raises
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _wrong("limits are not what tuneform writes", hint="leave them out") from error


def _fractions(value: object) -> Fractions:
    if not isinstance(value, Mapping) or set(value) - {"validation", "test", "seed"}:
        raise _wrong("split must be {validation, test, seed}")
    shares = [value.get(name) or 0.0 for name in ("validation", "test")]
    for share in shares:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise _wrong("split.validation and split.test are shares of 1: from 0 to below 1")
    seed = value.get("seed", 1)
    if isinstance(seed, bool) or not isinstance(seed, int | float) or not float(seed).is_integer():
        raise _wrong("split.seed must be a whole number")
    return Fractions(float(shares[0]), float(shares[1]), int(seed))
