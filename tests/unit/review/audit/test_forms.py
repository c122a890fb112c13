"""Every form of an audit: the same facts, well-formed, whatever names live things have."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from unicodedata import category
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tuneform.review.audit.data import Audit, Breach, Mender, Part, Source, Unjudged, Unread
from tuneform.review.audit.programs import FORMATS, as_json, as_junit, as_sarif
from tuneform.review.audit.text import show

DIGEST = "sha256:" + "a" * 64
BREACH = Breach(
    project="acme-prod",
    location="us-central1",
    kind="TuningJob",
    name="intents",
    resource="projects/acme-prod/locations/us-central1/tuningJobs/1",
    rule="house/key",
    enforcement="deny",
    message="no key of your own encrypts it",
    field="spec.encryptionKey",
    why="so that it can be taken away",
    remedy="name a key",
    since="2026-01-10T08:00:00Z",
    since_what="created",
    mender=Mender("ml-team", "label tuneform-owner"),
)
WARNED = replace(BREACH, rule="house/gate", enforcement="warn", ended="2026-01-31", field="")
NOTED = replace(BREACH, rule="house/note", enforcement="audit", mender=Mender("", "nobody is known"))
EXCEPTED = replace(BREACH, name="old", excepted="moved in spring", until="2026-12-31")
BUCKET = replace(
    BREACH, kind="DatasetBucket", name="open", resource="gs://open", notes=("it is open: x to allUsers",)
)
AUDIT = Audit(
    "2 projects of projects.txt",
    "2026-06-01",
    DIGEST,
    (Source("policies.yaml", 3, DIGEST),),
    (
        Part("acme-prod", "us-central1", {"jobs": 2}, (NOTED, WARNED, BREACH, EXCEPTED)),
        Part("acme-prod", "buckets", {"buckets": 1}, (BUCKET,), (Unjudged("house/x", "TunedModel", 2, ("data",)),)),
        Part("acme-lab", "project", unread=(Unread("acme-lab", "the project", "Permission denied", "grant it"),)),
        Part("acme-off", "us-central1", unread=(Unread("acme-off", "Vertex AI", "off", disabled=True),)),
        Part("", "folders/1", unread=(Unread("", "the projects below folders/1", "no"),)),
    ),
)  # fmt: skip
CLEAN = replace(AUDIT, parts=(Part("acme-prod", "us-central1", {"jobs": 2}),))


def strict(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


TEXT = {"type": "string", "minLength": 1}
MESSAGE = {**strict(text=TEXT), "required": ["text"]}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    **strict(id=TEXT, shortDescription=MESSAGE, help=MESSAGE, defaultConfiguration=strict(level=LEVEL)),
    "required": ["id"],
}
LOCATION = strict(
    physicalLocation=strict(artifactLocation=strict(uri={**TEXT, "format": "uri-reference"})),
    logicalLocations={"type": "array", "items": strict(fullyQualifiedName=TEXT, name=TEXT, kind=TEXT)},
)
SUPPRESSION = {
    **strict(
        kind={"enum": ["inSource", "external"]},
        status={"enum": ["accepted", "underReview", "rejected"]},
        justification=TEXT,
    ),
    "required": ["kind"],
}
RESULT = {
    **strict(
        ruleId=TEXT,
        ruleIndex={"type": "integer", "minimum": 0},
        level=LEVEL,
        message=MESSAGE,
        locations={"type": "array", "items": LOCATION},
        partialFingerprints={"type": "object", "additionalProperties": TEXT},
        suppressions={"type": "array", "items": SUPPRESSION},
        properties={"type": "object"},
    ),
    "required": ["message"],
}
NOTIFICATION = {**strict(level=LEVEL, message=MESSAGE), "required": ["message"]}
INVOCATION = {
    **strict(
        executionSuccessful={"type": "boolean"},
        toolExecutionNotifications={"type": "array", "items": NOTIFICATION},
    ),
    "required": ["executionSuccessful"],
}
DRIVER = {
    **strict(name=TEXT, semanticVersion=TEXT, rules={"type": "array", "items": RULE, "uniqueItems": True}),
    "required": ["name"],
}
RUN = {
    **strict(
        tool={**strict(driver=DRIVER), "required": ["driver"]},
        invocations={"type": "array", "items": INVOCATION},
        columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        results={"type": "array", "items": RESULT},
        properties={"type": "object"},
    ),
    "required": ["tool"],
}
SARIF_SCHEMA = {
    **strict(
        **{"$schema": {"type": "string", "format": "uri"}},
        version={"const": "2.1.0"},
        runs={"type": "array", "items": RUN},
    ),
    "required": ["version", "runs"],
}
"""What section 3 of SARIF 2.1.0 says of the objects that an audit writes, and no others: names, types, values."""


def test_json_says_everything() -> None:
    told = json.loads(as_json(AUDIT))

    assert told["policies"] == {
        "digest": DIGEST,
        "sources": [{"name": "policies.yaml", "rules": 3, "digest": DIGEST}],
    }
    assert told["summary"] == {
        "projects": 3,
        "seen": {"buckets": 1, "jobs": 2},
        "deny": 2,
        "warn": 1,
        "audit": 1,
        "excepted": 1,
        "unread": 2,
    }
    assert [(one["rule"], one["name"]) for one in told["breaches"]] == [
        ("house/key", "open"),
        ("house/key", "intents"),
        ("house/gate", "intents"),
        ("house/note", "intents"),
        ("house/key", "old"),
    ]
    assert told["breaches"][-1]["exception"] == {"reason": "moved in spring", "expires": "2026-12-31"}
    assert told["breaches"][1]["mender"] == {"name": "ml-team", "how": "label tuneform-owner"}
    assert told["unjudged"] == [{"rule": "house/x", "kind": "TunedModel", "things": 2, "paths": ["data"]}]


@pytest.mark.parametrize("audit", [AUDIT, CLEAN])
def test_sarif_is_what_its_standard_says(audit: Audit) -> None:
    told = json.loads(as_sarif(audit))
    jsonschema.validate(told, SARIF_SCHEMA, format_checker=jsonschema.FormatChecker())


def test_sarif_places_things_by_their_names_and_suppresses_what_is_excepted() -> None:
    (run,) = json.loads(as_sarif(AUDIT))["runs"]
    rules = run["tool"]["driver"]["rules"]
    results = {(one["ruleId"], one["message"]["text"].split(":")[0]): one for one in run["results"]}

    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [
        one["ruleId"] for one in run["results"]
    ]
    assert results["house/key", "TuningJob old"]["suppressions"][0]["kind"] == "external"
    assert [one["level"] for one in run["results"]] == ["error", "error", "warning", "note", "error"]
    place = results["house/key", "TuningJob intents"]["locations"][0]
    assert place["logicalLocations"][0]["fullyQualifiedName"] == BREACH.resource
    assert run["properties"]["policyDigest"] == DIGEST
    assert run["invocations"][0]["executionSuccessful"] is False
    keys = [one["partialFingerprints"]["tuneform/v1"] for one in run["results"]]
    assert keys == [
        one["partialFingerprints"]["tuneform/v1"] for one in json.loads(as_sarif(AUDIT))["runs"][0]["results"]
    ]


def test_junit_fails_by_what_denies_and_has_errors_for_what_was_not_read() -> None:
    root = ElementTree.fromstring(as_junit(AUDIT))
    suites = {suite.get("name"): suite for suite in root}

    counts = {
        name: [suite.get(key) for key in ("tests", "failures", "errors", "skipped")]
        for name, suite in suites.items()
    }
    assert counts == {
        "folders": ["1", "0", "1", "0"],
        "acme-lab": ["1", "0", "1", "0"],
        "acme-off": ["1", "0", "0", "0"],
        "acme-prod": ["5", "2", "0", "1"],
    }
    told = [one.get("value", "") for one in suites["acme-prod"].iterfind("properties/property")]
    assert told == [f"policies.yaml: 3 rules, {DIGEST}"]
    first = suites["acme-prod"].find("testcase/failure")
    assert first is not None
    assert "who can mend it: ml-team (label tuneform-owner)" in (first.text or "")


class Reader(HTMLParser):
    """Texts, and whether what is opened is closed."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(audit: Audit) -> Reader:
    reader = Reader()
    reader.feed(FORMATS["html"](audit))
    assert reader.open == []
    return reader


