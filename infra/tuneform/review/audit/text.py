"""An audit for people, on a terminal or in a pipe."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text

from tuneform.review.audit import words
from tuneform.review.audit.data import Audit, Breach

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
STYLES = {"deny": "bold red", "warn": "yellow", "audit": "cyan"}


def show(audit: Audit, console: Console) -> None:
    """By project what is broken; then what could not be read or judged, and by which rules."""
    for project, breaches in audit.by_project():
        if not breaches:
            continue
        console.print(Text(project, style="bold"), soft_wrap=True)
        for breach in breaches:
            _breach(breach, console)
        console.print()
    for failure in audit.unread:
        style = "dim" if failure.disabled else "bold red"
        word = "off" if failure.disabled else "not read"
        console.print(Text.assemble((word, style), f" {_plain(words.unread(failure))}"), soft_wrap=True)
        if failure.remedy:
            console.print(Text(f"   = remedy: {_plain(failure.remedy)}"), soft_wrap=True)
    for one in audit.unjudged:
        console.print(Text(words.unjudged(one), style="dim"), soft_wrap=True)
    for source in audit.sources:
        console.print(Text(f"policies {source}"), soft_wrap=True)
    console.print(Text(words.summary(audit)), soft_wrap=True)


def _plain(text: str) -> str:
    """Without what a terminal would obey: names are whatever somebody gave."""
    return _CONTROL.sub("\ufffd", text)


def _breach(breach: Breach, console: Console) -> None:
    style = "dim" if breach.until else STYLES[breach.enforcement]
    word = "excepted" if breach.until else breach.enforcement
    head = f"  {breach.kind} {breach.name}  {breach.rule}: {breach.message}"
    console.print(Text.assemble((f"  {word:8}", style), _plain(head)), soft_wrap=True)
    lines = [
        breach.resource,
        *breach.notes,
        f"{words.since(breach)}; who can mend it: {words.mender(breach)}",
        words.standing(breach),
        f"remedy: {breach.remedy}" if breach.remedy and not breach.until else "",
    ]
    for line in filter(None, lines):
        console.print(
            Text(f"            {_plain(line)}", style="dim" if breach.until else ""), soft_wrap=True
        )
