"""`tuneform status`: what has become of each tuning."""

from __future__ import annotations

import click
from rich.console import Console

from tuneform.entrypoints.cli.looking import following
from tuneform.entrypoints.cli.looking.opening import Options, opened, with_options
from tuneform.entrypoints.cli.looking.surveying import Survey
from tuneform.entrypoints.cli.reconciling.showing import print_json
from tuneform.review import status_words
from tuneform.review.status import TuningSeen, as_json


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--watch", is_flag=True, help="Go on looking until nothing moves any more, or Ctrl-C.")
@with_options
def command(options: Options, names: tuple[str, ...], *, watch: bool) -> None:
    """Show what has become of each tuning, or of those with a NAME (of a TuningJob or a TunedModel). Only reads.

    One line a tuning; with NAMEs everything about each, and with one NAME its loss curve. Tunings that are live and
    in no document any more are shown as well, marked as such. With --format json and --watch each look that shows
    something new is one object on a line.

    \b
    Exit codes: 0 shown, 1 an error (on stderr), 130 ended with Ctrl-C before everything was settled.

    \b
    Examples:
      tuneform status
      tuneform status support-intents
      tuneform status --watch
      tuneform status --format json
    """
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


def in_words(survey: Survey, found: tuple[TuningSeen, ...]) -> list[str]:
    """A look as lines: blocks where tunings were named, else a table."""
    if not found:
        return ["no tuning is declared, and none is live"]
    if not survey.names:
        return status_words.table(found)
    now = survey.now()
    return [line for one in found for line in status_words.block(one, now=now)]
