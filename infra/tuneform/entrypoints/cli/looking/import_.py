"""`tuneform import`: adopt live jobs that were made without tuneform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tuneform.entrypoints.cli.looking.importing.adopting import Import, Importer, NotImportableError, Refused
from tuneform.entrypoints.cli.looking.importing.documents import How
from tuneform.entrypoints.cli.looking.opening import Options, opened, tell, with_options
from tuneform.entrypoints.cli.reconciling.showing import print_json


@click.command("import")
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--all", "every", is_flag=True, help="Every job of the project that can be adopted.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where files go (default: imported, in the spec folder)."
)
@click.option("--bucket", default="", help="The DatasetBucket for their data, where there are several.")
@click.option(
    "--serving",
    "how",
    type=click.Choice(["pointer", "endpoint"]),
    default="pointer",
    help="pointer leaves the endpoints that clients call today; endpoint gives them one whose name lasts.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@with_options
def command(
    options: Options,
    jobs: tuple[str, ...],
    out: Path | None,
    bucket: str,
    how: How,
    *,
    every: bool,
    dry_run: bool,
) -> None:
    """Adopt tuning JOBs (resource names, or the ids at their ends) that were made without tuneform.

    For each job a file with its Dataset, TuningJob and TunedModel is written, and the ledger is told that the job is
    theirs, so that nothing is trained again. The job and its model are left as they are; the next `tuneform apply`
    puts our labels on the model, and `tuneform plan` shows that first. What belongs to another owner, or cannot be
    written down, is refused.

    \b
    Exit codes: 0 adopted (with --all also if some were refused), 1 an error or a named job refused: then none is.

    \b
    Examples:
      tuneform import 1234567890 --dry-run
      tuneform import 1234567890 --out specs/adopted
      tuneform import --all
    """
    if bool(jobs) == every:
        raise click.UsageError("name the jobs, or say --all")
    open_ = opened(options)
    home = open_.scope.folder if open_.scope.folder.is_dir() else open_.scope.folder.parent
    importer = Importer(open_, out or home / "imported", how, bucket)
    made, refused = importer.judged(importer.jobs(jobs))
    if refused and not every:
        raise NotImportableError(
            "\n".join(f"{one.job}: {one.reason}" for one in refused),
            remedy="leave them out; nothing was adopted",
        )
    for one in made:
        if not dry_run:
            importer.adopt(one)
        if not options.is_json:
            _show(one, dry_run=dry_run)
    if options.is_json:
        print_json(_as_json(made, refused, dry_run=dry_run))
        return
    tell(*(f"left alone: {one.job}: {one.reason}" for one in refused))
    if not made:
        click.echo("there is no job to adopt")
    elif not dry_run:
        tell(
            "`tuneform plan` shows what the next apply does about them: labels on their models, and no new job"
        )


def _show(one: Import, *, dry_run: bool) -> None:
    click.echo(f"{one.written.job.name} → {one.tuning.identity} {one.revision}: {one.path}")
    if dry_run:
        click.echo(one.written.text)


def _as_json(made: list[Import], refused: list[Refused], *, dry_run: bool) -> dict[str, Any]:
    return {
        "dryRun": dry_run,
        "imported": [
            {
                "job": one.written.job.name,
                "name": one.tuning.name,
                "project": one.tuning.project.name,
                "revision": one.revision,
                "file": str(one.path),
                "documents": [*one.written.documents],
            }
            for one in made
        ],
        "refused": [{"job": one.job, "reason": one.reason} for one in refused],
    }
