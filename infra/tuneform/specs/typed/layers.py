"""Layers of a spec: what is said `in` a project lies above the document's `spec`, that above the Project's defaults.

Mappings merge field by field; lists, single values, references and sources of examples replace what is below them.
Null takes away what is below it (as in RFC 7396, JSON Merge Patch, where mappings have a model that merges).

Only the fields of the smaller layer are visited, and values are copied along changed paths alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tuneform.specs.kinds import SpecModel
from tuneform.specs.shape import Step, fields
from tuneform.specs.text.nodes import Value
from tuneform.specs.tree import Written

Path = tuple[Step, ...]
SPEC: Path = ("spec",)


@dataclass(frozen=True)
class Layer:
    """A part of a spec, and where it is written."""

    value: Mapping[str, Value]
    at: Written

    def inside(self, name: str, value: Mapping[str, Value]) -> Layer:
        """The layer's mapping of that name."""
        return Layer(value, self.place(name))

    def place(self, name: str) -> Written:
        """Where the layer says something of that name."""
        return Written(self.at.file, self.at.number, (*self.at.path, name))


@dataclass
class Merge:
    """Lays layers on a spec; `layers` gathers whose value each path has, as `Origin` keeps them.

    `nothing` gathers the nulls that have nothing to take away.
    """

    own: Written
    layers: dict[Path, Written] = field(default_factory=dict)
    nothing: list[Written] = field(default_factory=list)

    def below(
        self, model: type[SpecModel], spec: Mapping[str, Value], defaults: Layer, path: Path = SPEC
    ) -> dict[str, Value]:
        """The spec with what it does not say from the defaults. A null in it takes the default away."""
        outcome = dict(spec)
        for name, value in defaults.value.items():
            here = (*path, name)
            if name not in spec:
                outcome[name] = value
                self.layers[here] = defaults.place(name)
                continue
            said, inner = spec[name], merging(model, name)
            if said is None:
                del outcome[name]
                self.layers[here] = Written(self.own.file, self.own.number, here)
            elif inner and isinstance(said, dict) and isinstance(value, dict):
                outcome[name] = self.below(inner, said, defaults.inside(name, value), here)
        return outcome

    def above(
        self, model: type[SpecModel], spec: Mapping[str, Value], over: Layer, path: Path = SPEC
    ) -> dict[str, Value]:
        """The spec with what is laid over it."""
        outcome = dict(spec)
        for name, value in over.value.items():
            here, inner, under = (*path, name), merging(model, name), outcome.get(name)
            if inner and isinstance(value, dict) and isinstance(under, dict):
                outcome[name] = self.above(inner, under, over.inside(name, value), here)
                continue
            if value is None and name in fields(model):
                if name not in outcome:
                    self.nothing.append(over.place(name))
                    continue
                del outcome[name]
            else:
                outcome[name] = self._new(inner, value, over, name)
            self._replace(here, over.place(name))
        return outcome

    def _new(self, inner: type[SpecModel] | None, value: Value, over: Layer, name: str) -> Value:
        """A value with nothing of its kind below it, in which nulls have nothing to take away."""
        if inner is None or not isinstance(value, dict):
            return value
        scratch = Merge(self.own, nothing=self.nothing)
        return scratch.above(inner, {}, over.inside(name, value))

    def _replace(self, path: Path, place: Written) -> None:
        """Note whose value a path has now; what was noted of values inside it is gone with them."""
        for deeper in [known for known in self.layers if known[: len(path)] == path]:
            del self.layers[deeper]
        self.layers[path] = place


def merging(model: type[SpecModel], name: str) -> type[SpecModel] | None:
    """The model of a field whose mappings merge; None where one replaces the other."""
    inner = fields(model)[name].model if name in fields(model) else None
    return inner if inner and not inner.replaced else None


def nulls(model: type[SpecModel], value: Mapping[str, Value], path: Path = ()) -> Iterator[Path]:
    """The paths of known fields that are null, in a part that nothing lies below."""
    for name, inner in value.items():
        if inner is None and name in fields(model):
            yield (*path, name)
        elif (deeper := merging(model, name)) and isinstance(inner, dict):
            yield from nulls(deeper, inner, (*path, name))


def against(
    model: type[SpecModel], spec: Mapping[str, Value], defaults: Mapping[str, Value]
) -> dict[str, Value]:
    """The spec with null for each default that it does not say: above these defaults it comes out as it is."""
    outcome = dict(spec)
    for name, value in defaults.items():
        said, inner = spec.get(name), merging(model, name)
        if name not in spec:
            outcome[name] = None
        elif inner and isinstance(said, dict) and isinstance(value, dict):
            outcome[name] = against(inner, said, value)
    return outcome


def without_nulls(model: type[SpecModel], value: Mapping[str, Value]) -> dict[str, Value]:
    """A part as far as it says something, for a look at it without what it takes away."""
    return {
        name: without_nulls(deeper, inner)
        if (deeper := merging(model, name)) and isinstance(inner, dict)
        else inner
        for name, inner in value.items()
        if inner is not None or name not in fields(model)
    }
