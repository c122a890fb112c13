"""Expressions for tests to draw: sound CEL, with what each looks at known from how it was put together."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tuneform.policy.expressions import literal

FIELDS = ("a", "b", "params", "object", "project")
TEXT = st.text(alphabet="ab'\"\\\n{}()./ paramsobject.é😀\u2028\x07", max_size=12)
PLAIN: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
"""What parameters can be."""


@dataclass(frozen=True)
class Known:
    """An expression that is true or false, with the paths that it looks at: at their values, or for their presence."""

    text: str
    values: frozenset[str] = frozenset()
    presence: frozenset[str] = frozenset()


def _blank(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", " ", "\n", " // params.a 'object'\n"]))


@st.composite
def _path(draw: st.DrawFn, *, fields_only: bool = False) -> tuple[str, str]:
    """A path as it may be written, and as it is known."""
    root = draw(st.sampled_from(["object", "params", "project"]))
    steps = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3))
    text = draw(st.sampled_from(["", "."])) + root
    for step in steps:
        if fields_only or draw(st.booleans()):
            text += f"{_blank(draw)}.{_blank(draw)}{step}"
        else:
            text += draw(st.sampled_from([f"['{step}']", f'["{step}"]', f"[ '{step}' ]"]))
    return text, ".".join([root, *steps])


@st.composite
def _asked(draw: st.DrawFn) -> Known:
    text, path = draw(_path(fields_only=True))
    return Known(f"has({text})", presence=frozenset({path}))


@st.composite
def _compared(draw: st.DrawFn) -> Known:
    text, path = draw(_path())
    return Known(f"{text} == {literal(draw(TEXT | st.integers(-9, 9)))}", frozenset({path}))


def _raw(text: str) -> str:
    kept = "".join(char for char in text if char not in "'\n")
    return f"r'\\{kept}w' == 'x'"


_SAID = st.one_of(
    TEXT.map(lambda text: Known(f"{literal(text)} == 'params.a'")),
    TEXT.map(lambda text: Known(_raw(text))),
    st.just(Known("'''object.a ' params''' != \"\"\"data\"\"\"")),
    st.just(Known("{'params': 1}.params == 1")),
    st.just(Known("[1].all(x, x == 1) // object.a")),
).map(lambda known: Known(known.text + "\n"))

KNOWN: st.SearchStrategy[Known] = st.recursive(
    _SAID | _asked() | _compared(),
    lambda inner: st.tuples(inner, inner, st.sampled_from([" && ", " || "])).map(
        lambda both: Known(
            f"({both[0].text}){both[2]}({both[1].text})",
            both[0].values | both[1].values,
            both[0].presence | both[1].presence,
        )
    ),
    max_leaves=4,
)
"""Expressions to draw."""