def test_the_page_says_it_all_and_needs_nothing_else() -> None:
    reader = page(AUDIT)
    text = " ".join(" ".join(reader.texts).split())

    assert {link for link in reader.links if not link.startswith("#")} == {"data:,"}
    for part in (
        DIGEST,
        "no key of your own encrypts it",
        "ml-team (label tuneform-owner)",
        "not known: nobody is known",
        "excepted until 2026-12-31: moved in spring",
        "its exception ended on 2026-01-31",
        "Permission denied",
        "it is open: x to allUsers",
        "house/x is not judged of 2 TunedModels",
    ):
        assert part in text, part
    assert "No rule is broken" in " ".join(page(CLEAN).texts)


def test_people_read_the_same() -> None:
    out = io.StringIO()
    show(AUDIT, Console(file=out, width=80))
    text = out.getvalue()
    for line in (
        "  deny      TuningJob intents  house/key: no key of your own encrypts it\n",
        "            since 2026-01-10T08:00:00Z (created); who can mend it: ml-team (label tuneform-owner)\n",
        "  excepted  TuningJob old",
        "not read acme-lab: the project: Permission denied\n   = remedy: grant it\n",
        "off acme-off: Vertex AI: off\n",
        f"policies policies.yaml: 3 rules, {DIGEST}\n",
        "3 projects (1 bucket, 2 jobs); breaches: 2 of rules that deny, 1 that warn, 1 for audits alone, 1 excepted\n",
    ):
        assert line in text, line


@settings(deadline=None, max_examples=40)
@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_whatever_names_hold_every_form_is_well_formed(name: str, message: str) -> None:
    odd = replace(BREACH, name=name, message=message, mender=Mender(name, "label team"), notes=(message,))
    audit = replace(AUDIT, parts=(Part("acme-prod", "us-central1", {}, (odd,)),))

    assert json.loads(as_json(audit))["breaches"][0]["name"] == name
    jsonschema.validate(json.loads(as_sarif(audit)), SARIF_SCHEMA)
    ElementTree.fromstring(as_junit(audit))
    page(audit)
    out = io.StringIO()
    show(audit, Console(file=out))
    assert not [char for char in out.getvalue() if category(char) == "Cc" and char != "\n"]


def test_a_part_survives_its_journal() -> None:
    for part in AUDIT.parts:
        assert Part.of(json.loads(json.dumps(part.as_plain()))) == part


def test_it_fails_by_what_denies_and_by_what_was_not_read_alone() -> None:
    def fails(*breaches: Breach, unread: tuple[Unread, ...] = ()) -> bool:
        return replace(AUDIT, parts=(Part("p", "x", {}, breaches, (), unread),)).fails

    assert fails(BREACH)
    assert fails(unread=(Unread("p", "x", "no"),))
    assert not fails(WARNED, NOTED, EXCEPTED, unread=(Unread("p", "x", "off", disabled=True),))
