"""Diagnostics for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneform.errors import Diagnostic, Position
from tuneform.review.codes import CODES
from tuneform.review.diagnostics import FORMATS, as_annotations, as_json, as_junit, as_sarif

WRONG = Diagnostic(
    "E123",
    "unknown field 'epochs'",
    Position(Path("specs/a b.yaml"), 9, 66),
    "did you mean it?",
    "x",
    6,
    about=("project prod",),
)
WARNING = Diagnostic("W101", "an unknown model", Position(Path("specs/c.yaml"), 2, 1), severity="warning")
NOWHERE = Diagnostic("E101", "there is no file", hint="name a file")
FOUND = [WRONG, WARNING, NOWHERE]
FILES = ["specs/c.yaml", "specs/a b.yaml", "specs/d.yaml"]


def test_json_holds_everything() -> None:
    told = json.loads(as_json(FOUND, FILES))

    assert (told["errors"], told["warnings"], told["files"]) == (2, 1, sorted(FILES))
    assert told["diagnostics"][0] == {
        "code": "E123",
        "severity": "error",
        "message": "unknown field 'epochs'",
        "about": ["project prod"],
        "hint": "did you mean it?",
        "path": "specs/a b.yaml",
        "line": 9,
        "column": 66,
        "length": 6,
    }
    assert "path" not in told["diagnostics"][2]


def test_sarif_names_a_rule_for_each_code_and_places_by_character() -> None:
    told = json.loads(as_sarif(FOUND, FILES))
    (run,) = told["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert told["version"] == "2.1.0"
    assert [rule["id"] for rule in rules] == ["E101", "E123", "W101"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one.code for one in FOUND]
    assert [one["level"] for one in run["results"]] == ["error", "warning", "error"]
    place: Any = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "specs/a%20b.yaml"
    assert place["region"] == {"startLine": 9, "startColumn": 66, "endColumn": 72}
    assert "locations" not in run["results"][2]


def test_junit_has_a_case_for_each_error_and_each_file_without_one() -> None:
    root = ElementTree.fromstring(as_junit(FOUND, FILES))
    cases = list(root.iter("testcase"))
    (suite,) = root

    assert suite.attrib == {"name": "specs", "tests": "4", "failures": "2"}
    assert [case.get("name") for case in cases if case.find("failure") is None] == [
        "specs/c.yaml",
        "specs/d.yaml",
    ]
    assert [case.get("name") for case in cases if case.find("failure") is not None] == [
        "E123 specs/a b.yaml:9:66",
        "E101 specs",
    ]
    assert "an unknown model" in (cases[0].findtext("system-out") or "")


def test_annotations_are_escaped_as_the_runner_reads_them() -> None:
    odd = Diagnostic("E127", "50 %, and\nmore", Position(Path("a,b:c.yaml"), 1, 2), severity="warning")

    assert as_annotations([odd, NOWHERE], []) == (
        "::warning file=a%2Cb%3Ac.yaml,line=1,col=2,endColumn=2,title=E127::50 %25, and%0Amore\n"
        "::error title=E101::there is no file%0Aname a file\n"
    )


@pytest.mark.parametrize("form", FORMATS)
@given(message=st.text(), excerpt=st.text(), hint=st.text())
def test_any_text_is_told_in_a_form_that_can_be_read(
    form: str, message: str, excerpt: str, hint: str
) -> None:
    odd = Diagnostic("E106", message, Position(Path("a.yaml"), 1, 1), hint, excerpt)
    told = FORMATS[form]([odd], ["a.yaml"])

    match form:
        case "json" | "sarif":
            json.loads(told)
        case "junit":
            ElementTree.fromstring(told)
        case _:
            assert told.count("\n") == 1


def test_every_code_has_a_rule() -> None:
    found = [Diagnostic(code, "x") for code in CODES]
    (run,) = json.loads(as_sarif(found, []))["runs"]

    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == sorted(CODES)
