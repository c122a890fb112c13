"""`tuneform init`: a spec folder to begin with, from a few questions."""

from __future__ import annotations

import shutil
from getpass import getuser
from pathlib import Path

import click

from tuneform.entrypoints.cli.running.rows import load_with_rows
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.cli.starting import pipelines
from tuneform.entrypoints.cli.starting.answers import NAME, OWNER, PROJECT_ID, Answers, Asking
from tuneform.entrypoints.cli.starting.texts import files
from tuneform.entrypoints.cli.warning import warn
from tuneform.errors import SettingsError
from tuneform.specs.text.files import spec_files

ANOTHER = "name another folder: tuneform init PATH"


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--name", help="What the tuning and its endpoint are called.")
@click.option("--project-id", help="The Google Cloud project.")
@click.option("--owner", help="Who to ask: a label on every job.")
@click.option("--model", help="The base model.")
@click.option("--location", help="The region to tune in.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of examples (JSONL, pairs or CSV); it is copied into the folder.",
)
@click.option("--columns", nargs=2, metavar="INPUT OUTPUT", help="For CSV: the columns that are meant.")
@click.option("--yes", is_flag=True, help="Ask nothing: take what is offered.")
@click.option(
    "--github", is_flag=True, help="Write no specs, but workflows of GitHub Actions for those at PATH."
)
@click.option("--gitlab", is_flag=True, help="Write no specs, but pipelines of GitLab CI for those at PATH.")
def command(
    *,
    path: Path | None,
    name: str | None,
    project_id: str | None,
    owner: str | None,
    model: str | None,
    location: str | None,
    data: Path | None,
    columns: tuple[str, str] | None,
    yes: bool,
    github: bool,
    gitlab: bool,
) -> None:
    """Write a spec folder to begin with at PATH (default: specs), asking for what no flag says.

    Project, bucket, Dataset, TuningJob and TunedModel, with comments, and the JSON Schema for editors. Nothing that is
    there is written over, and what was written is checked.

    With --github or --gitlab it asks nothing and writes pipelines into the repository: check and plan on pull requests,
    apply on merges, a daily look for drift.

    \b
    Examples:
      tuneform init
      tuneform init --data intents.csv
      tuneform init specs --yes --project-id my-project --owner ml-team --name intents --data intents.csv
      tuneform init --github
    """
    settings = Settings.here()
    folder = settings.specs(path)
    if github or gitlab:
        _write_pipelines(folder, github=github, gitlab=gitlab)
        return
    _refuse_to_overwrite(folder)
    asking = Asking(settings.known(), folder, yes)
    base = asking.model(model)
    region = asking.location(location, base)
    answers = Answers(
        name=asking.answer("--name", name, "name of the tuning", NAME, "my-tuning" if yes else ""),
        project_id=asking.answer("--project-id", project_id, "Google Cloud project id", PROJECT_ID),
        owner=asking.answer("--owner", owner, "owner", OWNER, _login()),
        model=base,
        location=region,
        serving_location=asking.serving_location(region, base),
        data=asking.data(data, columns),
    )
    _write(folder, answers)
    tree, warnings = load_with_rows(folder, settings.known())
    warn(warnings)
    click.echo(f"{folder}: {len(tree.documents)} documents, nothing is wrong")
    click.echo(_next(folder, settings))


def _write_pipelines(folder: Path, *, github: bool, gitlab: bool) -> None:
    """Write the pipelines at the top of the repository that the specs lie in.

    Raises:
        SettingsError: the specs lie in no folder of that repository, or a file is there already.
    """
    repository = pipelines.repository_of(Path.cwd())
    specs = folder.absolute()
    if not specs.is_relative_to(repository) or specs == repository:
        raise SettingsError(f"{folder} is no folder in {repository}", remedy="name the folder of the specs")
    written = pipelines.write(
        repository, specs.relative_to(repository).as_posix(), github=github, gitlab=gitlab
    )
    for path in written:
        click.echo(f"{path}: written")
    if gitlab and Path(".gitlab-ci.yml") not in written:
        click.echo(f"add to .gitlab-ci.yml:\n{pipelines.INCLUDE}")
    click.echo("next: the variables that their first lines name; what they need is in docs/pull-requests.md")


def _refuse_to_overwrite(folder: Path) -> None:
    """Raises SettingsError where specs are already."""
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is no folder", remedy=ANOTHER)
    if folder.is_dir() and (there := spec_files(folder)[0]):
        raise SettingsError(f"{folder} holds specs already: {there[0]}", remedy=ANOTHER)


def _write(folder: Path, answers: Answers) -> None:
    """Write everything, and nothing over what is there: that is looked for first."""
    texts = {folder / name: text for name, text in files(answers).items()}
    source, copy = (answers.data.path, folder / answers.data.file) if answers.data else (folder, folder)
    copied = source.resolve() != copy.resolve()
    for path in (*texts, *([copy] if copied else [])):
        if path.exists():
            raise SettingsError(f"{path} is there already", remedy=ANOTHER)
    folder.mkdir(parents=True, exist_ok=True)
    if copied:
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, copy)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def _login() -> str:
    """The login name where it would do as an owner."""
    try:
        return OWNER(getuser().lower())
    except (OSError, KeyError, click.BadParameter):
        return ""


def _next(folder: Path, settings: Settings) -> str:
    named = "" if settings.is_default(folder) or folder == Path("specs") else f" {folder}"
    return f"""\
next:
  tuneform check{named}            # after every change; `tuneform explain TuningJob` says what can be written
  tuneform emulator start    # to try it on this machine, at no cost
  tuneform up{named}               # tune and serve; against Google Cloud as README.md says"""
