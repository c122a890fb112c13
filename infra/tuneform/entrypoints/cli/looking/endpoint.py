"""`tuneform endpoint`: the resource name that clients call."""

from __future__ import annotations

from dataclasses import asdict

import click

from tuneform import serving
from tuneform.entrypoints.cli.looking.opening import Options, opened, with_options
from tuneform.entrypoints.cli.looking.served import served
from tuneform.entrypoints.cli.reconciling.showing import print_json


@click.command()
@click.argument("name")
@with_options
def command(options: Options, name: str) -> None:
    """Print the full resource name of the endpoint that answers for the TunedModel NAME, and nothing else.

    \b
    Exit codes: 0 printed, 1 nothing serves yet or an error (on stderr).

    \b
    Examples:
      tuneform endpoint support-intents
      tuneform endpoint support-intents --format json     with model, revision and checkpoint
    """
    found: serving.Served = served(opened(options), name)
    if options.is_json:
        print_json(asdict(found))
    else:
        click.echo(found.endpoint)
