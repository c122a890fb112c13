"""What matplotlib draws, made fit to stand in a page: a name for those who do not see it, and no ids but those needed.

Colours become the page's own variables, so that a figure is right on dark paper as well as on light.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from tuneform.review.report.plots import Palette

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_PLACES = ("d", "transform", "viewBox", "x", "y")
_FRACTION = re.compile(r"-?\d+\.\d+")
_FONT = re.compile(r"font:\s*(?P<size>[\d.]+px)[^;]*")

MARKERS = Palette("#a10001", "#a10002", "#a10003", "#a10004", "#a10005", "#a10006")
"""Colours that stand for the page's variables."""
_VARIABLES = {
    MARKERS.ink: "var(--ink)",
    MARKERS.faint: "var(--line)",
    MARKERS.training: "var(--training)",
    MARKERS.validation: "var(--validation)",
    MARKERS.chosen: "var(--ink)",
    MARKERS.paper: "var(--paper)",
}


def inline(drawn: str, *, prefix: str, words: str) -> str:
    """The figure for a page; `prefix` sets its ids apart from those of other figures, `words` say what it shows."""
    root = ElementTree.fromstring(drawn)  # noqa: S314 (matplotlib wrote it)
    _drop_what_no_page_needs(root)
    _rename(root, prefix)
    for element in root.iter():
        style = element.get("style")
        if style is not None:
            element.set("style", _FONT.sub(r"font-size: \g<size>", style))
        for name in element.attrib.keys() & _PLACES:
            element.set(name, _FRACTION.sub(_rounded, element.attrib[name]))
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.attrib.update({"role": "img", "aria-label": words, "class": "curve"})
    ElementTree.register_namespace("", _SVG)
    text = ElementTree.tostring(root, encoding="unicode").replace(f' xmlns="{_SVG}"', "", 1)
    for marker, variable in _VARIABLES.items():
        text = text.replace(marker, variable)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _rounded(number: re.Match[str]) -> str:
    """To a hundredth of a point, which nobody sees: a seventh less to send, and the same on every machine."""
    return f"{round(float(number[0]), 2):g}"


def _drop_what_no_page_needs(root: Any) -> None:
    """Its metadata, and its style sheet, which would hold for the whole page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
                parent.remove(child)


def _rename(root: Any, prefix: str) -> None:
    """Keep the ids that something refers to, under names that no other figure has."""
    used = dict.fromkeys(name for name in _references(root) if name)
    names = {name: f"{prefix}-{number}" for number, name in enumerate(used, 1)}
    for element in root.iter():
        found = element.attrib.pop("id", None)
        if found in names:
            element.set("id", names[found])
        target = element.attrib.pop(_HREF, None)
        if target is not None:
            element.set("href", f"#{names[target[1:]]}")
        for name, value in element.attrib.items():
            element.set(name, _REFERENCE.sub(lambda match: f"url(#{names[match[1]]})", value))


def _references(root: Any) -> Iterator[str]:
    for element in root.iter():
        yield element.get(_HREF, "")[1:]
        for value in element.attrib.values():
            yield from _REFERENCE.findall(value)
