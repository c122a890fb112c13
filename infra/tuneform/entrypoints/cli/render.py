"""`tuneform render`: the specs as they come out for each project."""

from __future__ import annotations

from pathlib import Path

import click

from tuneform.entrypoints.cli.reconciling.scope import project_named
from tuneform.entrypoints.cli.settings import Settings, capabilities_option
from tuneform.entrypoints.cli.warning import warn
from tuneform.review.render import rendered
from tuneform.specs import load


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--project", help="Name of a Project document: its documents alone.")
@click.option(
    "--origins", is_flag=True, help="Say beside a value where it is written, if not in the document's spec."
)
@capabilities_option
def command(path: Path | None, project: str | None, origins: bool, capabilities: tuple[Path, ...]) -> None:
    """Print the specs at PATH (default: specs) as they come out: plain documents, one for each of their projects.

    What is said in a project and the Project's defaults are applied. The output is YAML and loads to the same specs;
    saved as a file, it belongs into the folder that was read, from which its data files are named. With --project, the
    documents do not name their project, so that two projects can be compared.

    \b
    Examples:
      tuneform render
      tuneform render --project prod --origins
      diff <(tuneform render --project dev) <(tuneform render --project prod)
    """
    settings = Settings.here(capabilities)
    folder = settings.specs(path)
    tree = load(folder, settings.known())
    chosen = project_named(tree, folder, project).name if project is not None else ""
    warn(tree.warnings)
    click.echo(rendered(tree, chosen, origins=origins), nl=False)
