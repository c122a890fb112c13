"""Properties: places are right in any layout, and any text ends in a tree or in errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tuneform.errors import Diagnostic, SpecErrors
from tuneform.specs import load
from tuneform.specs.text.nodes import ListNode, MappingNode, Node, ScalarNode
from tuneform.specs.text.parse import parse
from tuneform.specs.text.source import Source, decode

from .bad_specs import BASE

KEYS = st.text("abcdefgh", min_size=1, max_size=4)
WORDS = st.text("abcxyz é部😀", min_size=1, max_size=8).map(lambda text: f"w{text.strip()}w")
VALUES = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)
LAYOUTS = st.fixed_dictionaries(
    {
        "step": st.integers(1, 5),
        "quote": st.sampled_from(["", "'", '"']),
        "comment": st.sampled_from(["", "  # note: [x", "   "]),
        "end": st.sampled_from(["\n", "\r\n", "\r"]),
        "head": st.sampled_from(["", "---\n", "# about\n--- # this\n", "%YAML 1.2\n---\n", "\n\n"]),
        "colon": st.sampled_from([":", " :", ":  "]),
        "comma": st.sampled_from([", ", ",", " ,  ", ",\n" + " " * 40, " # so\n" + " " * 40 + ", "]),
        "dashes_under_keys": st.booleans(),
        "blank": st.sampled_from(["", "\n", "\n# about: {\n"]),
        "flow": st.booleans(),
    }
)
Layout = dict[str, object]


def flow(value: object, layout: Layout) -> str:
    quote, comma = str(layout["quote"]), str(layout["comma"])
    if isinstance(value, dict):
        return "{" + comma.join(f"{key}: {flow(inner, layout)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + comma.join(flow(inner, layout) for inner in value) + "]"
    return f"{quote}{value}{quote}"


def block(value: object, layout: Layout, indent: int, *, under_key: bool = False) -> str:
    """YAML for the value in that layout, to stand after a key or a dash."""
    tail = f"{layout['comment']}\n{layout['blank']}"
    if not isinstance(value, dict | list) or (layout["flow"] and indent):
        return f" {flow(value, layout)}{tail}"
    step = int(str(layout["step"]))
    pad = " " * (
        indent - step if under_key and layout["dashes_under_keys"] and isinstance(value, list) else indent
    )
    if isinstance(value, dict):
        within = (block(inner, layout, indent + step, under_key=True) for inner in value.values())
        lines = [f"{pad}{key}{layout['colon']}{inner}" for key, inner in zip(value, within, strict=True)]
    else:
        lines = [f"{pad}-{block(inner, layout, indent + step)}" for inner in value]
    return f"{tail}{''.join(lines)}"


def written(value: object, layout: Layout) -> str:
    return f"{layout['head']}{block(value, layout, 0)}".replace("\n", str(layout["end"]))


def scalars(node: Node) -> list[ScalarNode]:
    if isinstance(node, ScalarNode):
        return [node]
    if isinstance(node, ListNode):
        return [scalar for item in node.items for scalar in scalars(item)]
    return [scalar for key, value in node.entries.values() for scalar in [key, *scalars(value)]]


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), LAYOUTS)
def test_every_key_and_value_is_where_its_position_says(value: dict[str, object], layout: Layout) -> None:
    text = written(value, layout)
    source = Source(Path("x.yaml"), text)
    parsed = parse(source)
    assert parsed.found == []
    (root,) = parsed.roots
    lines = text.split(str(layout["end"]))
    for scalar in scalars(root):
        place = source.position(scalar.start)
        there = lines[place.line - 1][place.column - 1 :]
        assert there.lstrip("'\"").startswith(scalar.text)
        assert text[scalar.start : scalar.end].strip("'\"") == scalar.text


def as_lists(value: object) -> object:
    if isinstance(value, dict):
        return {key: as_lists(inner) for key, inner in value.items()}
    return [as_lists(inner) for inner in value] if isinstance(value, tuple) else value


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), LAYOUTS)
def test_the_layout_does_not_change_what_is_read(value: dict[str, object], layout: Layout) -> None:
    (root,) = parse(Source(Path("x.yaml"), written(value, layout))).roots
    assert isinstance(root, MappingNode)
    assert as_lists(root.value()) == value


LINES = [
    *BASE.splitlines(keepends=True),
    "---\n",
    "- a\n",
    "\t\n",
    "&a x\n",
    "*a\n",
    "? [\n",
    "'",
    '"',
    "{",
    "}",
    "|\n",
    "!x y\n",
    ":\n",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=2000)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=6), max_size=40).map("".join))
@example(BASE)
@example("a: " + "{a: " * 50)
@example("? " * 60)
def test_any_text_ends_in_a_tree_or_in_errors_with_places(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    found: Sequence[Diagnostic] = ()
    documents: Sequence[object] = ()
    try:
        documents = load(file).documents
    except SpecErrors as errors:
        found = errors.diagnostics
    assert bool(found) != bool(documents)
    assert all(d.position and d.render() for d in found if d.code != "E102")


@settings(deadline=2000)
@given(st.binary(max_size=60))
def test_any_bytes_are_text_or_one_error(data: bytes) -> None:
    result = decode(Path("x.yaml"), data)
    if isinstance(result, Source):
        parse(result)
    else:
        assert result.code in {"E105", "E106"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5_000_000", 5_000_000),
        ("-3", -3),
        ("4.0", 4.0),
        ("1e-3", 0.001),
        ("010", "010"),
        ("1:30", "1:30"),
        ("1_", "1_"),
        ("9" * 50, "9" * 50),
        ("no", "no"),
        ("True", True),
        ("~", None),
        ("'true'", "true"),
        ('"4"', "4"),
        (".nan", ".nan"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    (root,) = parse(Source(Path("x.yaml"), f"a: {text}")).roots
    assert root.value() == {"a": value}
    assert type(root.value()["a"]) is type(value)  # type: ignore[index,call-overload]  # it is a mapping, see above
