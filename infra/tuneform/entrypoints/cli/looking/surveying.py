"""One look at the tunings of a project, as `status` shows them; it may be made again and again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from rich.console import Console
from rich.text import Text

from tuneform.datasets import Prepared
from tuneform.entrypoints.cli.looking.opening import Opened
from tuneform.entrypoints.cli.running.rows import See
from tuneform.entrypoints.desired import desired_of, reader
from tuneform.errors import SettingsError
from tuneform.reconcile.desired import Desired
from tuneform.reconcile.live import Curves, Job, Points, Progress, progress
from tuneform.reconcile.observe import World, closer, observe
from tuneform.reconcile.plan import Plan, plan_project
from tuneform.review.next_run import next_run, ranks_of
from tuneform.review.status import TuningSeen, survey
from tuneform.specs import Dataset, Document, TunedModel, TuningJob

CLOSE = 30
"""Of up to so many tunings each is looked at closely; of more, what lists show has to do."""
CURVE_HEIGHT = 12
WIDEST = 90
DRAWN_POINTS = 40


@dataclass(frozen=True)
class Look:
    """One look: everything live, the plan for it, and what has become of each tuning that was asked about."""

    world: World
    plan: Plan
    found: tuple[TuningSeen, ...]


@dataclass
class Survey:
    """What is asked about: some tunings by `names` (of TuningJobs or TunedModels), or all of them.

    Of up to `close` tunings each is looked at closely. `see` is shown every dataset that is read.
    """

    open_: Opened
    names: tuple[str, ...] = ()
    close: int = CLOSE
    see: See | None = None
    _jobs: dict[str, Job] = field(default_factory=dict)
    _ended_curves: dict[str, Curves] = field(default_factory=dict)

    @cached_property
    def desired(self) -> Desired:
        """What the specs ask for, of the named tunings alone where all names are declared. Read once.

        Raises:
            DatasetErrors: the datasets, which decide the wanted revision, cannot be read.
        """
        declared = {*self.open_.documents(TuningJob), *self.open_.documents(TunedModel)}
        narrow = bool(self.names) and declared.issuperset(self.names)
        found = self.open_.scope
        desired, _ = desired_of(
            found.tree,
            found.project,
            read_datasets=self._read,
            part=self._asked if narrow else found.part,
            prices=self.open_.settings.prices(),
        )
        return desired

    def _read(self, document: Document[Dataset]) -> Prepared:
        prepared = reader(self.open_.scope.tree, self.open_.ports.objects.read)(document)
        if self.see is not None:
            self.see(document, prepared)
        return prepared

    def _asked(self, document: Document[Any]) -> bool:
        jobs = {self.open_.tuning_names(name)[0] for name in self.names}
        if document.kind == "TuningJob":
            return document.name in jobs
        return isinstance(document.spec, TunedModel) and document.spec.job.ref in jobs

    def look(self) -> tuple[TuningSeen, ...]:
        """What has become of each tuning, by one look; see `looked`."""
        return self.looked().found

    def looked(self) -> Look:
        """Look once.

        Raises:
            SettingsError: a name is neither declared nor live.
            RemoteError: it cannot be looked at.
        """
        view, desired = self.open_.ports.view, self.desired
        world = observe(view, desired)
        known = sorted({*world.records, *world.jobs})
        about = [name for name in known if not self.names or name in self._wanted]
        if len(about) <= self.close and any(v.lean for name in about for v in world.records.get(name, ())):
            world = closer(view, desired, world, about)
        if not desired.whole and desired.needs:
            world = replace(world, lacks=view.infrastructure.lacks(desired.needs))
        plan = plan_project(desired, world)
        found = survey(desired, world, plan, self._progress(world))
        if not self.names:
            return Look(world, plan, found)
        shown = tuple(self.advised(one) for one in found if one.name in self._wanted)
        missing = self._wanted - {one.name for one in shown}
        if missing:
            names = ", ".join(one.name for one in found) or "none"
            raise SettingsError(
                f"there is no tuning {min(missing)!r}, neither declared nor live",
                remedy=f"there are: {names}",
            )
        return Look(world, plan, shown)

    @cached_property
    def _wanted(self) -> set[str]:
        return {self.open_.tuning_names(name)[0] for name in self.names}

    def _progress(self, world: World) -> dict[str, Progress]:
        """How far the jobs are that run; of many only what lists show."""
        self._jobs = {job.name: job for jobs in world.jobs.values() for job in jobs}
        running = [job for job in self._jobs.values() if not job.state.ended]
        if len(running) > self.close:
            return {}
        found = {}
        for lean in running:
            job = self.open_.ports.reader.job(lean.name) or lean
            found[job.name] = progress(job, self._curves(job))
        return found

    def advised(self, seen: TuningSeen) -> TuningSeen:
        """With what the curve of its job comes to; of one that is in no document, only what the job itself says."""
        tuning = next((tuning for tuning in self.desired.tunings if tuning.name == seen.name), None)
        job = self._jobs.get(seen.job.name) if seen.job else None
        if job is None or not job.succeeded:
            return seen
        advice = next_run(
            job,
            self._curves(job),
            examples=tuning.training.examples if tuning else None,
            price=tuning.price if tuning else None,
            ranks=ranks_of(self.open_.scope.tree.known, job.base_model),
        )
        return replace(seen, advice=advice)

    def _curves(self, job: Job) -> Curves:
        """The curves of a job; those of one that has ended are read once."""
        if job.name not in self._ended_curves:
            curves = self.open_.ports.reader.curves(job) if job.experiment else Curves()
            if not job.state.ended:
                return curves
            self._ended_curves[job.name] = curves
        return self._ended_curves[job.name]

    def curves(self, seen: TuningSeen) -> Curves:
        """The curves of the wanted revision's job, as far as there are some."""
        job = self._jobs.get(seen.job.name) if seen.job else None
        return self._curves(self.open_.ports.reader.job(job.name) or job) if job else Curves()

    def now(self) -> datetime:
        """The time that ages are counted to."""
        return self.open_.clock.now()

    def curve(self, seen: TuningSeen, console: Console) -> Text:
        """The loss curve of the wanted revision's job."""
        curves = self.curves(seen)
        if not curves.train_loss:
            return Text("")
        from tuneform.review.curves import loss_curve  # noqa: PLC0415 (see that module: a few tenths of a second)

        series = {"train loss": _smooth(curves.train_loss), "validation loss": curves.eval_loss}
        drawn = {name: points for name, points in series.items() if points}
        colour = console.color_system is not None
        return Text.from_ansi(
            loss_curve(drawn, width=min(console.width, WIDEST), height=CURVE_HEIGHT, colour=colour)
        )


def _smooth(points: Points) -> Points:
    """Means of consecutive steps: batches are small, and single steps jump."""
    size = max(1, len(points) // DRAWN_POINTS)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return tuple((group[-1][0], sum(value for _, value in group) / len(group)) for group in groups)
