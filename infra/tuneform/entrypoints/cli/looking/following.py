"""`tuneform status --watch`: look again and again, until nothing moves any more."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Protocol

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from tuneform.entrypoints.cli.looking.opening import Opened, Options
from tuneform.entrypoints.cli.looking.surveying import Survey
from tuneform.errors import RemoteError
from tuneform.reconcile.ports import Clock
from tuneform.review import status_words
from tuneform.review.status import TuningSeen, as_json

Seen = tuple[TuningSeen, ...]
TROUBLES = 5
"""How many looks in a row may fail before watching is given up."""


class Screen(Protocol):
    """Where looks are shown."""

    def show(self, found: Seen) -> None:
        """Show one look."""
        ...

    def say(self, text: str) -> None:
        """Say something beside it."""
        ...


def watch(look: Callable[[], Seen], screen: Screen, clock: Clock, *, poll: float) -> bool:
    """Look and show until nothing moves; says whether that was reached, and not called off.

    Raises:
        RemoteError: `TROUBLES` looks in a row failed.
    """
    failed = 0
    while True:
        try:
            found = look()
        except RemoteError as error:
            failed += 1
            if failed >= TROUBLES:
                raise
            screen.say(f"{error.message}; looks again in {poll:g} s")
        else:
            failed = 0
            screen.show(found)
            if not any(one.moving for one in found):
                return True
        if clock.wait(poll):
            return False


def follow(open_: Opened, survey: Survey, options: Options) -> None:
    """Watch on the terminal, or as lines of what changed where lines stay."""
    console = Console(highlight=False, soft_wrap=True)
    with open_.clock.listening():
        if console.is_terminal and not options.is_json:
            with Live(console=console, auto_refresh=False) as live:
                settled = watch(survey.look, _InPlace(live, survey), open_.clock, poll=open_.ports.poll)
        else:
            screen = _Objects() if options.is_json else _Lines(console)
            settled = watch(survey.look, screen, open_.clock, poll=open_.ports.poll)
    if not settled:
        sys.exit(130)


class _InPlace:
    """A terminal: the look before is overwritten."""

    def __init__(self, live: Live, survey: Survey) -> None:
        self._live, self._survey = live, survey

    def show(self, found: Seen) -> None:
        if self._survey.names:
            now = self._survey.now()
            lines = [line for one in found for line in status_words.block(one, now=now)]
        else:
            lines = status_words.table(found)
        self._live.update(Text("\n".join(lines)), refresh=True)

    def say(self, text: str) -> None:
        self._live.console.print(text, markup=False)


class _Lines:
    """A pipe: a line for each tuning that has changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: Seen = ()

    def show(self, found: Seen) -> None:
        for line in status_words.changed(self._before, found):
            self._console.print(line, markup=False)
        self._before = found

    def say(self, text: str) -> None:
        click.echo(text, err=True)


class _Objects:
    """One JSON object on a line for each look that differs from the one before."""

    def __init__(self) -> None:
        self._before = ""

    def show(self, found: Seen) -> None:
        text = json.dumps({"tunings": [as_json(one) for one in found]}, ensure_ascii=False)
        if text != self._before:
            click.echo(text)
        self._before = text

    def say(self, text: str) -> None:
        click.echo(text, err=True)
