"""One action of a plan, performed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Cancel,
    Clear,
    Create,
    CreateEndpoint,
    DeleteObject,
    Later,
    Measure,
    Note,
    PatchEndpoint,
    PatchModel,
    Promote,
    RemoveEndpoint,
    RemovePointer,
    Retire,
    Revoke,
    Settle,
    Unfence,
    Upload,
    Wait,
)
from tuneform.reconcile.desired import Content, Desired, Identity, Serving, Tuning
from tuneform.reconcile.execute.attempts import Attempts
from tuneform.reconcile.execute.gate import best_checkpoint, evaluations
from tuneform.reconcile.execute.retire import clear_checkpoints, clear_endpoint, forget_content, retire_job
from tuneform.reconcile.execute.serving import Promotion
from tuneform.reconcile.ledger import AttemptState, Versioned
from tuneform.reconcile.live import ATTEMPT_LABEL, REVISION_LABEL, Curves, Job, JobState, bare, progress
from tuneform.reconcile.observe import ObservedTuning, World, names_of
from tuneform.reconcile.plan.fields import desired_endpoint, labels
from tuneform.reconcile.plan.project import Item
from tuneform.reconcile.plan.tuning import attempt_of
from tuneform.reconcile.ports import Ports

Supply = Callable[[Content], bytes]
"""Gives the bytes of a dataset split that is to be uploaded."""


@dataclass(frozen=True)
class Performer:
    """Performs the actions of one item. `tuning` and `serving` are its documents, None for a removed one."""

    ports: Ports
    desired: Desired
    world: World
    item: Item
    supply: Supply
    tuning: Tuning | None = None
    serving: Serving | None = None

    @property
    def identity(self) -> Identity:
        """Whom this is about."""
        return Identity(self.desired.project.name, self.item.name)

    @property
    def attempts(self) -> Attempts:
        """The ledger's protocol for this item's tuning."""
        names = self._names
        return Attempts(self.ports, self.desired.project, names[0], names)

    @property
    def _names(self) -> tuple[str, ...]:
        if self.tuning is not None:
            return names_of(self.tuning)
        if self.serving is not None:
            return (self.serving.tuning, *self.serving.tuning_names)
        return (self.item.name,)

    @property
    def _observed(self) -> ObservedTuning:
        return self.world.tuning(*self._names)

    def perform(self, action: Action) -> bool:
        """Do it; says whether it is done, so that the world is worth another look at once."""
        match action:
            case Create():
                assert self.tuning is not None, "a removed tuning is not created"
                self.attempts.create(self.tuning, action, self._judged(action.revision))
            case Adopt(job=name):
                assert self.tuning is not None, "a removed tuning is not adopted"
                self.attempts.adopt(self.tuning, self._job(name), self._judged(action.revision))
            case Settle(job=name):
                self._settle(self._job(name))
            case Unfence(revision=revision, attempt=number):
                self._unfence(revision, number)
            case Revoke(revision=revision, attempt=number):
                return self.attempts.revoke(self.tuning, revision, number)
            case Cancel():
                self._cancel(action)
            case PatchModel(model=name):
                self._patch_model(name)
            case Note(revision=revision):
                assert self.tuning is not None, "what is noted comes from the document"
                self.attempts.change(revision, retain=self.tuning.retain)
            case Wait() | Later() | Blocked():
                return False
            case _:
                self._serve(action)
        return True

    def _serve(
        self,
        action: Retire
        | CreateEndpoint
        | PatchEndpoint
        | Measure
        | Promote
        | Clear
        | RemoveEndpoint
        | RemovePointer
        | Upload
        | DeleteObject,
    ) -> None:
        match action:
            case Upload(content=content):
                data = self.supply(content)
                self.ports.objects.put(content.uri, data, content.digest, self.desired.project.note)
            case DeleteObject(uri=uri):
                self.ports.objects.delete(uri)
            case RemovePointer(name=name):
                self.ports.ledger.unpoint(self.desired.project, name)
            case Retire(revision=revision, job=name):
                self._retire(revision, self._job(name))
            case CreateEndpoint():
                self._promotion.create_endpoint()
            case PatchEndpoint():
                assert self.serving is not None, "an endpoint is patched for its document"
                self.ports.writer.patch_endpoint(desired_endpoint(self.serving))
            case Measure(revision=revision, checkpoint=chosen):
                job = self._job_of(revision)
                self._promotion.measure(job, next(c for c in job.checkpoints if c.id == chosen))
            case Promote(job=name):
                self._promotion.promote(action, self._job(name))
            case Clear(revision=revision, job=name):
                clear_checkpoints(self.ports, self._job(name))
                self.attempts.change(revision, cleared=True)
            case RemoveEndpoint(endpoint=endpoint):
                clear_endpoint(self.ports, endpoint)
            case _:
                assert_never(action)

    @property
    def _promotion(self) -> Promotion:
        assert self.serving is not None, "only a served model is promoted"
        return Promotion(self.ports, self.serving, self.world.serving(self.serving), self.attempts)

    def _judged(self, revision: str) -> Versioned | None:
        """The record that the plan was made from; one of an earlier name is not written under this one yet."""
        for name in self._names:
            for versioned in self.world.records.get(name, ()):
                if versioned.record.revision == revision:
                    if name == self._names[0]:
                        return versioned
                    return Versioned(replace(versioned.record, name=self._names[0]), 0, versioned.updated)
        return None

    def _job(self, name: str) -> Job:
        found = self._observed.job(name)
        assert found is not None, "a plan names the jobs that it was made from"
        return found

    def _job_of(self, revision: str) -> Job:
        record = self._observed.records[revision]
        assert record.last is not None, "what serves was made by an attempt"
        return self._job(record.last.job)

    def _settle(self, job: Job) -> None:
        """Record how a job ended; what Vertex measured of its checkpoints is kept with it."""
        found = self.attempts.remember(job)
        record, attempt = found.record, attempt_of(found.record, job)
        assert attempt is not None, "it is known from here on"
        if attempt.state in {AttemptState.RETIRED, AttemptState.LOST}:
            return  # somebody else was faster by far
        curves = self.ports.reader.curves(job) if job.experiment else Curves()
        self.ports.listener.progress(self.identity, progress(job, curves))
        if attempt.fence:
            self.ports.objects.delete(attempt.fence)
        if job.succeeded:
            measured = evaluations(job.revision, job.checkpoints, curves)
            best = best_checkpoint(job.checkpoints, measured)
            record = replace(record, gates=tuple(dict.fromkeys((*record.gates, *measured))), best=best)
        state, cause = _end(job, doubted=attempt.doubted)
        ended = replace(attempt, state=state, cause=cause or attempt.cause, model=job.model, fence="")
        self.attempts.write(replace(found, record=record.with_attempt(ended)))

    def _unfence(self, revision: str, number: int) -> None:
        found = self.attempts.find(revision)
        attempt = next((a for a in found.record.attempts if a.number == number), None) if found else None
        if attempt is not None and attempt.fence:
            self.ports.objects.delete(attempt.fence)
            self.attempts.attempt(revision, attempt.job, fence="")

    def _cancel(self, action: Cancel) -> None:
        """Ask for the cancellation. How the job then ends is recorded when it has ended: it may yet succeed."""
        self.attempts.attempt(action.revision, action.job, superseded=True)
        self.ports.writer.cancel_job(action.job)

    def _retire(self, revision: str, job: Job) -> None:
        """Record it, then the training content, then what the job made: while a model is there this is repeated."""
        observed = self._observed
        self.attempts.retire(self._judged(revision), job)
        current, retired = observed.records.get(observed.current), observed.records.get(revision)
        if current and retired and retired.training and retired.training != current.training:
            forget_content(self.ports, self.desired.project, retired.training)
        retire_job(self.ports, job)

    def _patch_model(self, model: str) -> None:
        assert self.tuning is not None, "a model is patched for its document"
        live = self.ports.reader.model(model)
        if live is None:
            return
        google = {k: v for k, v in live.labels.items() if k.startswith("google-") or k == "tune-type"}
        job = next((job for job in self._observed.jobs if bare(job.model) == bare(model)), None)
        # Whether Vertex copied the job's labels or not: the model says which attempt it is of.
        known = {**(job.labels if job else {}), **live.labels}
        attempt = {k: v for k, v in known.items() if k in {REVISION_LABEL, ATTEMPT_LABEL}}
        tuning = self.tuning
        self.ports.writer.patch_model(
            model,
            labels={**google, **attempt, **labels(tuning.project, tuning.name, tuning.labels)},
            display_name=tuning.display_name or tuning.name,
            description=tuning.description,
        )


def _end(job: Job, *, doubted: bool) -> tuple[AttemptState, str]:
    """An ended job's state in the ledger, and why."""
    if job.succeeded:
        return AttemptState.SUCCEEDED, ""
    if job.state is JobState.CANCELLED:
        return AttemptState.CANCELLED, job.error
    if doubted and not job.steps:
        return AttemptState.REVOKED, "its data was taken away while its fate was unknown; it did not train"
    return AttemptState.FAILED, job.error or f"it ended as {job.state.value}"
