from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tuneform import errors
from tuneform.errors import Diagnostic, Position, SpecErrors, TuneformError, told_once

AT = Position(Path("specs/a.yaml"), 7, 5)


def classes(root: type[TuneformError]) -> list[type[TuneformError]]:
    return [root, *(inner for child in root.__subclasses__() for inner in classes(child))]


def test_every_error_has_a_code_of_its_own_and_stands_in_the_drawing() -> None:
    public = [
        error
        for error in classes(TuneformError)
        if not error.__name__.startswith("_") and error.__module__ == errors.__name__
    ]
    assert len({error.code for error in public}) == len(public)
    assert [error.__name__ for error in public if error.__name__ not in (errors.__doc__ or "")] == []


def test_an_error_shows_its_code_and_remedy() -> None:
    error = errors.MachineError("port 80 is in use", remedy="give another with --port")
    assert error.render() == "error[E400]: port 80 is in use\n   = remedy: give another with --port"
    assert errors.MachineError("x", code="E410").code == "E410"


def test_a_diagnostic_reads_like_a_compilers() -> None:
    found = Diagnostic(
        "E123", "unknown field 'foo'", AT, hint="did you mean 'for'?", excerpt="    foo: 1", length=3
    )
    assert found.render().splitlines() == [
        "specs/a.yaml:7:5: error[E123]: unknown field 'foo'",
        " 7 |     foo: 1",
        "   |     ^^^",
        "   = hint: did you mean 'for'?",
    ]


def test_a_diagnostic_without_a_place_is_one_line() -> None:
    assert Diagnostic("E101", "nothing there", severity="warning").render() == "warning[E101]: nothing there"


def test_the_caret_stands_under_tabs_and_wide_characters() -> None:
    tab = Diagnostic("E1", "m", Position(Path("a"), 1, 2), excerpt="\tx").render().splitlines()
    assert tab[2] == "   | \t^"
    wide = (
        Diagnostic("E1", "m", Position(Path("a"), 1, 3), excerpt="部署: é部", length=1).render().splitlines()
    )
    assert wide[2] == "   | " + " " * 4 + "^"
    meant = Diagnostic("E1", "m", Position(Path("a"), 1, 1), excerpt="部署", length=2).render().splitlines()
    assert meant[2] == "   | ^^^^"


def test_a_long_line_is_shown_around_its_place() -> None:
    line = "a" * 1000 + "HERE" + "b" * 1000
    shown = Diagnostic("E1", "m", Position(Path("a"), 1, 1001), excerpt=line, length=4).render().splitlines()
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^") :].startswith("HERE")


def test_diagnostics_are_all_rendered() -> None:
    both = SpecErrors([Diagnostic("E1", "one"), Diagnostic("E2", "two")])
    assert both.render() == "error[E1]: one\n\nerror[E2]: two"
    assert (both.code, str(both)) == ("E100", "one\ntwo")


def test_what_is_the_same_at_many_places_is_told_once_with_where_else() -> None:
    old = [Diagnostic("W1", "old", Position(Path("a"), line, 3), severity="warning") for line in range(1, 7)]
    other = replace(old[0], message="other", hint="do")
    elsewhere = replace(old[0], about=("prod",))

    assert [*told_once([old[0], other, *old[1:], elsewhere])] == [
        "a:1:3: warning[W1]: old\n   = also at: a:2:3, a:3:3, a:4:3 and 2 more",
        "a:1:3: warning[W1]: other\n   = hint: do",
        "a:1:3: warning[W1]: old\n   = for: prod",
    ]
    assert [*told_once([Diagnostic("W1", "no place"), Diagnostic("W1", "no place")])] == [
        "error[W1]: no place"
    ]


def test_a_code_stands_for_one_error_wherever_it_is_given() -> None:
    package = Path(__file__).parents[2] / "infra" / "tuneform"
    given = Counter(
        code
        for path in package.rglob("*.py")
        for code in re.findall(r"\bcode ?= ?\"(E\d+)\"", path.read_text())
    )
    assert given
    assert [code for code, times in given.items() if times > 1] == []
