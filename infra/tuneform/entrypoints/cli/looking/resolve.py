"""`tuneform resolve`: a person's word on an attempt that nobody saw the end of."""

from __future__ import annotations

import sys
from typing import Any

import click

from tuneform.entrypoints.cli.looking.opening import (
    Opened,
    Options,
    agreed,
    opened,
    tell,
    with_options,
)
from tuneform.entrypoints.cli.looking.resolving import Case, Resolver
from tuneform.entrypoints.cli.reconciling.showing import print_json
from tuneform.errors import SettingsError
from tuneform.review.status_words import ago

UNDECIDED = 2


@click.command()
@click.argument("name")
@click.option(
    "--attempt", type=click.IntRange(min=1), metavar="N", help="Which one, where there are several."
)
@click.option("--revision", metavar="r1-…", help="Of which revision, where there are several.")
@click.option("--job", metavar="JOB", help="This is its job: a resource name, or the id at its end.")
@click.option(
    "--none", "no_job", is_flag=True, help="It has no job: make sure that none can train, and say so."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_options
def command(
    options: Options,
    name: str,
    attempt: int | None,
    revision: str | None,
    job: str | None,
    *,
    no_job: bool,
    yes: bool,
) -> None:
    """Decide what became of an attempt at the tuning NAME whose end nobody saw, or whose job is gone.

    `tuneform apply` finds out by itself in nearly all cases; try that first. Without --job and --none the attempts
    are shown, with who began them and the jobs that may be theirs. Nothing here is paid for.

    \b
    Exit codes: 0 decided, or nothing to decide; 1 an error (on stderr), or not agreed to; 2 shown, not decided.

    \b
    Examples:
      tuneform resolve support-intents                    what is there to decide
      tuneform resolve support-intents --job 1234567890   that job is the attempt's
      tuneform resolve support-intents --none             it has no job
    """
    if job is not None and no_job:
        raise click.UsageError("--job and --none exclude each other")
    open_ = opened(options)
    resolver = Resolver(open_.ports, open_.project, open_.tuning_names(name))
    cases = [
        case
        for case in resolver.cases()
        if attempt in (None, case.attempt.number) and revision in (None, case.revision)
    ]
    if not cases:
        _tell(
            options, {"decided": None, "attempts": []}, f"{name} has no attempt that is to be decided about"
        )
        return
    if job is None and not no_job:
        _show_all(open_, options, cases)
        sys.exit(UNDECIDED)
    if len(cases) > 1:
        several = ", ".join(f"{case.revision} #{case.attempt.number}" for case in cases)
        raise SettingsError(f"there are several: {several}", remedy="name one with --revision")
    (case,) = cases
    job = open_.job_name(job) if job is not None else None
    _decide(resolver, options, case, job, yes=yes, lines=_lines(open_, case))


def _decide(
    resolver: Resolver, options: Options, case: Case, job: str | None, *, yes: bool, lines: list[str]
) -> None:
    which = f"{case.revision} #{case.attempt.number}"
    if job is not None:
        found = resolver.job_of(case, job)
        unlabelled = "" if found.revision else " It carries none of our labels: only you know."
        question, done = f"Record {found.name} as the job of {which}?{unlabelled}", f"{which} is {found.name}"
    else:
        resolver.check_none(case)
        found = None
        question = (
            f"Record that {which} has no job? A job that its create call still makes will fail, unpaid."
        )
        done = f"{which} has no job, and none can come that trains"
    if not yes:
        tell(*lines)
    if not agreed(question, yes=yes):
        tell("nothing was decided")
        sys.exit(1)
    if found is not None:
        resolver.known(case, found)
    else:
        resolver.none(case)
    decided = {"decided": found.name if found else "none", "attempts": [_as_json(case)]}
    _tell(options, decided, f"{done}; `tuneform plan` says what follows")


def _show_all(open_: Opened, options: Options, cases: list[Case]) -> None:
    if options.is_json:
        print_json({"decided": None, "attempts": [_as_json(case) for case in cases]})
        return
    for case in cases:
        for line in _lines(open_, case):
            click.echo(line)
    click.echo("decide with --job JOB or --none; or let `tuneform apply` find out")


def _lines(open_: Opened, case: Case) -> list[str]:
    attempt, updated = case.attempt, case.versioned.updated
    age = f", {ago(updated, open_.ports.ledger.now())}" if updated else ""
    busy = " and may still be at work" if case.busy else ""
    lines = [
        f"{case.revision} #{attempt.number}: {attempt.state.value}{age}",
        f"  begun by  {attempt.holder or 'nobody knows whom'}{busy}",
        f"  cause     {attempt.cause}",
    ]
    if attempt.job:
        lines.append(f"  recorded  {attempt.job}, and there is no such job")
    if attempt.fence:
        lines.append(f"  its copy  {attempt.fence}")
    for candidate in case.candidates:
        job = candidate.job
        lines.append(f"  may be    {job.name}  {job.state.value}: {candidate.why}")
    return lines if case.candidates else [*lines, "  no job that may be its own is to be seen"]


def _as_json(case: Case) -> dict[str, Any]:
    attempt = case.attempt
    return {
        "revision": case.revision,
        "attempt": attempt.number,
        "state": attempt.state.value,
        "cause": attempt.cause,
        "holder": attempt.holder,
        "busy": case.busy,
        "job": attempt.job,
        "fence": attempt.fence,
        "updated": case.versioned.updated.isoformat() if case.versioned.updated else None,
        "candidates": [
            {"job": c.job.name, "state": c.job.state.value, "why": c.why, "certain": c.certain}
            for c in case.candidates
        ],
    }


def _tell(options: Options, value: dict[str, Any], text: str) -> None:
    if options.is_json:
        print_json(value)
    else:
        click.echo(text)
