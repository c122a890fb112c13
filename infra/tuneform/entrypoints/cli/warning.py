"""Warnings, told to the person who runs a command."""

from __future__ import annotations

from collections.abc import Iterable

import click

from tuneform.errors import Diagnostic, told_once


def warn(found: Iterable[Diagnostic]) -> None:
    """Print what is questionable on stderr, where it is in no program's way."""
    for text in told_once(found):
        click.echo(text, err=True)
