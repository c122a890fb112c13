"""Layers of a spec: which value counts, whose it is, and what null takes away."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.specs.kinds import KINDS, SpecModel
from tuneform.specs.kinds.base import BucketRef
from tuneform.specs.kinds.dataset import Source
from tuneform.specs.shape import fields
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.nodes import Value
from tuneform.specs.text.source import Source as Text
from tuneform.specs.tree import Origin, Written
from tuneform.specs.typed.layers import Layer, Merge, merging, nulls, without_nulls

FILE = SpecFile(Text(Path("a.yaml"), ""))
PROJECT = SpecFile(Text(Path("project.yaml"), ""))


class Leaf(SpecModel):
    one: int = 0
    two: int = 0


class Branch(SpecModel):
    leaf: Leaf = Leaf()
    other: Leaf = Leaf()
    size: int = 0
    names: tuple[str, ...] = ()
    bucket: BucketRef | None = None
    source: Source | None = None


class Root(SpecModel):
    branch: Branch = Branch()
    leaf: Leaf = Leaf()
    size: int = 0


Mapped = Mapping[str, Value]


def merged(
    spec: Mapped, over: Mapped | None = None, defaults: Mapped | None = None, model: type[SpecModel] = Branch
) -> tuple[Mapped, Origin, Merge]:
    merge = Merge(Written(FILE, 0))
    outcome = dict(spec)
    if defaults is not None:
        outcome = merge.below(model, outcome, Layer(defaults, Written(PROJECT, 0, ("spec", "defaults", "K"))))
    if over is not None:
        outcome = merge.above(model, outcome, Layer(over, Written(FILE, 0, ("in", "dev"))))
    return outcome, Origin(FILE, 0, {"spec": outcome}, "dev", merge.layers), merge


def test_mappings_merge_by_field_and_lists_values_and_references_replace() -> None:
    spec: Mapped = {"leaf": {"one": 1, "two": 2}, "size": 1, "names": ("a", "b"), "bucket": {"ref": "x"}}
    over: Mapped = {"leaf": {"two": 3}, "size": 4, "names": ("c",), "bucket": {"ref": "y"}}
    outcome, _, _ = merged(spec, over)
    assert outcome == {"leaf": {"one": 1, "two": 3}, "size": 4, "names": ("c",), "bucket": {"ref": "y"}}


def test_a_source_of_examples_is_replaced_as_a_whole() -> None:
    outcome, _, _ = merged({"source": {"file": "a.csv"}}, {"source": {"uri": "gs://b-b/a"}})
    assert outcome == {"source": {"uri": "gs://b-b/a"}}
    outcome, _, _ = merged({"source": "a.csv"}, defaults={"source": {"uri": "gs://b-b/a"}})
    assert outcome == {"source": "a.csv"}


def test_every_model_of_which_one_field_is_chosen_is_replaced() -> None:
    """Merged, two sources would become both: what is one of several must not be put together of two."""

    def models(model: type[SpecModel]) -> set[type[SpecModel]]:
        inner = {field.model for field in fields(model).values() if field.model}
        return {model}.union(*(models(one) for one in inner))

    chosen = {
        model
        for kind in KINDS.values()
        for model in models(kind) - {kind}
        if isinstance(extra := model.model_config.get("json_schema_extra"), dict) and "oneOf" in extra
    }
    assert chosen
    assert all(model.replaced for model in chosen)


def test_null_takes_away_what_spec_or_the_defaults_say() -> None:
    outcome, _, merge = merged(
        {"leaf": {"one": 1, "two": 2}}, {"leaf": {"one": None}, "size": None}, {"size": 3, "names": ("a",)}
    )
    assert (outcome, merge.nothing) == ({"leaf": {"two": 2}, "names": ("a",)}, [])


@pytest.mark.parametrize(
    ("over", "path"),
    [({"size": None}, ("size",)), ({"leaf": {"one": None}}, ("leaf", "one"))],
    ids=["at the top", "in a mapping that is new"],
)
def test_null_with_nothing_to_take_away_is_told_with_its_place(over: Mapped, path: tuple[str, ...]) -> None:
    _, _, merge = merged({"names": ("a",)}, over)
    assert merge.nothing == [Written(FILE, 0, ("in", "dev", *path))]


def test_null_in_spec_takes_a_default_away_and_is_else_left_to_the_kind() -> None:
    outcome, origin, _ = merged({"size": None, "bucket": None}, defaults={"size": 3})
    assert outcome == {"bucket": None}
    assert origin.written("spec", "size") == Written(FILE, 0, ("spec", "size"))


def test_in_wins_over_spec_and_spec_over_the_defaults() -> None:
    outcome, origin, _ = merged(
        {"leaf": {"one": 2}}, {"leaf": {"two": 3}}, {"leaf": {"one": 0, "two": 1}, "other": {"one": 5}}
    )
    assert outcome == {"leaf": {"one": 2, "two": 3}, "other": {"one": 5}}
    assert origin.written("spec", "leaf", "one") == Written(FILE, 0, ("spec", "leaf", "one"))
    assert origin.written("spec", "leaf", "two") == Written(FILE, 0, ("in", "dev", "leaf", "two"))
    assert origin.written("spec", "other", "one").path == ("spec", "defaults", "K", "other", "one")
    assert origin.written("spec", "other").file is PROJECT
    # What is said nowhere would be said in the document.
    assert origin.written("spec", "size") == Written(FILE, 0, ("spec", "size"))


def test_what_was_known_of_places_inside_a_value_goes_with_it() -> None:
    _, origin, _ = merged({"leaf": {"two": 1}}, {"leaf": None}, {"leaf": {"one": 1}})
    assert origin.written("spec", "leaf", "one").path == ("in", "dev", "leaf", "one")


# Layers over Root by its fields, nested twice; null anywhere.
SMALL = st.none() | st.integers(0, 3)
LEAF = st.dictionaries(st.sampled_from(["one", "two"]), SMALL)
BRANCH = st.fixed_dictionaries({}, optional={"leaf": LEAF | st.none(), "other": LEAF, "size": SMALL})
ROOT = st.fixed_dictionaries({}, optional={"branch": BRANCH | st.none(), "leaf": LEAF, "size": SMALL})


def patched(target: Value, patch: Value) -> Value:
    """RFC 7396, JSON Merge Patch, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


