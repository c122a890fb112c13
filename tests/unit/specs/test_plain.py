"""The quick reader: it reads what specs are written in, says what the parser says, and leaves the rest to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuneform.specs import load
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.files import spec_files
from tuneform.specs.text.nodes import Value
from tuneform.specs.text.parse import MAX_DEPTH, parse
from tuneform.specs.text.plain import Reader
from tuneform.specs.text.source import Source, decode

from .bad_specs import BASE, JOB, MODEL

ROOT = Path(__file__).parents[3]


def quick(text: str) -> list[Value] | None:
    """What is read without the parser, or None."""
    file = SpecFile(Source(Path("x.yaml"), text))
    values = list(file.read(Reader()).values)
    return None if "parsed" in vars(file) else values


def by_parser(text: str) -> list[Value]:
    parsed = parse(Source(Path("x.yaml"), text))
    assert parsed.found == []
    assert parsed.complete
    return [root.value() for root in parsed.roots]


# Policies are few, and the rules of one are a list in blocks, which is left to the parser.
AS_PEOPLE_WRITE = [file.read_text() for file in spec_files(ROOT / "specs")[0] if file.name != "policies.yaml"]


@pytest.mark.parametrize("text", [BASE, *AS_PEOPLE_WRITE])
def test_specs_as_people_write_them_are_read_without_looking_for_places(text: str) -> None:
    # A quick reader that turns everything away would be right, too, and of no use.
    assert quick(text) == by_parser(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b c", {"a": "b c"}),
        ("a: b:c#d  # e", {"a": "b:c#d"}),
        ("a: gs://b/c", {"a": "gs://b/c"}),
        ("a:  5_000", {"a": 5000}),
        ("a: -1.5", {"a": -1.5}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: # b\nc: d", {"a": None, "c": "d"}),
        ("a: # b\n\n   # e\n c: d\ne:\n   f: g", {"a": {"c": "d"}, "e": {"f": "g"}}),
        ("a: 'b # c'", {"a": "b # c"}),
        ('a: "5"', {"a": "5"}),
        ("a: ''", {"a": ""}),
        ("a: it's", {"a": "it's"}),
        ("a: { b: c d , e: [ f, -1, 'g, h' ] } # i", {"a": {"b": "c d", "e": ("f", -1, "g, h")}}),
        ("a: []\nb: {}", {"a": (), "b": {}}),
        ("a: no\r\nb: yes\r\n", {"a": "no", "b": "yes"}),
        ("---\na: b\n", {"a": "b"}),
    ],
)
def test_what_is_plain_is_read(text: str, value: Value) -> None:
    assert quick(text) == [value] == by_parser(text)


@pytest.mark.parametrize(
    "text",
    [
        *("a: |\n  b", "a: >-\n  b", "a: b\n  c", "a: 'b\n  c'", "a: [b,\n  c]", "a:\n- b", "a:\n  - b", "- a", "x"),
        *("a: &b c", "a: *b", "a: !b c", "? a", "a: ? b", "a: b: c", "a: b:", "a: b\n  c: d", "  a: b\n c: d", " a: b"),
        *("a: 1\na: 2", "a: {b: 1, b: 2}", "true: a", "a: {null: b}", "1: a", "'a': b", "a : b", "a:b", "a: {b:c}"),
        *('a: "b" c', "a: 'it''s'", 'a: "\\n"', "a: [b", "a: b]c: d\n  e", "a: [b]c", "a: [b]#c", "a: {b: c #d}"),
        *("a: [b: c]", "a: {b}", "a: {b: }", "a: [b,]", "a: [, b]", "a: {b: c, }", "a: [b ? c]", "a: {b: c:d}"),
        *("a:\tb", "a: b\tc", "a: b\u2028c", "a: b\x85c", "a: b\ufeff", "a: b\rc: d", "a: @b", "a: %b", "a: - b"),
        *("%YAML 1.2\n---\na: b", "a: b\n...\nc: d", "--- a", "a: b\n--- # c\nd: e", "{a: b}", "a: {" + "b: {" * 60),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_parser(text: str) -> None:
    assert quick(text) is None


def test_no_document_is_read_that_is_nested_deeper_than_the_parser_allows() -> None:
    read = []
    for indented in range(MAX_DEPTH):
        for brackets in range(MAX_DEPTH):
            text = "".join(f"{' ' * depth}a:\n" for depth in range(indented))
            text += f"{' ' * indented}a: {'[' * brackets}b{']' * brackets}\n"
            if (values := quick(text)) is not None:
                read.append((indented, brackets))
                assert values == by_parser(text)
    assert (5, 5) in read


@pytest.mark.parametrize(
    "odd", ["a: |\n  text\n", "a: >+\n  text\n\n", "a:\n- b\n", "? a\n: b\n", "{a: b}\n", "~\n"]
)
def test_a_document_that_is_not_plain_is_parsed_alone_and_the_others_are_not(odd: str) -> None:
    text = f"# of a team\n---\n{odd}---\nb: c\n---\n{odd}---\nb: d\n---\n# nothing\n---\nb: e\n"
    values = quick(text)
    assert values is not None
    assert values == by_parser(text)
    assert len(values) == 5


WORDS = [
    "a",
    "b c",
    "ref",
    "true",
    "~",
    "5_0",
    "-1",
    "- ",
    "it's",
    "'q'",
    '"q"',
    "x: y",
    "x:",
    ":x",
    "#",
    " # c",
    "é",
]
SIGNS = st.text("ab1:#,[]{}'\"-? &*!|>%@~.\t\r\\=_<\u00a0\u2028é", max_size=5)
VALUES = st.recursive(
    st.sampled_from(WORDS) | SIGNS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(inner, max_size=3).map(
            lambda items: f"{{{', '.join(f'a{n}: {i}' for n, i in enumerate(items))}}}"
        )
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(["a", "b", "c", "d", "a.b/c", "no", "e-f", "true", "'a'", "1"])
LINES = st.one_of(
    st.tuples(st.integers(0, 3), KEYS, st.sampled_from([":", ": ", ":  "]), VALUES | st.just("")).map(
        lambda parts: f"{'  ' * parts[0]}{''.join(parts[1:])}"
    ),
    st.sampled_from(
        ["---", "", "# c", "  # c: d", "...", "--- a", "%A", "  - a", "  text", "a: |", "   b: >-"]
    ),
    SIGNS,
)


@settings(deadline=None, max_examples=400)
@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\n", "\r\n"]))
@example(["a: |", "  text", "---", "b: c", "---", "d: e"], "\n")
@example(["a:", " b: c", "d: e"], "\r\n")
def test_what_is_read_quickly_is_what_the_parser_reads(lines: list[str], end: str) -> None:
    source = decode(Path("x.yaml"), "".join(f"{line}{end}" for line in lines).encode())
    assert isinstance(source, Source)
    values = quick(source.text)
    if values is not None:
        # repr, since 1 == 1.0 == True.
        assert repr(values) == repr(by_parser(source.text))


def test_places_are_those_of_the_text_that_was_loaded(tmp_path: Path) -> None:
    listed = JOB.replace("name: words", "name: listed").replace(
        "metadata: {name: listed}", "metadata:\n  name: >-\n    listed"
    )
    file = tmp_path / "a.yaml"
    text = "---\n".join(["# first\n", BASE, listed, MODEL.replace("words", "listed")]).replace("\n", "\r\n")
    file.write_bytes(text.encode())
    tree = load(tmp_path)
    assert all("parsed" not in vars(document.origin.file) for document in tree.documents)
    file.write_text("# changed since\n")
    lines = text.split("\r\n")
    for document in tree.documents:
        place = document.source
        assert lines[place.line - 1][place.column - 1 :] == document.kind
        assert (
            document.name
            in lines[document.at("metadata", "name").line - 1] + lines[document.at("metadata", "name").line]
        )
