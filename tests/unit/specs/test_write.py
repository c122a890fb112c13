"""Properties of the YAML that is written: read again it is the same value, and written again the same text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.nodes import Value
from tuneform.specs.text.parse import parse
from tuneform.specs.text.plain import Reader
from tuneform.specs.text.source import Source, decode
from tuneform.specs.text.write import as_yaml

# What no file of specs can hold, a text of its values cannot either; all else is told by `decode`.
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.sampled_from("\n\t :#-'\"{}[],&*!|>%@`?~")
)
HAZARDS = st.sampled_from(
    [
        *(
            "no",
            "off",
            "y",
            "true",
            "~",
            "null",
            "",
            "010",
            "0o10",
            "0x1f",
            "1:30",
            "1_000",
            "1e3",
            "+1",
            ".5",
            "1.",
        ),
        *(
            "=",
            "<<",
            "---",
            "- a",
            "? a",
            "a: b",
            "a #b",
            "#",
            "&a",
            "*a",
            "!a",
            "%a",
            "@a",
            "|",
            ">",
            "'",
            '"',
        ),
        *(
            "2026-11-21",
            ".inf",
            "-.INF",
            ".nan",
            " a",
            "a ",
            "\n",
            "a\n",
            "\na",
            "a\n\nb",
            " a\nb",
            "a\n b",
            "\ta",
        ),
        *("\u2028", "\u0085", "\ufeff", "é", "部", "😀", "a\r\nb", "\\", "\\n"),
    ]
)
SCALARS = (
    TEXTS
    | HAZARDS
    | st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS | HAZARDS | st.just("ref"), inner, max_size=3)
    ),
    max_leaves=15,
)
DOCUMENTS = st.lists(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), min_size=1, max_size=3)


def plain(value: Value) -> Any:
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


@given(DOCUMENTS)
@example([{"a": "1e3", "b": 1e300, "c": "\u0085", "d": {"ref": "x"}, "no": "no"}])
def test_what_is_written_is_read_again_as_the_same_value(documents: list[dict[str, Any]]) -> None:
    text = as_yaml(documents)
    source = decode(Path("x.yaml"), text.encode())
    assert isinstance(source, Source), source

    parsed = parse(source)

    assert parsed.found == []
    read = [plain(root.value()) for root in parsed.roots]
    assert read == documents
    assert [[type(value) for value in one.values()] for one in read] == [
        [type(value) for value in one.values()] for one in documents
    ]
    assert as_yaml(read) == text


@given(DOCUMENTS)
def test_the_quick_reader_reads_the_same(documents: list[dict[str, Any]]) -> None:
    source = Source(Path("x.yaml"), as_yaml(documents))

    assert [plain(value) for value in SpecFile(source).read(Reader()).values] == documents
