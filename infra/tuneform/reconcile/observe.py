"""One look at everything live and recorded of a project, as frozen data.

A wide look costs pages of lists, whatever the number of tunings; it holds lean records. What turns out to need doing
is looked at again, closely, before it is planned for good (`closer`). A narrow look, for one tuning, reads by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from tuneform.reconcile.desired import Desired, Project, Serving, Tuning
from tuneform.reconcile.ledger import AttemptState, Pointer, Record, Versioned
from tuneform.reconcile.live import (
    ATTEMPT_LABEL,
    NAME_LABEL,
    OWNER_LABEL,
    REVISION_LABEL,
    Endpoint,
    Job,
    Lack,
    Model,
    Stored,
    bare,
)
from tuneform.reconcile.ports import View
from tuneform.reconcile.recipe import REVISION

NARROW = 3
"""Up to so many documents are looked at by name rather than in lists of the whole project."""


@dataclass(frozen=True)
class ObservedTuning:
    """What is live for one tuning: its jobs (newest first), their models by job name, and the ledger.

    `records` holds every revision's record, those of earlier names included; `when` is the time of the look, which is
    the server's where that decides. Of what it goes on from, `parent` is another tuning, `elsewhere` a foreign model.
    """

    jobs: tuple[Job, ...] = ()
    models: Mapping[str, Model] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    when: datetime | None = None
    parent: ObservedTuning | None = None
    elsewhere: Model | None = None

    @cached_property
    def current(self) -> str:
        """The revision that the specs asked for last, empty if none was."""
        asked = [(record.wanted, record.revision) for record in self.records.values() if record.wanted]
        return max(asked)[1] if asked else ""

    @cached_property
    def promoted(self) -> Record | None:
        """The record that got the traffic last."""
        had = [record for record in self.records.values() if record.promoted]
        return max(had, key=lambda record: (record.promoted, record.revision)) if had else None

    def job(self, name: str) -> Job | None:
        """A job by its resource name."""
        return next((job for job in self.jobs if job.name == name), None)


@dataclass(frozen=True)
class ObservedServing:
    """What is live for one served model: its tuning, its endpoint, what is left of a gate's endpoint, its pointer.

    `pointed` is the endpoint that the pointer names.
    """

    tuning: ObservedTuning = ObservedTuning()
    endpoint: Endpoint | None = None
    candidate: Endpoint | None = None
    pointer: Pointer | None = None
    pointed: Endpoint | None = None


@dataclass(frozen=True)
class World:
    """One look at a project. Jobs and records are by tuning name, models by name without version."""

    jobs: Mapping[str, tuple[Job, ...]] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    records: Mapping[str, tuple[Versioned, ...]] = field(default_factory=dict)
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    stored: Mapping[str, Stored] = field(default_factory=dict)
    fences: tuple[str, ...] = ()
    lacks: tuple[Lack, ...] = ()
    when: datetime | None = None

    def of(self, tuning: Tuning) -> ObservedTuning:
        """What is live for a tuning, and for what it goes on from."""
        observed, parent = self.tuning(*names_of(tuning)), tuning.parent
        if parent is None:
            return observed
        seen = self.tuning(*parent.names) if parent.names else None
        return replace(observed, parent=seen, elsewhere=self.models.get(bare(parent.model)))

    def tuning(self, *names: str) -> ObservedTuning:
        """What is live under a tuning's name and its earlier ones; of two records of a revision the first name's."""
        jobs = tuple(job for name in names for job in self.jobs.get(name, ()))
        records: dict[str, Record] = {}
        for name in names:
            for versioned in self.records.get(name, ()):
                records.setdefault(versioned.record.revision, versioned.record)
        live = ((job.name, self.models.get(bare(job.model))) for job in jobs if job.model)
        models = {name: model for name, model in live if model is not None}
        return ObservedTuning(jobs, models, records, self.when)

    def serving(self, serving: Serving) -> ObservedServing:
        """What is live for a served model."""
        pointer = self.pointers.get(serving.name)
        return ObservedServing(
            self.tuning(serving.tuning, *serving.tuning_names),
            self.endpoints.get(serving.endpoint),
            self.endpoints.get(serving.candidate),
            pointer,
            self.endpoints.get(pointer.endpoint) if pointer else None,
        )


def names_of(tuning: Tuning) -> tuple[str, ...]:
    """The name that a tuning goes by, and those it went by."""
    return (tuning.name, *tuning.previous_names)


def ours(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Those whose labels we wrote: somebody else's may have our keys, and values that we never write."""
    return tuple(job for job in jobs if NAME_LABEL in job.labels and REVISION.fullmatch(job.revision))


