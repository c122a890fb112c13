"""`tuneform audit`: what is live in many projects, judged by the policies. It only reads."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tuneform.entrypoints.cli.auditing.asking import Question, answered, question
from tuneform.entrypoints.cli.reconciling.showing import console
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, prices_option
from tuneform.review.audit.programs import FORMATS
from tuneform.review.audit.text import show


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--projects",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The projects: lines of PROJECT [LOCATION …], or a YAML list.",
)
@click.option("--folder", metavar="NUMBER", help="All active projects below this folder.")
@click.option("--organization", metavar="NUMBER", help="All active projects of this organisation.")
@click.option(
    "--location",
    "locations",
    multiple=True,
    help="Where to look, in every project; may be given several times. Else: what FILE says, the locations of the "
    "project's documents at PATH, or every location that `tuneform explain` knows of.",
)
@click.option(
    "--policies",
    multiple=True,
    metavar="BUNDLE",
    help="Policies: PATH or gs://BUCKET/OBJECT, with @sha256:… (default: the setting `policies`).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    help="For people, or on stdout: JSON, SARIF (code scanning), JUnit (test reports), one HTML page.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where what was read is kept while the audit goes on (default: below .tuneform/audit).",
)
@click.option("--google-cloud", is_flag=True, help="Look at Google Cloud, not at the emulator.")
@capabilities_option
@prices_option
def command(
    *,
    path: Path | None,
    projects: Path | None,
    folder: str | None,
    organization: str | None,
    locations: tuple[str, ...],
    policies: tuple[str, ...],
    form: str,
    state: Path | None,
    google_cloud: bool,
    capabilities: tuple[Path, ...],
    prices: Path | None,
) -> None:
    """Judge what is live in many projects, tuneform's or not, by the policies at PATH and of the setting `policies`.

    Jobs, models, endpoints and buckets are read, and nothing is changed. Each breach says since when it has been one at
    least, and who can mend it. An audit that was interrupted goes on where it was when the same command is run again.

    \b
    Exit codes:
      0    no rule that denies is broken, and everything could be read
      1    one is, something could not be read, or an error
      2    the command line is wrong
      130  interrupted; run it again to go on

    \b
    Examples:
      tuneform audit --projects projects.txt
      tuneform audit specs --projects projects.yaml --location us-central1 --location europe-west4
      tuneform audit --folder 123456789012 --policies gs://house/policies.yaml@sha256:… --google-cloud
      tuneform audit --organization 123456789012 --format sarif --google-cloud > audit.sarif
    """
    settings = Settings.here(capabilities, prices).with_policies(policies)
    asked = Question(path, projects, folder, organization, locations, google_cloud, state)
    found = answered(question(asked, settings), settings)
    if form == "text":
        show(found, console())
    else:
        sys.stdout.write(FORMATS[form](found))
    sys.exit(1 if found.fails else 0)
