"""`tuneform report`: one HTML page about all tunings."""

from __future__ import annotations

from pathlib import Path

import click

from tuneform.entrypoints.cli.looking import reporting
from tuneform.entrypoints.cli.reconciling.scope import scopes
from tuneform.entrypoints.cli.settings import Settings, capabilities_option, prices_option


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=reporting.FILE,
    show_default=True,
    metavar="FILE|DIR",
    help="The page: a name that ends in .html, or a folder to put it in.",
)
@click.option(
    "--png", type=click.Path(path_type=Path), metavar="DIR", help="Put each curve there, too, as a PNG."
)
@click.option("--project", help="Only this Project, where the specs hold several.")
@click.option("--google-cloud", is_flag=True, help="Look at Google Cloud, not at the emulator.")
@capabilities_option
@prices_option
def command(
    *,
    path: Path | None,
    out: Path,
    png: Path | None,
    project: str | None,
    google_cloud: bool,
    capabilities: tuple[Path, ...],
    prices: Path | None,
) -> None:
    """Write one HTML page about every tuning of the specs at PATH (default: specs). It only reads what is live.

    Jobs and their states, curves of loss and accuracy with checkpoints and the chosen one, gates, figures of the data,
    cost, policy, and what differs from the specs; of all projects that the specs hold. The page needs no other file and
    no network, so that it can be sent as it is. What was written is printed, a line a file.

    \b
    Exit codes: 0 written, whatever it says; 1 an error (on stderr).

    \b
    Examples:
      tuneform report
      tuneform report --out build/ --png build/curves
      tuneform report specs/support-intents.yaml --out intents.html
      tuneform report --google-cloud --prices prices.toml
    """
    settings = Settings.here(capabilities, prices)
    page = reporting.page_file(out)
    found = scopes(settings, path, project)
    made = reporting.made(settings, found, google_cloud=google_cloud)
    for file in reporting.write(made, page, png):
        click.echo(file)
