"""The page as a whole: on record, whole in itself, and with nothing of anybody's that acts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.unit.review.report import samples
from tests.unit.review.report.samples import HOSTILE, Scene, everything

from tuneform.review.report import Judged, Report, page, pictures

GOLDEN = Path(__file__).parents[3] / "golden" / "report" / "everything.html"
VOID = {"meta", "link", "br", "img"}


class Document(HTMLParser):
    """What a page holds: its elements with their attributes, its text, and tags that were left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def made(report: Report) -> str:
    return page(report, pictures(report))


@pytest.fixture(scope="module")
def html() -> str:
    return made(everything())


def test_the_page_is_as_on_record(html: str) -> None:
    """`TUNEFORM_GOLDEN=write` records it anew."""
    if os.environ.get("TUNEFORM_GOLDEN") == "write":
        GOLDEN.write_text(html, encoding="utf-8")
    assert html == GOLDEN.read_text(encoding="utf-8")


def test_it_needs_no_script_no_network_and_no_other_file(html: str) -> None:
    document = Document(html)

    assert document.open == []
    assert not document.of("script")
    assert not [name for _, attributes in document.elements for name in attributes if name.startswith("on")]
    targets = [a[name] for _, a in document.elements for name in ("src", "href", "srcset") if name in a]
    assert [target for target in targets if not target.startswith("#")] == ["data:,"]
    assert re.findall(r"url\((?!#)|@import", html) == []
    (policy,) = [
        a["content"] for a in document.of("meta") if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'")


def test_ids_are_there_once_and_all_that_is_referred_to_is_there(html: str) -> None:
    document = Document(html)
    ids = Counter(attributes["id"] for _, attributes in document.elements if "id" in attributes)

    assert [name for name, times in ids.items() if times > 1] == []
    wanted = {a["href"][1:] for _, a in document.elements if a.get("href", "").startswith("#")}
    wanted |= {a["aria-labelledby"] for _, a in document.elements if "aria-labelledby" in a}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", html))
    assert wanted <= set(ids)


def test_what_is_hostile_is_shown_and_does_nothing(html: str) -> None:
    assert "<script" not in html
    assert Document(html).text.count(HOSTILE) >= 5  # a description, an error, a remedy, a label, a finding


def test_a_hostile_name_is_escaped_in_text_figures_and_attributes() -> None:
    scene = Scene()
    samples.good(scene)
    report = samples.report(scene)
    (part,) = report.projects[0].tunings
    named = replace(part, seen=replace(part.seen, name=f'"><svg onload=x>{HOSTILE}$x^$'))
    html = made(replace(report, projects=(replace(report.projects[0], tunings=(named,)),)))

    document = Document(html)
    assert document.open == []
    assert not document.of("script")
    assert not [a for _, a in document.elements if "onload" in a]
    assert any(HOSTILE in a.get("aria-label", "") for a in document.of("svg"))


def test_every_tuning_is_shown_with_its_state_in_words(html: str) -> None:
    text = Document(html).text

    for said in (
        "✓ serving",
        "! serving, differs",
        "✗ gate not passed",
        "✗ failed",
        "! cancelled",
        "… running",
        "✗ unresolved",
        "✗ blocked",
        "! unknown",
        "! live only",
        "○ not started",
    ):
        assert said in text, said


def test_what_is_worst_comes_first_among_what_wants_a_look(html: str) -> None:
    (listed,) = re.findall(r'<ul class="attention">(.*?)</ul>', html, re.DOTALL)
    tones = re.findall(r'class="state (\w+)"', listed)

    assert tones == sorted(tones, key=["bad", "warn"].index)
    assert set(tones) == {"bad", "warn"}


def test_a_warning_that_holds_at_several_places_is_said_once(html: str) -> None:
    text = Document(html).text

    assert text.count("gemini-2.5-flash is to retire") == 1
    assert "specs/a.yaml:3:5, specs/b.yaml:7:5" in text


def test_policies_are_shown_with_their_effect_their_reason_and_their_exceptions(html: str) -> None:
    text = Document(html).text

    assert "house/keys ✗ deny TuningJob intents in demo spec.encryptionKey no key" in text
    assert "house/epochs ! warn TuningJob intents in demo 20 epochs; 10 are the most Remedy: set" in text
    assert "house/labels ○ audit" in text
    assert "house/gate ○ excepted" in text
    assert "Excepted until 2027-03-31: A pilot until spring." in text
    assert "Its exception ended on 2026-10-31: A trial." in text
    assert "shared/policies: 1 rule" in text
    assert "house/cost of TuningJob running in demo: cost.tokensHigh" in text
    assert "Policy : 1 finding that blocks" in text


def test_without_policies_nothing_is_claimed() -> None:
    assert "No policies were judged." in made(samples.report(Scene()))
    judged = made(samples.report(Scene(), judged=Judged("sha256:1")))
    assert "No policies were judged." not in judged
    assert "Nothing found" in judged


def test_a_report_of_nothing_says_so() -> None:
    empty = Document(made(samples.report(Scene()))).text

    assert "No tuning is declared, and none is live." in empty
    assert "No dataset is declared." in empty
    assert "No changes: 0 documents agree with what is live." in empty
    assert "No project" in Document(made(samples.report())).text


def test_figures_of_the_emulator_are_marked_as_its_own() -> None:
    assert "It is not Gemini" in made(samples.report(Scene(), emulated=True))
    assert "It is not Gemini" not in made(samples.report(Scene(), place="Google Cloud"))


def test_importing_the_report_loads_neither_matplotlib_nor_jinja() -> None:
    code = "import sys, tuneform.review.report; print(*{'matplotlib', 'jinja2', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
