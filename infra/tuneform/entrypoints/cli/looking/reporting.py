"""Reading for a report, and writing it: the page and its pictures, each file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuneform import __version__
from tuneform.datasets import Prepared
from tuneform.entrypoints.cli.looking.opening import Opened, connected
from tuneform.entrypoints.cli.looking.surveying import Look, Survey
from tuneform.entrypoints.cli.reconciling.planfile import SPEC_ENDINGS
from tuneform.entrypoints.cli.reconciling.scope import Scope
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.documents import Documents, Part, facts_of
from tuneform.entrypoints.doors.policies import judge_of
from tuneform.entrypoints.doors.telling import judged
from tuneform.errors import Diagnostic, SettingsError
from tuneform.reconcile.execute.run import look
from tuneform.reconcile.live import Curves
from tuneform.reconcile.plan import Plan
from tuneform.review import report
from tuneform.review.report.pictures import file_name
from tuneform.review.suitability import advise
from tuneform.specs import Dataset, Document, Policy, TuningJob
from tuneform.specs.meaning.policies import check_expiry

FILE = "tuneform-report.html"
ENDINGS = (".html", ".htm")
CLOSE = 100
"""Of up to so many tunings of a project each is looked at closely, and its curves are drawn."""
CONCURRENT_CURVES = 8


@dataclass
class _Seen:
    """What of the datasets is kept while they are read: figures, what is questionable, what policies ask."""

    statistics: dict[tuple[str, str], report.DatasetStatistics] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)
    parts: dict[tuple[str, str], dict[str, Part]] = field(default_factory=dict)

    def see(self, document: Document[Dataset], prepared: Prepared) -> None:
        key = (document.project, document.name)
        self.statistics[key], self.parts[key] = report.statistics(document, prepared), facts_of(prepared)
        self.warnings += prepared.warnings

    def of(self, project: str) -> tuple[report.DatasetStatistics, ...]:
        """The datasets of a project, by name."""
        return tuple(one for (home, _), one in sorted(self.statistics.items()) if home == project)


def made(settings: Settings, found: Sequence[Scope], *, google_cloud: bool) -> report.Report:
    """Read the projects one after another. Nothing live is changed.

    Raises:
        DatasetErrors: what is wrong in the datasets.
        MachineError: no emulator answers.
        RemoteError: a project cannot be looked at.
        SettingsError: a bundle of policies cannot be used.
    """
    prices, seen = settings.prices(), _Seen()
    projects = tuple(
        report.project_part(_looked(connected(settings, one, google_cloud=google_cloud), seen), prices)
        for one in found
    )
    facts = {key: one.facts for key, one in seen.statistics.items()}
    tree = found[0].tree
    ending = check_expiry(tree.of(Policy), settings.today())
    warnings = (*tree.warnings, *seen.warnings, *advise(tree, facts), *ending)
    return report.Report(
        made=StoppableClock().now(),
        specs=str(found[0].path),
        place="Google Cloud" if google_cloud else "the emulator on this machine",
        version=__version__,
        emulated=not google_cloud,
        projects=projects,
        judged=_judged(settings, found, Documents(tree, seen.parts, prices)),
        warnings=tuple(dict.fromkeys(one for one in warnings if _is_asked(one, found[0]))),
    )


def _judged(settings: Settings, found: Sequence[Scope], documents: Documents) -> report.Judged | None:
    """What policies say of what is asked about; None where there are none."""
    judge = judge_of(documents.tree, settings)
    if not judge.rules:
        return None
    names, part = {one.project.name for one in found}, found[0].part

    def wanted(document: Document[Any]) -> bool:
        return document.project in names and (part is None or part(document))

    said = judged(documents, judge, wanted)
    return report.Judged(said.digest, said.verdict.findings, said.verdict.unjudged, said.sources)


def _is_asked(warning: Diagnostic, scope: Scope) -> bool:
    """Whether it is about what was asked about; of data that lies outside of the specs nobody can tell."""
    if scope.part is None or warning.position is None:
        return True
    written = warning.position.path.resolve()
    return written.suffix not in SPEC_ENDINGS or written.is_relative_to(scope.path.resolve())


def _looked(open_: Opened, seen: _Seen) -> report.Looked:
    survey = Survey(open_, close=CLOSE, see=seen.see)
    looked = survey.looked()
    near = [one for one in looked.found if not one.partial] if len(looked.found) <= CLOSE else []
    with ThreadPoolExecutor(CONCURRENT_CURVES) as pool:
        curves = dict(
            zip((one.job.name if one.job else "" for one in near), pool.map(survey.curves, near), strict=True)
        )
    advised = tuple(survey.advised(one) if one in near else one for one in looked.found)
    used = {d.name: d.spec.dataset.ref for d in open_.documents(TuningJob).values()}
    return report.Looked(
        desired=survey.desired,
        world=looked.world,
        plan=_plan(open_, survey, looked),
        seen=advised,
        curves={job: found for job, found in curves.items() if found != Curves()},
        datasets=seen.of(open_.project.name),
        used=used,
    )


def _plan(open_: Opened, survey: Survey, looked: Look) -> Plan:
    """What `plan` says: of a look from lists it looks again, closely, at what has something to do."""
    if not any(one.partial for one in looked.found):
        return looked.plan
    return look(open_.ports.view, survey.desired)[1]


def page_file(out: Path) -> Path:
    """Where the page goes: a name that ends in .html is its own, any other is that of a folder.

    Raises:
        SettingsError: the page's name is that of a folder.
    """
    page = out if out.suffix in ENDINGS and not out.is_dir() else out / FILE
    if page.is_dir():
        raise SettingsError(f"{page} is a folder", remedy="name another file with --out")
    return page


def write(made: report.Report, page: Path, png: Path | None) -> list[Path]:
    """Write the page, and with `png` the curves into that folder; returns what was written.

    Raises:
        SettingsError: something cannot be written there.
    """
    drawn = report.pictures(made, png=png is not None)
    files = {png / file_name(picture): picture.png for picture in drawn} if png is not None else {}
    files[page] = report.page(made, drawn).encode()
    for file, content in files.items():
        _write(file, content)
    return [page, *(file for file in files if file != page)]


def _write(file: Path, content: bytes) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(file)
    except OSError as error:
        _forget(partial)
        is_no_folder = isinstance(error, FileExistsError | NotADirectoryError)
        why = f"{file.parent} is not a folder" if is_no_folder else error.strerror
        option = "--out" if file.suffix in ENDINGS else "--png"
        raise SettingsError(
            f"{file} cannot be written: {why}", remedy=f"name another place with {option}"
        ) from error


def _forget(partial: Path) -> None:
    try:
        partial.unlink(missing_ok=True)
    except OSError:
        return  # its folder is none, or may not be written to: nothing was left there
