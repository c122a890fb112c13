"""`tuneform policy admission`: the policies for a Kubernetes cluster."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.admission.objects import admission
from tuneform.entrypoints.doors.admission.reach import defaults_of
from tuneform.entrypoints.doors.policies import judge_of
from tuneform.specs import load


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    help="For kubectl, or as one JSON object with what is left out.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where a rule is left out.")
def command(path: Path | None, form: str, detailed_exitcode: bool) -> None:
    """Print ValidatingAdmissionPolicies for tuneform.dev/v1 objects, of the policies that count for PATH (default:
    specs).

    Admission sees an object as it was written: no Project, no data, no cost, nothing behind a reference. Rules that
    look at those are left out, and named at the top with the reason.

    \b
    Exit codes:
      0  printed
      1  an error (on stderr)
      2  printed, and a rule is left out or not always asked (with --detailed-exitcode)

    \b
    Examples:
      tuneform policy admission house/policies | kubectl apply -f -
      tuneform policy admission --format json
    """
    settings = Settings.here()
    tree = load(settings.specs(path), settings.known())
    made = admission(judge_of(tree, settings).sets, defaults_of(tree), settings.today())
    if form == "json":
        click.echo(json.dumps(made.as_object(), indent=2, ensure_ascii=False))
    else:
        click.echo(made.as_yaml(), nl=False)
    if detailed_exitcode and (made.unexpressed or made.partly):
        sys.exit(2)
