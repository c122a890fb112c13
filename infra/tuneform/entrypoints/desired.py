"""The documents of one project as the core's frozen data, every reference followed, and the bytes of their datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tuneform import specs
from tuneform.capabilities.prices import Money, PriceTable, builtin
from tuneform.datasets import Prepared, prepare
from tuneform.datasets.files import Fetch
from tuneform.entrypoints import inputs, needs, resolve
from tuneform.errors import DatasetErrors, Diagnostic, ReconcileError
from tuneform.reconcile import content
from tuneform.reconcile.desired import (
    Content,
    Desired,
    Gate,
    HyperParameters,
    Limits,
    Parent,
    Project,
    Serving,
    Tuning,
)
from tuneform.reconcile.observe import names_of
from tuneform.reconcile.recipe import revision
from tuneform.specs import Document
from tuneform.specs.kinds.tuned_model import Gate as GateSpec
from tuneform.specs.kinds.tuning_job import PreTunedModel
from tuneform.specs.lineage import base_model, parents

SpecT = TypeVar("SpecT", bound=specs.SpecModel)
ReadDataset = Callable[[Document[specs.Dataset]], Prepared]
"""Reads, checks and divides what one Dataset document names."""
Supply = Callable[[Content], bytes]
"""Gives the bytes of a dataset split that is to be uploaded."""
Part = Callable[[Document[Any]], bool]
"""Whether a document is among those that are asked about."""

KEEP_UNSERVED = 2
"""Earlier revisions kept of a TuningJob that no TunedModel says it for: the default of TunedModel.keep."""


def reader(tree: specs.Tree, fetch: Fetch) -> ReadDataset:
    """Reads datasets from the spec folder and, with `fetch`, from Cloud Storage."""

    def read(document: Document[specs.Dataset]) -> Prepared:
        return prepare(inputs.source(tree, document), root=tree.root, fetch=fetch)

    return read


def desired_of(
    tree: specs.Tree,
    document: Document[specs.Project],
    *,
    read_datasets: ReadDataset,
    part: Part | None = None,
    prices: PriceTable | None = None,
) -> tuple[Desired, Supply]:
    """What the specs ask of one project, and what gives the bytes of its datasets.

    With `part` only those documents are asked for (with the datasets that they need), and what else is live is not
    taken for removed. `prices` is what base models cost, the built-in table unless one is given. Datasets are read one
    after another, and one at a time is held; the supply reads a dataset again.

    Raises:
        DatasetErrors: everything that is wrong in any of them.
    """
    asked = _Asked(tree, document, read_datasets, part or (lambda _: True), prices or builtin())
    desired = Desired(
        project=asked.project,
        tunings=asked.tunings(),
        servings=asked.servings(),
        contents=asked.placed_contents(),
        needs=needs.needs_of(tree, document),
        whole=part is None,
    )
    return desired, asked.supply()


class _Asked:
    """The documents of one project and what they refer to, each thing looked up once."""

    def __init__(
        self,
        tree: specs.Tree,
        document: Document[specs.Project],
        read: ReadDataset,
        part: Part,
        prices: PriceTable,
    ) -> None:
        self.project: Project = resolve.project(document)
        self._prices = prices
        self._tree, self._read, self._labels = tree, read, document.spec.labels
        self._models = _of(tree, specs.TunedModel, document.name)
        self._jobs = {job.name: job for job in _of(tree, specs.TuningJob, document.name)}
        self._asked_jobs = [job for job in self._jobs.values() if part(job)]
        self._asked_models = [model for model in self._models if part(model)]
        self._datasets = self._needed_datasets(part)
        self._contents = self._read_all()
        self._keys: dict[str, str] = {}
        self._accounts: dict[str, str] = {}
        self._tunings: dict[str, Tuning] = {}
        self._find = parents(tree, self.project.name)
        self._served = {model.spec.job.ref: model.spec for model in self._models}

    def _needed_datasets(self, part: Part) -> dict[str, Document[specs.Dataset]]:
        served = {model.spec.job.ref for model in self._asked_models}
        jobs = {name for job in {job.name for job in self._asked_jobs} | served for name in self._line(job)}
        needed = {self._jobs[name].spec.dataset.ref for name in jobs}
        documents = _of(self._tree, specs.Dataset, self.project.name)
        return {dataset.name: dataset for dataset in documents if dataset.name in needed or part(dataset)}

    def _line(self, name: str) -> Iterator[str]:
        """A tuning's name and those of the tunings that it goes on from."""
        yield name
        source = self._jobs[name].spec.pre_tuned_model
        if source and source.ref:
            yield from self._line(source.ref)

    def _read_all(self) -> dict[str, Mapping[str, Content]]:
        """Where the splits of each dataset lie. Of what is read, nothing else is kept."""
        wrong: list[Diagnostic] = []
        contents: dict[str, Mapping[str, Content]] = {}
        for name, dataset in self._datasets.items():
            try:
                contents[name] = content.placed(self._read(dataset), self._bucket(dataset), name)
            except DatasetErrors as found:
                wrong += found.diagnostics
        if wrong:
            raise DatasetErrors(wrong)
        return contents

    def _bucket(self, dataset: Document[specs.Dataset]) -> str:
        found = self._tree.find(specs.DatasetBucket, dataset.spec.bucket.ref, self.project.name)
        return found.spec.bucket_name

    def tunings(self) -> tuple[Tuning, ...]:
        """The TuningJobs, in the order of their names."""
        return tuple(map(self._tuning, self._asked_jobs))

    def servings(self) -> tuple[Serving, ...]:
        """The TunedModels, in the order of their names."""
        return tuple(map(self._serving, self._asked_models))

    def placed_contents(self) -> tuple[Content, ...]:
        """All splits of all datasets."""
        return tuple(split for placed in self._contents.values() for split in placed.values())

    def supply(self) -> _Supply:
        """What gives the splits' bytes."""
        homes = {
            split.uri: (self._datasets[name], which)
            for name, placed in self._contents.items()
            for which, split in placed.items()
        }
        return _Supply(self._read, homes)

    def _tuning(self, job: Document[specs.TuningJob]) -> Tuning:
        if job.name in self._tunings:
            return self._tunings[job.name]
        spec, served = job.spec, self._served.get(job.name)
        placed = self._contents[spec.dataset.ref]
        hyper, limits = spec.hyper_parameters, spec.limits
        made = self._tunings[job.name] = Tuning(
            project=self.project,
            name=job.name,
            base_model=self._base(spec),
            training=placed["training"],
            method=spec.method,
            parent=self._parent(spec.pre_tuned_model),
            tuning_mode=spec.tuning_mode,
            evaluation=inputs.evaluation(spec),
            validation=placed.get("validation"),
            hyper_parameters=HyperParameters(
                epoch_count=hyper.epoch_count,
                adapter_size=hyper.adapter_size,
                learning_rate_multiplier=hyper.learning_rate_multiplier,
                beta=hyper.beta,
            ),
            export_last_checkpoint_only=spec.export_last_checkpoint_only,
            kms_key=self._key(job),
            service_account=self._account(job),
            labels={**self._labels, **job.metadata.labels},
            description=spec.description,
            display_name=spec.tuned_model_display_name or job.name,
            limits=Limits(
                max_billable_tokens=limits.max_billable_tokens,
                max_cost=Money.parse(limits.max_cost) if limits.max_cost else None,
                timeout=limits.timeout,
                retries=limits.retries,
            ),
            when_superseded=spec.when_superseded,
            on_model_lost=spec.on_model_lost,
            previous_names=job.metadata.previous_names,
            retain=served is not None and served.deletion_policy == "Retain",
            keep=KEEP_UNSERVED if served is None else None,
            price=self._prices.find(self._base(spec)),
        )
        return made

    def _base(self, job: specs.TuningJob) -> str:
        """The base model under a job; empty where it is not known."""
        return base_model(job, self._find) or ""

    def _parent(self, source: PreTunedModel | None) -> Parent | None:
        if source is None:
            return None
        if source.ref is None:
            return Parent(model=source.name or "", checkpoint=source.checkpoint)
        tuning = self._tuning(self._jobs[source.ref])
        return Parent(names_of(tuning), tuning.revision, checkpoint=source.checkpoint)

    def _serving(self, model: Document[specs.TunedModel]) -> Serving:
        spec, job = model.spec, self._jobs[model.spec.job.ref]
        return Serving(
            project=self.project,
            name=model.name,
            tuning=job.name,
            revision=revision(self._tuning(job)),
            checkpoint=spec.checkpoint,
            gate=_gate(spec.gate),
            test=self._contents[job.spec.dataset.ref].get("test"),
            keep=spec.keep,
            labels={**self._labels, **model.metadata.labels},
            description=spec.description,
            display_name=spec.display_name or model.name,
            kms_key=self._key(job),
            pointer=spec.serving == "pointer",
            previous_names=model.metadata.previous_names,
            tuning_names=job.metadata.previous_names,
            retain=spec.deletion_policy == "Retain",
            price=self._prices.find(self._base(job.spec)),
        )

    def _key(self, job: Document[specs.TuningJob]) -> str | None:
        reference = job.spec.encryption_key
        if reference is None:
            return None
        if reference.ref not in self._keys:
            found = self._tree.find(specs.EncryptionKey, reference.ref, self.project.name)
            self._keys[reference.ref] = inputs.key_name(self._tree, found)
        return self._keys[reference.ref]

    def _account(self, job: Document[specs.TuningJob]) -> str | None:
        reference = job.spec.service_account
        if reference is None:
            return None
        if reference.ref not in self._accounts:
            found = self._tree.find(specs.ServiceAccount, reference.ref, self.project.name)
            self._accounts[reference.ref] = inputs.account_email(self._tree, found)
        return self._accounts[reference.ref]


