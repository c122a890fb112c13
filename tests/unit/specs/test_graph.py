from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.errors import SpecErrors
from tuneform.specs import load
from tuneform.specs.graph import CycleError, Key, ordered

from .bad_specs import FURTHER, PROJECT


def test_needs_come_first_and_ties_go_by_name() -> None:
    needs: dict[Key, list[Key]] = {
        ("c",): [("a",)],
        ("b",): [("d",)],
        ("a",): [],
        ("d",): [("a",), ("not there",)],
    }
    assert ordered(needs) == [("a",), ("c",), ("d",), ("b",)]


def test_a_cycle_is_named_from_its_smallest_member() -> None:
    needs: dict[Key, list[Key]] = {("x",): [("b",)], ("b",): [("c",)], ("c",): [("a",)], ("a",): [("b",)]}
    with pytest.raises(CycleError) as caught:
        ordered(needs)
    assert caught.value.chain == (("a",), ("b",), ("c",), ("a",))


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=3)))
def test_every_key_comes_after_its_needs_or_there_is_a_cycle(edges: dict[int, set[int]]) -> None:
    needs: dict[Key, list[Key]] = {
        (str(key),): [(str(need),) for need in wanted] for key, wanted in edges.items()
    }
    chain: tuple[Key, ...] = ()
    result: list[Key] = []
    try:
        result = ordered(needs)
    except CycleError as cycle:
        chain = cycle.chain
    if chain:
        assert all(need in needs[key] for key, need in pairwise(chain))
        assert chain[0] == chain[-1]
        return
    assert sorted(result) == sorted(needs)
    assert all(need in result[: result.index(key)] for key in needs for need in needs[key] if need in needs)


def test_documents_that_need_each_other_are_an_error_at_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loops = [
        FURTHER.replace("name: further", f"name: {name}").replace("{ref: words}", f"{{ref: {after}}}", 1)
        for name, after in [("one", "two"), ("two", "one")]
    ]
    Path("a.yaml").write_text("---\n".join([PROJECT, *loops]))
    with pytest.raises(SpecErrors) as caught:
        load(Path("a.yaml"))
    (found,) = (d for d in caught.value.diagnostics if d.code == "E142")
    assert (found.code, str(found.position)) == ("E142", "a.yaml:10:24")
    assert found.message == "documents need each other: TuningJob 'one' → TuningJob 'two' → TuningJob 'one'"