@dataclass(frozen=True)
class Listed:
    """What of a wide look needs nothing of the specs but their project, so that it may begin early."""

    jobs: tuple[Job, ...]
    models: tuple[Model, ...]
    endpoints: tuple[Endpoint, ...]


def listed(view: View, project: Project) -> Listed:
    """Everything of ours, and the models and endpoints that may be, in lists."""
    reader = view.reader
    found = _together(
        lambda: ours(reader.jobs(project)), lambda: reader.models(project), lambda: reader.endpoints(project)
    )
    return Listed(*found)


def observe(
    view: View, desired: Desired, before: World | None = None, ahead: Callable[[], Listed] | None = None
) -> World:
    """Look at what the specs are about: in lists, or by name when they are about little and not about everything.

    With `before`, what jobs and their models do not change is taken from that look: infrastructure and objects. `ahead`
    gives lists that were begun earlier.
    """
    few = len(desired.tunings) + len(desired.servings) + len(desired.gone) <= NARROW
    if before is None:
        # Fences before the ledger: a fence that is seen has its claim in the ledger by then.
        fences, stored, lacks = _together(
            lambda: _fences(view, desired),
            lambda: _stored(view, desired),
            lambda: view.infrastructure.lacks(desired.needs) if desired.needs else (),
        )
    else:
        fences, stored, lacks = (), before.stored, before.lacks
    world = _narrow(view, desired) if few and not desired.whole else _wide(view, desired, ahead)
    world = replace(world, endpoints={**world.endpoints, **_pointed(view, desired, world)})
    if desired.whole and before is None:
        stored = {**stored, **_abandoned(view, desired, world)}
    when = view.clock.now() if desired.whole else _when(view, world)
    return replace(world, fences=fences, stored=stored, lacks=lacks, when=when)


def _when(view: View, world: World) -> datetime:
    """The time of the look: the server's, where something is missing that may only be late, since that is judged by it.

    Our own clock may be wrong; to ask for the server's is a call that writes, which most looks do not need.
    """
    found = {job.name: job for jobs in world.jobs.values() for job in jobs}
    lasts = [v.record.last for versions in world.records.values() for v in versions if v.record.last]
    for last in lasts:
        job = found.get(last.job)
        missing = job is None or (job.succeeded and bare(job.model) not in world.models)
        if missing and last.state in {AttemptState.KNOWN, AttemptState.SUCCEEDED}:
            return view.ledger.now()
    return view.clock.now()


def _wide(view: View, desired: Desired, ahead: Callable[[], Listed] | None) -> World:
    project = desired.project
    found, heads, pointers = _together(
        ahead or (lambda: listed(view, project)),
        lambda: view.ledger.heads(project),
        lambda: view.ledger.pointers(project),
    )
    records = _grouped(heads, lambda versioned: versioned.record.name)
    jobs = _grouped(found.jobs, lambda job: job.labels[NAME_LABEL])
    return World(
        jobs=_with_recorded(view, project, jobs, records),
        models={bare(model.name): model for model in found.models},
        endpoints={endpoint.name: endpoint for endpoint in found.endpoints},
        records=records,
        pointers={pointer.name: pointer for pointer in pointers},
    )


def _narrow(view: View, desired: Desired) -> World:
    project = desired.project
    names = {name for tuning in desired.tunings for name in names_of(tuning)}
    names |= {name for serving in desired.servings for name in (serving.tuning, *serving.tuning_names)}
    parents = [tuning.parent for tuning in desired.tunings if tuning.parent]
    names |= {name for parent in parents for name in parent.names} | set(desired.gone)
    records = {name: view.ledger.history(project, name) for name in sorted(names)}
    named = {name: ours(view.reader.jobs(project, name)) for name in sorted(names)}
    jobs = _with_recorded(view, project, named, records)
    foreign = [parent.model for parent in parents if parent.model]
    made = [job.model for found in jobs.values() for job in found if job.model]
    models = (view.reader.model(name) for name in (*made, *foreign))
    wanted = [name for serving in desired.servings for name in (serving.endpoint, serving.candidate)]
    endpoints = (view.reader.endpoint(name) for name in wanted)
    pointers = view.ledger.pointers(project) if any(s.pointer for s in desired.servings) else ()
    return World(
        jobs=jobs,
        models={bare(model.name): model for model in models if model is not None},
        endpoints={endpoint.name: endpoint for endpoint in endpoints if endpoint is not None},
        records=records,
        pointers={pointer.name: pointer for pointer in pointers},
    )


