"""`tuneform status`: what has become of each tuning."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console

from tuneform.entrypoints.cli.looking import following
from tuneform.entrypoints.cli.looking.opening import Opened, Options, opened, opened_each, with_options
from tuneform.entrypoints.cli.looking.surveying import Survey
from tuneform.entrypoints.cli.reconciling.several import Failed, each, heading
from tuneform.entrypoints.cli.reconciling.showing import print_json
from tuneform.review import status_words
from tuneform.review.several import error_object
from tuneform.review.status import TuningSeen, as_json


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--watch", is_flag=True, help="Go on looking until nothing moves any more, or Ctrl-C.")
@with_options
def command(options: Options, names: tuple[str, ...], *, watch: bool) -> None:
    """Show what has become of each tuning, or of those with a NAME (of a TuningJob or a TunedModel). Only reads.

    One line a tuning; with NAMEs everything about each, and with one NAME its loss curve. Tunings that are live and
    in no document any more are shown as well, marked as such. With --format json and --watch each look that shows
    something new is one object on a line. Where the specs hold several projects, each is shown, one below another;
    NAMEs and --watch want one of them, named with --project.

    \b
    Exit codes: 0 shown, 1 an error (on stderr) in any project, 130 ended with Ctrl-C before everything was settled.

    \b
    Examples:
      tuneform status
      tuneform status support-intents
      tuneform status --watch
      tuneform status --format json
    """
    if not names and not watch and len(opens := opened_each(options)) > 1:
        _show_each(opens, options)
        return
    open_ = opened(options)
    survey = Survey(open_, names)
    if watch:
        following.follow(open_, survey, options)
        return
    found = survey.look()
    if options.is_json:
        print_json({"tunings": [as_json(one) for one in found]})
        return
    console = Console(highlight=False, soft_wrap=True)
    for line in in_words(survey, found):
        console.print(line, markup=False)
    if len(names) == 1 and len(found) == 1:
        console.print(survey.curve(found[0], console), markup=False)


def _show_each(opens: Sequence[Opened], options: Options) -> None:
    """The tunings of several projects; one that cannot be looked at stops no other."""
    at_once = opens[0].settings.at_once(None)
    looks = each(
        opens, lambda one: one.project.name, lambda one: (survey := Survey(one), survey.look()), at_once
    )
    console = Console(highlight=False, soft_wrap=True)
    shown: list[dict[str, Any]] = []
    for one, look in zip(opens, looks, strict=True):
        name = one.project.name
        if isinstance(look, Failed):
            shown.append({"project": name, "error": error_object(look.error)})
            lines = [look.error.render()]
        else:
            shown.append({"project": name, "tunings": [as_json(seen) for seen in look[1]]})
            lines = in_words(*look)
        if not options.is_json:
            heading(name, console)
            for line in [*lines, ""]:
                console.print(line, markup=False)
    if options.is_json:
        print_json({"projects": shown})
    if any(isinstance(look, Failed) for look in looks):
        sys.exit(1)


def in_words(survey: Survey, found: tuple[TuningSeen, ...]) -> list[str]:
    """A look as lines: blocks where tunings were named, else a table."""
    if not found:
        return ["no tuning is declared, and none is live"]
    if not survey.names:
        return status_words.table(found)
    now = survey.now()
    return [line for one in found for line in status_words.block(one, now=now)]
