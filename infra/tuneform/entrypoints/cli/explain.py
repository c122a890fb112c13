"""`tuneform explain`: what a kind, a field, a built-in rule or a code means."""

from __future__ import annotations

from pathlib import Path

import click

from tuneform.entrypoints.cli.settings import Settings, capabilities_option
from tuneform.errors import SpecErrors
from tuneform.review.codes import CODES
from tuneform.specs.reference.explain import explain


@click.command()
@click.argument("what")
@capabilities_option
def command(what: str, capabilities: tuple[Path, ...]) -> None:
    """Explain a kind, one of its fields, a base model, a built-in rule of policies, or the code of any error.

    Of a model it shows what is known, each fact with the document that says it.

    \b
    Examples:
      tuneform explain TuningJob
      tuneform explain TuningJob.limits.timeout
      tuneform explain metadata.labels
      tuneform explain E123
      tuneform explain gemini-2.5-flash
      tuneform explain models
      tuneform explain cmek-required
    """
    known = Settings.here(capabilities).known()
    if known.found:
        raise SpecErrors(known.found)
    click.echo(explain(what, CODES, known))
