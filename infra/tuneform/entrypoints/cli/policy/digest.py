"""`tuneform policy digest`: what pins policies."""

from __future__ import annotations

from pathlib import Path

import click

from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.policies import Bundle, read_bundle


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def command(path: Path | None) -> None:
    """Print the digest of the policies at PATH (default: specs), which pins them: PATH@sha256:….

    It is that of what they say: another order or layout of the same rules and exceptions has the same. Built-in rules
    count as this version of tuneform has them.

    \b
    Examples:
      tuneform policy digest house/policies
      TUNEFORM_POLICIES="gs://acme-policies/house.yaml@$(tuneform policy digest house.yaml)" tuneform check
    """
    settings = Settings.here()
    click.echo(read_bundle(Bundle(str(settings.specs(path))), settings).digest)
