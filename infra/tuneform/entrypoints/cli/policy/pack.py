"""`tuneform policy pack`: a Pulumi policy pack of the policies."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.pack.writing import write_pack
from tuneform.entrypoints.doors.policies import judge_of
from tuneform.errors import SettingsError
from tuneform.specs import load

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--name", default="tuneform", show_default=True, help="What the pack is called.")
def command(folder: Path, path: Path | None, name: str) -> None:
    """Write a Pulumi policy pack (CrossGuard) to FOLDER, of the policies that count for PATH (default: specs).

    It asks every program's resources, whoever wrote it: ours, and buckets, keys and service accounts of pulumi-gcp. A
    rule that denies is mandatory there, one that warns advisory, and one for audits disabled. It needs nothing but its
    requirements.txt. docs/policy-doors.md says how an organisation requires it.

    \b
    Examples:
      tuneform policy pack build/pack house/policies
      pulumi preview --policy-pack build/pack
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"a pack cannot be called {name!r}", remedy="take at most 100 letters, digits, dashes, dots"
        )
    settings = Settings.here()
    judge = judge_of(load(settings.specs(path), settings.known()), settings)
    if not judge.rules:
        raise SettingsError(
            "no policy counts here, and a pack must have one",
            remedy="name a folder with Policy documents, or a bundle in the setting `policies`",
        )
    written = write_pack(folder, name, judge.sets)
    click.echo(f"{folder}: {len(judge.rules)} rules in {len(written)} files, {judge.digest}")
