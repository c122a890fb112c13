"""From live jobs to documents in the spec folder and attempts in the ledger.

Of each job the ledger is written first, saying that the model outlives its documents, then the file: whatever dies in
between, nothing is trained again and nothing is deleted, and the same import goes on from there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tuneform.entrypoints import inputs
from tuneform.entrypoints.cli.looking.importing.documents import How, Known, Written, refusals, written
from tuneform.entrypoints.cli.looking.opening import Opened, person
from tuneform.entrypoints.desired import desired_of, reader
from tuneform.errors import DatasetErrors, NotFound, ReconcileError, SettingsError, SpecErrors
from tuneform.reconcile.actions import last
from tuneform.reconcile.desired import Tuning
from tuneform.reconcile.ledger import Attempt, AttemptState, Record, Versioned
from tuneform.reconcile.live import Job
from tuneform.reconcile.recipe import recipe, revision
from tuneform.specs import (
    Dataset,
    DatasetBucket,
    Document,
    EncryptionKey,
    Project,
    ServiceAccount,
    Tree,
    TunedModel,
    TuningJob,
    load,
)
from tuneform.specs.text.write import as_yaml
from tuneform.specs.typed.layers import against

BASES = (Project, DatasetBucket, EncryptionKey, ServiceAccount)
"""Kinds that imported documents refer to."""


class NotImportableError(ReconcileError):
    """A live job that cannot be adopted."""

    code = "E640"


@dataclass(frozen=True)
class Refused:
    """A job that is left alone, and why."""

    job: str
    reason: str


@dataclass(frozen=True)
class Import:
    """One job, ready to be adopted: its documents, what they mean, and where they go."""

    written: Written
    tuning: Tuning
    path: Path
    before: Record | None = None
    """What the ledger has of it already, from an import that was cut off."""

    @property
    def revision(self) -> str:
        """The revision that the documents stand for."""
        return revision(self.tuning)


@dataclass(frozen=True)
class Importer:
    """Adopts jobs of one project. `out` is where files go, below the spec folder; `bucket` a DatasetBucket's name."""

    open_: Opened
    out: Path
    how: How = "pointer"
    bucket: str = ""

    def jobs(self, names: Sequence[str]) -> list[Job]:
        """The jobs of these resource names or ids; without any, every job that is not ours.

        Raises:
            NotImportableError: there is no such job.
            SettingsError: that cannot be the name of one.
        """
        ports, project = self.open_.ports, self.open_.project
        if not names:
            # A list has less to say of jobs that are not supervised tuning than a job by itself.
            others = ports.reader.others(project)
            return [job if job.training_uri else ports.reader.job(job.name) or job for job in others]
        found = []
        for name in dict.fromkeys(names):
            full = self.open_.job_name(name)
            job = ports.reader.job(full)
            if job is None:
                raise NotImportableError(
                    f"there is no job {full}",
                    remedy="`tuneform import --all --dry-run` shows those that there are",
                )
            found.append(job)
        return found

    def judged(self, jobs: Sequence[Job]) -> tuple[list[Import], list[Refused]]:
        """What can be adopted, in the order of the jobs, and what cannot. Nothing is written.

        Raises:
            SettingsError: the documents cannot go where they shall, or there is no bucket for their data.
        """
        made: list[Import] = []
        refused: list[Refused] = []
        known = self._known
        for job in jobs:
            reasons = [*refusals(job, self.open_.project), *self._taken(job)]
            if not reasons:
                try:
                    one = self._import(job, known, [earlier.written.text for earlier in made])
                except (DatasetErrors, SpecErrors) as wrong:
                    reasons = [diagnostic.message for diagnostic in wrong.diagnostics]
                except NotFound as gone:
                    reasons = [gone.message]
                else:
                    made.append(one)
                    known = known.and_of(one.written)
            if reasons:
                refused.append(Refused(job.name, "; ".join(reasons)))
        return made, refused

    def _import(self, job: Job, known: Known, beside: Sequence[str]) -> Import:
        model = self.open_.ports.reader.model(job.model) if job.model else None
        if job.model and model is None:
            raise NotFound(f"its model {job.model} is deleted")
        before = self._recorded.get(last(job.name))
        made = written(
            job,
            known,
            model=model,
            bucket=self._bucket(job, known),
            name=before.name if before else "",
            how=self.how,
        )
        path = self._folder / f"{made.name}.yaml"
        if path.exists():
            raise SettingsError(f"{path} is there already", remedy="name another folder with --out")
        return Import(made, self._tuning(made, beside), path, before)

    def _taken(self, job: Job) -> Iterator[str]:
        before = self._recorded.get(last(job.name))
        if before is not None and before.name in self.open_.documents(TuningJob):
            yield f"it is adopted already, as {before.name!r}"

    @cached_property
    def _recorded(self) -> dict[str, Record]:
        """What the ledger knows, by the id of the job."""
        heads = self.open_.ports.ledger.heads(self.open_.project)
        return {last(v.record.last.job): v.record for v in heads if v.record.last and v.record.last.job}

    @cached_property
    def _known(self) -> Known:
        tree, open_ = self.open_.scope.tree, self.open_
        keys = open_.documents(EncryptionKey).values()
        accounts = open_.documents(ServiceAccount).values()
        kinds: tuple[Any, ...] = (Dataset, TuningJob, TunedModel, EncryptionKey, ServiceAccount)
        declared = {name for kind in kinds for name in open_.documents(kind)}
        remembered = {record.name for record in self._recorded.values()}
        endpoints = {e.name.rpartition("/")[2] for e in open_.ports.reader.endpoints(open_.project)}
        return Known(
            buckets={d.spec.bucket_name: name for name, d in open_.documents(DatasetBucket).items()},
            keys={inputs.key_name(tree, key): key.name for key in keys},
            accounts={inputs.account_email(tree, account): account.name for account in accounts},
            names=frozenset(declared | remembered | endpoints),
            project=open_.project.name if len(tree.of(Project)) > 1 else "",
            defaults=tree.find(Project, open_.project.name, open_.project.name).spec.defaults,
        )

    def _bucket(self, job: Job, known: Known) -> str:
        """The DatasetBucket that canonical data goes to: the one named, else the data's own, else the only one."""
        buckets = set(known.buckets.values())
        if self.bucket:
            if self.bucket not in buckets:
                raise SettingsError(
                    f"there is no DatasetBucket {self.bucket!r}",
                    remedy=f"declared: {', '.join(sorted(buckets))}",
                )
            return self.bucket
        own = known.buckets.get(job.training_uri.removeprefix("gs://").partition("/")[0])
        if own or len(buckets) == 1:
            return own or min(buckets)
        remedy = "name one with --bucket" if buckets else "declare a DatasetBucket first"
        raise SettingsError(f"no DatasetBucket for the data of {job.name}", remedy=remedy)

    @cached_property
    def _folder(self) -> Path:
        home = self.open_.scope.folder
        root = home if home.is_dir() else home.parent
        if not self.out.resolve().is_relative_to(root.resolve()):
            raise SettingsError(
                f"{self.out} is not in the spec folder {root}, so nothing there would be applied",
                remedy="name a folder in it with --out",
            )
        return self.out

    def _tuning(self, made: Written, beside: Sequence[str]) -> Tuning:
        """What the documents mean, read and resolved as `plan` does it; they may refer to those of other files.

        Raises:
            SpecErrors, DatasetErrors: what cannot be written down.
            NotFound: the job's data is gone.
        """
        with tempfile.TemporaryDirectory() as folder:
            staged = Path(folder)
            around = (
                _alone(self.open_.scope.tree, d) for kind in BASES for d in self.open_.scope.tree.of(kind)
            )
            (staged / "around.yaml").write_text(as_yaml(around), encoding="utf-8")
            for index, text in enumerate([*beside, made.text]):
                (staged / f"imported-{index}.yaml").write_text(text)
            tree = load(staged, self.open_.scope.tree.known)
            project = tree.find(Project, self.open_.project.name, self.open_.project.name)
            desired, _ = desired_of(
                tree,
                project,
                read_datasets=reader(tree, self.open_.ports.objects.read),
                part=lambda document: document.name == made.name,
            )
        (tuning,) = desired.tunings
        return tuning

    def adopt(self, one: Import) -> None:
        """Record the attempt, then write the file.

        Raises:
            LedgerConflict: somebody wrote to the ledger under the same name.
            SpecErrors: with the file the specs would be wrong; it is not left there.
        """
        self._record(one)
        one.path.parent.mkdir(parents=True, exist_ok=True)
        one.path.write_text(one.written.text, encoding="utf-8")
        try:
            load(self.open_.scope.folder, self.open_.scope.tree.known)
        except SpecErrors:
            one.path.unlink()
            raise

    def _record(self, one: Import) -> None:
        ports, project = self.open_.ports, self.open_.project
        if one.before is not None:
            if one.before.revision == one.revision:
                return
            # The service has settled more of the job since, so that its documents say more than they would have.
            old = ports.ledger.read(project, one.before.name, one.before.revision)
            if old is not None:
                ports.ledger.forget(project, old)
        attempt = Attempt(
            number=1,
            state=AttemptState.KNOWN,
            cause=f"imported by {person()}",
            holder=ports.holder,
            job=one.written.job.name,
        )
        record = Record(
            project=project.name,
            name=one.tuning.name,
            revision=one.revision,
            recipe=recipe(one.tuning),
            attempts=(attempt,),
            wanted=ports.ledger.now(),
            training=one.tuning.training.uri,
            retain=True,
        )
        ports.ledger.write(project, Versioned(record))


def _alone(tree: Tree, document: Document[Any]) -> dict[str, Any]:
    """A document as it comes out, to be read again beside its Project."""
    values: dict[str, Any] = dict(document.origin.values)
    defaults = tree.project_of(document).spec.defaults.get(document.kind, {})
    return {**values, "spec": against(type(document.spec), values["spec"], defaults)}