@settings(deadline=None)
@given(ROOT, ROOT)
def test_the_outcome_is_that_of_json_merge_patch(spec: dict[str, Value], over: dict[str, Value]) -> None:
    before = copy.deepcopy((spec, over))
    outcome, _, merge = merged(spec, over, model=Root)
    assert outcome == patched(spec, over)
    assert (spec, over) == before, "what the layers are made of is shared with other documents"
    assert len(merge.nothing) <= sum(1 for _ in nulls(Root, over))


@settings(deadline=None)
@given(ROOT, ROOT)
def test_defaults_below_are_a_patch_by_the_spec(spec: dict[str, Value], defaults: dict[str, Value]) -> None:
    """But that a null with nothing below it stays, for the kind to judge."""
    below = without_nulls(Root, defaults)
    outcome, _, _ = merged(spec, defaults=below, model=Root)
    assert without_nulls(Root, outcome) == patched(below, spec)


@settings(deadline=None)
@given(ROOT, ROOT, ROOT)
def test_every_value_is_where_its_place_says(
    spec: dict[str, Value], over: dict[str, Value], defaults: dict[str, Value]
) -> None:
    defaults = without_nulls(Root, defaults)
    outcome, origin, _ = merged(spec, over, defaults, model=Root)
    layers = {"in": over, "spec": spec, "defaults": defaults}

    def look(value: Value, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                look(inner, (*path, name))
            return
        place = origin.written("spec", *path)
        layer = "defaults" if place.file is PROJECT else str(place.path[0])
        found: Value = layers[layer]
        for step in place.path[{"in": 2, "spec": 1, "defaults": 3}[layer] :]:
            assert isinstance(found, dict)
            found = found[str(step)]
        assert found == value

    look(dict(outcome), ())


def test_fields_that_merge_are_those_of_models_that_merge() -> None:
    assert merging(Branch, "leaf") is Leaf
    assert [merging(Branch, name) for name in ("bucket", "source", "names", "size", "nothing")] == [None] * 5
