"""What the base models take that are tuned with a dataset, each limit with the document that says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, fields
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic.alias_generators import to_camel

from tuneform.capabilities import Cell, Method, ValidationRule, built_in, size_in_bytes
from tuneform.specs import Dataset, Document, Tree
from tuneform.specs.lineage import base_model, parents

ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class Limit(Generic[ValueT]):
    """A limit, and the document that says it."""

    value: ValueT
    source: str


@dataclass(frozen=True)
class Limits:
    """Limits of one dataset; None where no document says. `training_file` is in bytes, the others count."""

    tokens_per_example: Limit[int] | None = None
    text_examples: Limit[int] | None = None
    multimodal_examples: Limit[int] | None = None
    training_file: Limit[int] | None = None
    validation_examples: Limit[ValidationRule] | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Limits:
        """The reverse of `to_json`. Raises AttributeError, KeyError, TypeError or ValueError where it is not that."""
        found: dict[str, Limit[Any]] = {}
        for field in fields(cls):
            if (limit := value.get(to_camel(field.name))) is not None:
                # Numbers may arrive as floats.
                read = _rule if field.name == "validation_examples" else int
                found[field.name] = Limit(read(limit["value"]), str(limit["source"]))
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is not known is left out."""
        known = {name: limit for name, limit in asdict(self).items() if limit is not None}
        return {to_camel(name): limit for name, limit in known.items()}


def _rule(value: Mapping[str, Any]) -> ValidationRule:
    return ValidationRule(**{name: int(number) for name, number in value.items()})


def of_dataset(tree: Tree, document: Document[Dataset]) -> Limits:
    """The strictest of what the jobs need that use the dataset; what is documented of every model where none does."""
    jobs = tree.tunings.get((document.project, document.name), ())
    find = parents(tree, document.project)
    bases = dict.fromkeys((base_model(job, find), job.method) for job in jobs)  # each once, in order
    models = [(tree.known.find(base) if base else None, method) for base, method in bases]
    return strictest(model.method(method) for model, method in models if model) if jobs else documented()


@cache
def documented() -> Limits:
    """The limits of supervised tuning that hold for every model in the documents that come with tuneform."""
    return strictest(model.supervised for model in built_in().models.values())


def strictest(methods: Iterable[Method]) -> Limits:
    """Of each limit the strictest that is known."""
    methods = list(methods)

    def least(name: str, size: Callable[[Any], Any] = int) -> Limit[Any] | None:
        cells: list[Cell[Any]] = [getattr(method, name) for method in methods]
        known = [Limit(cell.value, str(cell.source)) for cell in cells if cell.value is not None]
        return min(known, key=lambda limit: size(limit.value), default=None)

    file = least("training_file", size_in_bytes)
    return Limits(
        tokens_per_example=least("tokens_per_example"),
        text_examples=least("text_examples"),
        multimodal_examples=least("multimodal_examples"),
        training_file=Limit(size_in_bytes(file.value), file.source) if file else None,
        validation_examples=least("validation_examples", astuple),
    )
