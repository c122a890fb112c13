"""`tuneform schema`: the JSON Schema of the spec language."""

from __future__ import annotations

import click

from tuneform.specs.reference.schema import as_text


@click.command()
def command() -> None:
    """Print the JSON Schema (2020-12) of spec documents, for editors and other programs.

    An editor with a YAML language server completes and underlines a file that names it in its first line:

    \b
      # yaml-language-server: $schema=tuneform.schema.json

    \b
    Examples:
      tuneform schema > specs/tuneform.schema.json
    """
    click.echo(as_text(), nl=False)
