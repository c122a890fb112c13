"""Markdown for comments on GitHub and GitLab: text that shows as it is, tables, folded parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

LONGEST = 300
"""Characters of one value or text that are shown; what is longer was not written for a comment."""

_LINK = re.compile(r"(https?(?=://)|www(?=\.))", re.IGNORECASE)


def size(text: str) -> int:
    """How long a comment is to GitHub and GitLab, which may count characters beyond the basic plane twice."""
    return len(text) + sum(character > "\uffff" for character in text)


def short(text: str, longest: int = LONGEST) -> str:
    """A text on one line, cut where it is too long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else f"{flat[: longest - 1].rstrip()}…"


def plain(text: str) -> str:
    """Text that shows as it is: nothing in it is Markdown, HTML, mathematics, a link, or a mention of somebody."""
    marked = re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", " ".join(text.split()))
    marked = _LINK.sub(r"\1<!-- -->", marked)
    return marked.replace("@", "@<!-- -->").replace("$", "<span>$</span>")


def code(text: str) -> str:
    """Text in a code span, where it holds nothing that would end one."""
    flat = " ".join(text.split())
    return f"`{flat}`" if flat and not set(flat) & set("`|") else plain(flat)


def row(cells: Sequence[str]) -> str:
    """A line of a table, of cells that are Markdown already."""
    return f"| {' | '.join(cells)} |\n"


def head(cells: Sequence[str]) -> str:
    """The first two lines of a table, with the blank line that it needs before it."""
    return f"\n{row(cells)}{row(['---'] * len(cells))}"


def folded(title: str, lines: Iterable[str]) -> str:
    """A part that opens when it is clicked; `title` is plain text, the lines are Markdown."""
    summary = escape(" ".join(title.split()), quote=False).replace("@", "@<!-- -->")
    body = "\n".join(lines)
    return f"\n<details><summary>{summary}</summary>\n\n{body}\n\n</details>\n"


def comment(text: str) -> str:
    """A line that nobody sees: a program finds a comment by it."""
    return f"<!-- {re.sub(r'--+|[<>]', '-', ' '.join(text.split()))} -->\n"
