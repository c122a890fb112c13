"""Diagnostics for programs: JSON, SARIF for code scanning, JUnit for test reports, annotations for GitHub Actions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from tuneform import __version__
from tuneform.errors import Diagnostic
from tuneform.review.codes import CODES
from tuneform.specs.reference.codes import Code

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_json(found: Sequence[Diagnostic], files: Iterable[str]) -> str:
    """One object: the counts, the files that were read, and every diagnostic."""
    return _dump(
        {
            "formatVersion": 1,
            "errors": _count(found, "error"),
            "warnings": _count(found, "warning"),
            "files": sorted(files),
            "diagnostics": [_plain(diagnostic) for diagnostic in found],
        }
    )


def as_sarif(found: Sequence[Diagnostic], files: Iterable[str]) -> str:
    """SARIF 2.1.0, as GitHub's code scanning takes it: each code is a rule, and columns count characters."""
    used = sorted({diagnostic.code for diagnostic in found})
    driver = {
        "name": "tuneform",
        "semanticVersion": __version__,
        "rules": [_rule(code, CODES[code]) for code in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": quote(file)}} for file in sorted(files)],
        "results": [_result(diagnostic, used.index(diagnostic.code)) for diagnostic in found],
    }
    return _dump({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def as_junit(found: Sequence[Diagnostic], files: Iterable[str]) -> str:
    """JUnit's XML: a case for each error, and one for each file without any. Warnings are output of their file."""
    errors = [diagnostic for diagnostic in found if diagnostic.severity == "error"]
    root = ElementTree.Element("testsuites", name="tuneform check")
    wrong = {_file(diagnostic) for diagnostic in errors}
    clean = sorted(set(files) - wrong)
    tests, failures = str(len(errors) + len(clean)), str(len(errors))
    suite = ElementTree.SubElement(root, "testsuite", name="specs", tests=tests, failures=failures)
    for file in clean:
        case = ElementTree.SubElement(suite, "testcase", classname="tuneform", name=file)
        warned = [diagnostic.render() for diagnostic in found if _file(diagnostic) == file]
        if warned:
            ElementTree.SubElement(case, "system-out").text = xml_text("\n\n".join(warned))
    for diagnostic in errors:
        place = str(diagnostic.position or "specs")
        case = ElementTree.SubElement(
            suite, "testcase", classname=_file(diagnostic) or "specs", name=f"{diagnostic.code} {place}"
        )
        said = xml_text(diagnostic.message)
        failure = ElementTree.SubElement(case, "failure", type=diagnostic.code, message=said)
        failure.text = xml_text(diagnostic.render())
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def as_annotations(found: Sequence[Diagnostic], files: Iterable[str]) -> str:
    """Workflow commands, from which GitHub Actions makes annotations at the lines of a pull request."""
    del files
    lines = []
    for diagnostic in found:
        at: dict[str, object] = {"title": diagnostic.code}
        if diagnostic.position is not None:
            line, column = diagnostic.position.line, diagnostic.position.column
            end = column + diagnostic.length - 1
            at = {"file": _file(diagnostic), "line": line, "col": column, "endColumn": end, **at}
        properties = ",".join(
            f"{name}={_escaped(str(value), in_property=True)}" for name, value in at.items()
        )
        lines.append(f"::{diagnostic.severity} {properties}::{_escaped(_said(diagnostic))}")
    return "".join(f"{line}\n" for line in lines)


FORMATS: Mapping[str, Callable[[Sequence[Diagnostic], Iterable[str]], str]] = {
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
    "github": as_annotations,
}
"""Each form that is not for people."""


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    at = diagnostic.position
    place = (
        {"path": _file(diagnostic), "line": at.line, "column": at.column, "length": diagnostic.length}
        if at
        else {}
    )
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "about": list(diagnostic.about),
        "hint": diagnostic.hint,
        **place,
    }


def _said(diagnostic: Diagnostic) -> str:
    """All that is said of it: the message, what it is about, and the hint, each in a line."""
    about = f"for: {', '.join(diagnostic.about)}" if diagnostic.about else ""
    return "\n".join(line for line in (diagnostic.message, about, diagnostic.hint) if line)


def _rule(name: str, code: Code) -> dict[str, Any]:
    return {
        "id": name,
        "name": code.title,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.explanation},
        "help": {"text": f"{code.explanation}\n`tuneform explain {name}` says more."},
        "defaultConfiguration": {"level": "warning" if name.startswith("W") else "error"},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": _said(diagnostic)},
    }
    if (at := diagnostic.position) is not None:
        region: dict[str, Any] = {
            "startLine": at.line,
            "startColumn": at.column,
            "endColumn": at.column + diagnostic.length,
        }
        where = {"artifactLocation": {"uri": quote(_file(diagnostic))}, "region": region}
        result["locations"] = [{"physicalLocation": where}]
    return result


def _file(diagnostic: Diagnostic) -> str:
    return shown_path(diagnostic.position.path) if diagnostic.position else ""


def shown_path(path: Path) -> str:
    """A path as programs want it: relative to where the command runs, if it lies there, with slashes."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path).as_posix()


def _escaped(text: str, *, in_property: bool = False) -> str:
    """As the runner reads it; in properties colons and commas are taken, too."""
    for char, code in (
        ("%", "%25"),
        ("\r", "%0D"),
        ("\n", "%0A"),
        *((":", "%3A"), (",", "%2C")) * in_property,
    ):
        text = text.replace(char, code)
    return text


def xml_text(text: str) -> str:
    """Without the characters that no XML may hold (XML 1.0, section 2.2): the line that is shown may have some."""
    return _NOT_XML.sub("\ufffd", text)


def _count(found: Iterable[Diagnostic], severity: str) -> int:
    return sum(diagnostic.severity == severity for diagnostic in found)


def _dump(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