def _pointed(view: View, desired: Desired, world: World) -> dict[str, Endpoint]:
    """The endpoints that pointers name and no list holds: they lie where the jobs are, or are gone."""
    pointers = [world.pointers.get(serving.name) for serving in desired.servings if serving.pointer]
    unseen = {pointer.endpoint for pointer in pointers if pointer} - set(world.endpoints)
    found = (view.reader.endpoint(name) for name in sorted(unseen))
    return {endpoint.name: endpoint for endpoint in found if endpoint is not None}


def closer(view: View, desired: Desired, world: World, names: Iterable[str]) -> World:
    """The same look with everything about these tunings read again, whole and by name."""
    project = desired.project
    again = sorted(set(names))
    records = {**world.records, **{name: view.ledger.history(project, name) for name in again}}
    missing = {
        job.model
        for name in again
        for job in world.jobs.get(name, ())
        if job.model and bare(job.model) not in world.models
    }
    models = [view.reader.model(name) for name in sorted(missing)]
    named = {name for serving in desired.servings for name in (serving.endpoint, serving.candidate)}
    serving = {
        serving.endpoint
        for serving in desired.servings
        if {serving.tuning, *serving.tuning_names} & set(again)
    }
    gone = sorted((named & serving) - set(world.endpoints))
    endpoints = [view.reader.endpoint(name) for name in gone]
    seen = replace(
        world,
        records=records,
        jobs=_with_recorded(view, project, world.jobs, {name: records[name] for name in again}),
        models={**world.models, **{bare(m.name): m for m in models if m is not None}},
        endpoints={**world.endpoints, **{e.name: e for e in endpoints if e is not None}},
    )
    return replace(seen, when=_when(view, seen))


def _with_recorded(
    view: View,
    project: Project,
    jobs: Mapping[str, tuple[Job, ...]],
    records: Mapping[str, tuple[Versioned, ...]],
) -> dict[str, tuple[Job, ...]]:
    """The jobs and those that only the ledger names: imported ones carry no labels, new ones lag in lists."""
    found = dict(jobs)
    for name, versions in records.items():
        known = {job.name for job in found.get(name, ())}
        for versioned in versions:
            record, attempt = versioned.record, versioned.record.last
            if attempt is None or not attempt.job or attempt.job in known:
                continue
            job = view.reader.job(attempt.job)
            if job is not None:
                labels = {
                    OWNER_LABEL: project.owner,
                    NAME_LABEL: name,
                    REVISION_LABEL: record.revision,
                    ATTEMPT_LABEL: str(attempt.number),
                }
                found[name] = (*found.get(name, ()), replace(job, labels={**job.labels, **labels}))
    return found


def _stored(view: View, desired: Desired) -> dict[str, Stored]:
    folders = {content.uri.rpartition("/")[0] + "/" for content in desired.contents}
    if desired.whole or len(folders) > NARROW:
        folders = {_datasets(folder) for folder in folders}
    return {stored.uri: stored for folder in sorted(folders) for stored in view.objects.stored(folder)}


def _abandoned(view: View, desired: Desired, world: World) -> dict[str, Stored]:
    """What lies in buckets that no document names any more and the ledger does."""
    trained = {
        v.record.training for versions in world.records.values() for v in versions if v.record.training
    }
    named = {_datasets(content.uri) for content in desired.contents}
    folders = {_datasets(uri) for uri in trained} - named
    return {stored.uri: stored for folder in sorted(folders) for stored in view.objects.stored(folder)}


def _datasets(uri: str) -> str:
    """The folder of all datasets in an object's bucket."""
    return f"gs://{uri.split('/')[2]}/datasets/"


def _fences(view: View, desired: Desired) -> tuple[str, ...]:
    buckets = sorted({tuning.training.uri.split("/")[2] for tuning in desired.tunings if tuning.training.uri})
    folder = f"attempts/{desired.project.name}/"
    if not desired.whole and len(desired.tunings) == 1:
        folder = f"attempts/{desired.tunings[0].identity}/"
    prefixes = (f"gs://{bucket}/{folder}" for bucket in buckets)
    return tuple(uri for prefix in prefixes for uri in view.objects.under(prefix))


def _grouped(things: Iterable[Any], key: Callable[[Any], str]) -> dict[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return {name: tuple(group) for name, group in groups.items()}


def _together(*looks: Callable[[], Any]) -> list[Any]:
    """The results of independent looks, made side by side."""
    with ThreadPoolExecutor(len(looks)) as pool:
        return [future.result() for future in [pool.submit(look) for look in looks]]
