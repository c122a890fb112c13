"""An audit as one HTML page that needs nothing else: no script, no network, no other file. It looks like the report."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tuneform import __version__
from tuneform.review.audit import words
from tuneform.review.audit.data import Audit
from tuneform.review.report.page import SYMBOLS

TONES = {"deny": "bad", "warn": "warn", "audit": "quiet", "excepted": "quiet"}
"""What a breach looks like, in the words of the report's style."""

if TYPE_CHECKING:  # loaded where a page is made
    from jinja2 import Environment


def as_html(audit: Audit) -> str:
    """The page; whatever is not ours is escaped."""
    made = _environment().get_template("page.html").render(audit=audit, words=words, version=__version__)
    return "\n".join(line.rstrip() for line in made.splitlines() if line.strip()) + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import (  # noqa: PLC0415
        ChoiceLoader,
        Environment,
        PackageLoader,
        PrefixLoader,
        StrictUndefined,
    )

    shared = PrefixLoader({"report": PackageLoader("tuneform.review.report")})
    made = Environment(
        loader=ChoiceLoader([PackageLoader("tuneform.review.audit"), shared]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["symbols"] = SYMBOLS
    made.globals["tones"] = TONES
    return made
