"""An audit for programs: JSON, SARIF for code scanning, JUnit for test reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import orjson

from tuneform import __version__
from tuneform.review.audit import words
from tuneform.review.audit.data import Audit, Breach
from tuneform.review.audit.html import as_html
from tuneform.review.diagnostics import SARIF, xml_text

LEVELS = {"deny": "error", "warn": "warning", "audit": "note"}


def as_json(audit: Audit) -> str:
    """One object: by which rules, the counts, every breach, and what could not be read or judged."""
    return _dump(
        {
            "formatVersion": 1,
            "asked": audit.asked,
            "today": audit.today,
            "policies": {"digest": audit.digest, "sources": [asdict(one) for one in audit.sources]},
            "summary": {
                "projects": len(audit.projects),
                "seen": audit.seen,
                "deny": audit.count("deny"),
                "warn": audit.count("warn"),
                "audit": audit.count("audit"),
                "excepted": audit.excepted,
                "unread": len(audit.failures),
            },
            "projects": list(audit.projects),
            "breaches": [_plain(breach) for breach in audit.breaches],
            "unread": [asdict(one) for one in audit.unread],
            "unjudged": [asdict(one) for one in audit.unjudged],
        }
    )


def _plain(breach: Breach) -> dict[str, Any]:
    found = {key: value for key, value in asdict(breach).items() if value not in ("", (), False)}
    since = {"when": breach.since or None, "what": breach.since_what}
    for name in ("since", "since_what", "excepted", "until"):
        found.pop(name, None)
    exception = {"exception": {"reason": breach.excepted, "expires": breach.until}} if breach.until else {}
    return {**found, "since": since, **exception}


def as_sarif(audit: Audit) -> str:
    """SARIF 2.1.0: each rule of a policy is a rule, each live thing a logical location; exceptions suppress."""
    rules = {breach.rule: breach for breach in audit.breaches}
    numbers = {rule: number for number, rule in enumerate(sorted(rules))}
    driver = {
        "name": "tuneform audit",
        "semanticVersion": __version__,
        "rules": [_rule(rules[rule]) for rule in numbers],
    }
    invocation = {
        "executionSuccessful": not audit.failures,
        "toolExecutionNotifications": [
            {"level": "note" if one.disabled else "error", "message": {"text": words.unread(one)}}
            for one in audit.unread
        ],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": [_result(breach, numbers[breach.rule]) for breach in audit.breaches],
        "properties": {
            "asked": audit.asked,
            "policyDigest": audit.digest,
            "policies": [str(source) for source in audit.sources],
            "unjudged": [words.unjudged(one) for one in audit.unjudged],
        },
    }
    return _dump({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def _rule(breach: Breach) -> dict[str, Any]:
    help_text = "\n".join(text for text in (breach.why, breach.remedy) if text)
    return {
        "id": breach.rule,
        "shortDescription": {"text": breach.rule},
        **({"help": {"text": help_text}} if help_text else {}),
        "defaultConfiguration": {"level": LEVELS[breach.enforcement]},
    }


def _result(breach: Breach, rule: int) -> dict[str, Any]:
    place = {"fullyQualifiedName": breach.resource, "name": breach.name, "kind": "resource"}
    # Code scanning wants a file for each result; the resource's own name is the nearest that there is.
    file = {"artifactLocation": {"uri": quote(breach.resource.replace("gs://", "buckets/"))}}
    key = sha256(f"{breach.rule}\n{breach.resource}\n{breach.field}".encode()).hexdigest()
    result: dict[str, Any] = {
        "ruleId": breach.rule,
        "ruleIndex": rule,
        "level": LEVELS[breach.enforcement],
        "message": {"text": words.told(breach)},
        "locations": [{"physicalLocation": file, "logicalLocations": [place]}],
        "partialFingerprints": {"tuneform/v1": key},
        "properties": {"project": breach.project, "since": breach.since, "mender": words.mender(breach)},
    }
    if breach.until:
        reason = words.standing(breach)
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return result


def as_junit(audit: Audit) -> str:
    """JUnit's XML: a suite for each project, a case for each breach; a project without any has one that passes.

    What denies is a failure, what could not be read an error; what warns or is for audits is output, what is excepted
    is skipped.
    """
    root = ElementTree.Element("testsuites", name="tuneform audit")
    elsewhere = [one for one in audit.unread if not one.project]
    if elsewhere:
        suite = ElementTree.SubElement(root, "testsuite", name="folders")
        for one in elsewhere:
            _error(suite, one.what, words.unread(one))
        _count(suite)
    for project, breaches in audit.by_project():
        suite = ElementTree.SubElement(root, "testsuite", name=project)
        properties = ElementTree.SubElement(suite, "properties")
        for source in audit.sources:
            ElementTree.SubElement(properties, "property", name="policies", value=xml_text(str(source)))
        unread = [one for one in audit.failures if one.project == project]
        for breach in breaches:
            _case(suite, breach)
        for one in unread:
            _error(suite, one.what, words.unread(one))
        if not breaches and not unread:
            ElementTree.SubElement(suite, "testcase", classname=project, name="every rule is kept")
        _count(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, breach: Breach) -> None:
    name = xml_text(f"{breach.rule} {breach.resource} {breach.field}".strip())
    case = ElementTree.SubElement(suite, "testcase", classname=breach.project, name=name)
    said = xml_text(words.told(breach))
    if breach.until:
        ElementTree.SubElement(case, "skipped", message=xml_text(words.standing(breach)))
    elif breach.enforcement == "deny":
        failure = ElementTree.SubElement(case, "failure", type=breach.rule, message=xml_text(breach.message))
        failure.text = said
    else:
        ElementTree.SubElement(case, "system-out").text = said


def _error(suite: ElementTree.Element, name: str, said: str) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=suite.get("name", ""), name=xml_text(name))
    ElementTree.SubElement(case, "error", type="unread", message=xml_text(said))


def _count(suite: ElementTree.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))


def _dump(value: object) -> str:
    """JSON, indented; there may be tens of thousands of breaches."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


FORMATS: Mapping[str, Callable[[Audit], str]] = {
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
    "html": as_html,
}
"""Each form that goes to stdout or a file as it is."""