def _of(tree: specs.Tree, kind: type[SpecT], project: str) -> list[Document[SpecT]]:
    """The project's documents of one kind, in the order of their names."""
    return sorted((d for d in tree.of(kind) if d.project == project), key=lambda document: document.name)


def _gate(spec: GateSpec) -> Gate:
    return Gate(
        exact_match_at_least=spec.exact_match.at_least if spec.exact_match else None,
        exact_match_examples=spec.exact_match.examples if spec.exact_match else None,
        eval_loss_at_most=spec.eval_loss.at_most if spec.eval_loss else None,
        eval_accuracy_at_least=spec.eval_accuracy.at_least if spec.eval_accuracy else None,
        no_worse_than_serving=spec.no_worse_than == "serving",
    )


@dataclass
class _Supply:
    """Reads a dataset again when its bytes are asked for; the last one is held, since its splits come in a row."""

    read: ReadDataset
    homes: Mapping[str, tuple[Document[specs.Dataset], str]]
    _held: tuple[str, Prepared] | None = field(default=None, init=False)

    def __call__(self, wanted: Content) -> bytes:
        """The bytes of a split.

        Raises:
            ReconcileError: it is none of these datasets', or has changed since it was planned.
            DatasetErrors: it cannot be read any more.
        """
        if wanted.uri not in self.homes:
            raise ReconcileError(
                f"{wanted.uri} is not in the bucket",
                remedy="apply the whole spec folder, which holds its Dataset",
            )
        document, which = self.homes[wanted.uri]
        if self._held is None or self._held[0] != document.name:
            self._held = None  # before the next one is read: never two at a time
            self._held = (document.name, self.read(document))
        split = getattr(self._held[1], which)
        if split is None or split.digest != wanted.digest:
            raise ReconcileError(
                f"Dataset {document.name!r} has changed since it was planned", remedy="run the command again"
            )
        data: bytes = split.jsonl()
        return data
