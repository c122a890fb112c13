"""`tuneform explain`: what a kind, a field or a code means."""

from __future__ import annotations

import click

from tuneform.review.diagnostics import CODES
from tuneform.specs.reference.explain import explain


@click.command()
@click.argument("what")
def command(what: str) -> None:
    """Explain a kind, one of its fields, or the code of an error in specs or datasets.

    \b
    Examples:
      tuneform explain TuningJob
      tuneform explain TuningJob.limits.timeout
      tuneform explain metadata.labels
      tuneform explain E123
    """
    click.echo(explain(what, CODES))
