"""What came of cases, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from tuneform.entrypoints.cli.policy.outcomes import Coverage, Outcome
from tuneform.review.diagnostics import shown_path


def as_text(outcomes: Sequence[Outcome], coverage: Coverage | None) -> str:
    """A line for each case below its file, what went wrong below the case, and a sum."""
    lines: list[str] = []
    for file, ours in groupby(outcomes, lambda outcome: outcome.file):
        lines.append(shown_path(file))
        for outcome in ours:
            lines.append(f"  {'FAILED' if outcome.failed else 'ok':6} {outcome.name}")
            lines += [f"         line {at.line}: {said}" for at, said in outcome.failures]
    failed = sum(outcome.failed for outcome in outcomes)
    cases = f"{len(outcomes)} case{'' if len(outcomes) == 1 else 's'}"
    lines.append(f"{cases}, {failed} failed" if failed else f"{cases}, none failed")
    if coverage is not None:
        lines += _coverage(coverage)
    return "".join(f"{line}\n" for line in lines)


def _coverage(coverage: Coverage) -> Iterator[str]:
    lacking = {rule for rule, _ in coverage.uncovered}
    whole = len(coverage.rules) - len(lacking)
    yield f"coverage: {whole} of {len(coverage.rules)} rules have a case that keeps and a case that breaks them"
    for word in ("kept", "broken"):
        rules = [rule for rule, lacks in coverage.uncovered if lacks == word]
        if rules:
            yield f"  never {word}: {', '.join(rules)}"


def as_json(outcomes: Sequence[Outcome], coverage: Coverage | None) -> str:
    """One object: the counts, and every case."""
    found: dict[str, Any] = {
        "formatVersion": 1,
        "cases": len(outcomes),
        "failed": sum(outcome.failed for outcome in outcomes),
        "results": [
            {
                "file": shown_path(outcome.file),
                "line": outcome.place.line,
                "name": outcome.name,
                "passed": not outcome.failed,
                "failures": [{"line": at.line, "message": said} for at, said in outcome.failures],
            }
            for outcome in outcomes
        ],
    }
    if coverage is not None:
        found["coverage"] = {
            "rules": list(coverage.rules),
            "neverKept": [rule for rule, lacks in coverage.uncovered if lacks == "kept"],
            "neverBroken": [rule for rule, lacks in coverage.uncovered if lacks == "broken"],
        }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def as_junit(outcomes: Sequence[Outcome], coverage: Coverage | None) -> str:
    """JUnit's XML: a suite for each file, a test case for each case."""
    del coverage  # there is no place for it
    root = ElementTree.Element("testsuites", name="tuneform policy test")
    for file, ours in groupby(outcomes, lambda outcome: outcome.file):
        cases = list(ours)
        failed = str(sum(outcome.failed for outcome in cases))
        suite = ElementTree.SubElement(
            root, "testsuite", name=shown_path(file), tests=str(len(cases)), failures=failed
        )
        for outcome in cases:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=shown_path(file),
                name=outcome.name,
                line=str(outcome.place.line),
            )
            for at, said in outcome.failures:
                failure = ElementTree.SubElement(case, "failure", type="expectation", message=said)
                failure.text = f"{shown_path(at.path)}:{at.line}:{at.column}: {said}"
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


FORMATS: Mapping[str, Any] = {"text": as_text, "json": as_json, "junit": as_junit}
"""Each form."""
