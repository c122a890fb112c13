"""The page in a real browser: it acts on nothing, everybody can read it, and it prints whole."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.unit.review.report.samples import everything

from tuneform.review.report import page, pictures

BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
A4 = 794 - 2 * 45
"""Pixels between the margins of a sheet."""
PHONE = 320


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = everything()
    made = tmp_path_factory.mktemp("report") / "report.html"
    made.write_text(page(report, pictures(report)), encoding="utf-8")
    return made


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Page]:
    tab = browser.new_page()
    tab.goto(file.as_uri())
    yield tab
    tab.close()


def test_it_says_nothing_on_the_console_and_asks_for_nothing_but_itself(browser: Browser, file: Path) -> None:
    tab = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: said.append(dialog.message))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    tab.wait_for_load_state("networkidle")

    assert said == []
    assert [url for url in asked if url != "data:,"] == [file.as_uri()]
    tab.close()


def test_it_is_laid_out_for_those_who_do_not_see_it(opened: Page) -> None:
    found: dict[str, Any] = opened.evaluate(
        """() => {
            const all = query => [...document.querySelectorAll(query)];
            return {
                lang: document.documentElement.lang,
                landmarks: all("header, nav, main, footer").map(e => e.tagName),
                levels: all("h1, h2, h3, h4, h5, h6").map(e => Number(e.tagName[1])),
                pictures: all("svg, img").map(e => e.getAttribute("aria-label") || e.getAttribute("alt") || ""),
                tables: all("table").length,
                captions: all("table > caption").filter(e => e.textContent.trim()).length,
                unscoped: all("th").filter(e => !["row", "col"].includes(e.getAttribute("scope"))).length,
                rows: all("tbody tr").filter(e => e.cells[0].tagName !== "TH").length,
                scrolling: all(".scroll").filter(e => e.tabIndex !== 0 || !e.getAttribute("aria-label")).length,
                summaries: all("details").length === all("details > summary").length,
            };
        }"""
    )

    assert found["lang"] == "en"
    assert found["landmarks"] == ["HEADER", "NAV", "MAIN", "FOOTER"]
    levels = found["levels"]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert [(a, b) for a, b in itertools.pairwise(levels) if b > a + 1] == []
    assert len(found["pictures"]) == 5  # three tunings have curves, one of them of its loss alone
    assert all(re.search(r"\d\.\d\d\d|%", name) for name in found["pictures"])
    assert found["captions"] == found["tables"] > 10
    assert (found["unscoped"], found["rows"], found["scrolling"], found["summaries"]) == (0, 0, 0, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_text_stands_out_from_what_is_behind_it(browser: Browser, file: Path, scheme: Any) -> None:
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(file.as_uri())
    pale: list[str] = tab.evaluate(
        """() => {
            const rgb = text => text.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => {
                const [x, y, z] = [r, g, b].map(v => v / 255).map(
                    v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * x + 0.7152 * y + 0.0722 * z;
            };
            const behind = element => {
                for (let e = element; e; e = e.parentElement) {
                    const colour = rgb(getComputedStyle(e).backgroundColor);
                    if (colour[3] !== 0) return colour;
                }
                return [255, 255, 255];
            };
            const found = [];
            for (const element of document.querySelectorAll("body *")) {
                const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
                if (!own) continue;
                const style = getComputedStyle(element);
                const drawn = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
                const [a, b] = [light(rgb(drawn)), light(behind(element))].sort((x, y) => y - x);
                const ratio = (a + 0.05) / (b + 0.05);
                if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 100)}`);
            }
            return [...found, `looked at ${document.querySelectorAll("svg text").length > 20}`];
        }"""
    )
    tab.close()

    assert pale == ["looked at true"]


def test_it_can_be_read_with_a_keyboard_alone(opened: Page) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to the content"
    summary = opened.locator("summary", has_text="Labels of intents")
    summary.focus()
    opened.keyboard.press("Enter")

    assert opened.get_by_role("table", name="How often each label of intents occurs").is_visible()


def test_nothing_is_cut_off_on_a_phone(browser: Browser, file: Path) -> None:
    tab = browser.new_page(viewport={"width": PHONE, "height": 700})
    tab.goto(file.as_uri())

    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE
    tab.close()


def test_it_prints_on_pages_with_its_details_and_with_tables_as_wide_as_the_paper(
    browser: Browser, file: Path
) -> None:
    tab = browser.new_page(viewport={"width": A4, "height": 1000})
    tab.goto(file.as_uri())
    tab.emulate_media(media="print")
    found: dict[str, Any] = tab.evaluate(
        """() => ({
            closed: [...document.querySelectorAll("details")].filter(
                e => e.clientHeight < e.firstElementChild.clientHeight + 20).length,
            details: document.querySelectorAll("details").length,
            cut: [...document.querySelectorAll("table, svg, code")].filter(
                e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 200)),
            navigation: getComputedStyle(document.querySelector("nav")).display,
        })"""
    )
    pdf = tab.pdf(prefer_css_page_size=True)
    tab.close()

    assert found["details"] > 5
    assert (found["closed"], found["cut"], found["navigation"]) == (0, [], "none")
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 3
