"""`tuneform ask`: one question to a served model."""

from __future__ import annotations

from pathlib import Path

import click

from tuneform.entrypoints.cli.running.questions import answer
from tuneform.entrypoints.cli.settings import Settings, running_emulator
from tuneform.errors import NotFound, SettingsError
from tuneform.specs import TunedModel, load


@click.command()
@click.argument("name")
@click.argument("question")
@click.option("--specs", type=click.Path(path_type=Path), help="Spec folder that declares the model.")
@click.option("--google-cloud", is_flag=True, help="Ask Google Cloud's endpoint, not the emulator's.")
def command(name: str, question: str, specs: Path | None, google_cloud: bool) -> None:
    """Ask the TunedModel NAME a QUESTION and print its answer.

    \b
    Example:
      tuneform ask support-intents "Where is my parcel?"
    """
    settings = Settings.here()
    tree = load(settings.specs(specs))
    found = next((document for document in tree.of(TunedModel) if document.name == name), None)
    if found is None:
        names = ", ".join(document.name for document in tree.of(TunedModel)) or "none"
        raise SettingsError(f"there is no TunedModel {name!r} in {tree.root}", remedy=f"it declares: {names}")
    endpoint = None if google_cloud else running_emulator(settings).endpoint
    try:
        click.echo(answer(tree, found, endpoint, question))
    except NotFound as error:
        raise NotFound(error.message, remedy="run `tuneform up`: nothing serves there yet") from error
