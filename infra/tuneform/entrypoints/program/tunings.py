"""Datasets, tuning jobs and tuned models, as our own provider serves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from tuneform import specs
from tuneform.entrypoints import inputs
from tuneform.entrypoints.program.accounts import Account
from tuneform.entrypoints.program.project import Base
from tuneform.entrypoints.program.resources import Dataset, TunedModel, TuningJob
from tuneform.entrypoints.program.scope import Scope, options
from tuneform.entrypoints.program.storage import Bucket, Key


def declare_tunings(
    scope: Scope,
    base: Base,
    keys: Mapping[str, Key],
    buckets: Mapping[str, Bucket],
    accounts: Mapping[str, Account],
) -> dict[str, dict[str, Any]]:
    """Everything that is tuned; the outputs of every TunedModel by its name."""
    datasets = {document.name: _dataset(scope, document, buckets) for document in scope.of(specs.Dataset)}
    jobs: dict[str, TuningJob] = {}
    for job in scope.of(specs.TuningJob):
        needed: list[pulumi.Resource] = [base.services["aiplatform"], base.vertex_identity]
        if job.spec.encryption_key:
            needed += keys[job.spec.encryption_key.ref].ready
        if job.spec.service_account:
            needed += accounts[job.spec.service_account.ref].ready
        jobs[job.name] = _job(scope, job, datasets[job.spec.dataset.ref], needed, _parent(job, jobs))
    models: dict[str, dict[str, Any]] = {}
    for document in scope.of(specs.TunedModel):
        job = scope.find(specs.TuningJob, document.spec.job.ref)
        model = _model(scope, document, jobs[job.name], datasets[job.spec.dataset.ref])
        models[document.name] = {
            "endpoint": model.endpoint,
            "model": model.model,
            "revision": model.revision,
            "checkpoint": model.checkpoint,
            "metrics": model.metrics,
        }
    return models


def _dataset(scope: Scope, document: specs.Document[specs.Dataset], buckets: Mapping[str, Bucket]) -> Dataset:
    bucket = buckets[document.spec.bucket.ref]
    return Dataset(
        document.name,
        inputs.dataset(scope.tree, document),
        options(document, bucket.ready, retain=bucket.retained),
    )


def _job(
    scope: Scope,
    document: specs.Document[specs.TuningJob],
    dataset: Dataset,
    needed: Iterable[pulumi.Resource],
    parent: TuningJob | None,
) -> TuningJob:
    data = scope.find(specs.Dataset, document.spec.dataset.ref)
    validation = dataset.validation if inputs.has_split(data, "validation") else None
    given = inputs.tuning_job(
        scope.tree,
        document,
        training=dataset.training,
        validation=validation,
        parent=parent.revision if parent else None,
        wait=scope.wait,
        price=scope.price(document),
    )
    before = [parent] if parent else []
    return TuningJob(document.name, given, options(document, [dataset, *before, *needed]))


def _parent(document: specs.Document[specs.TuningJob], jobs: Mapping[str, TuningJob]) -> TuningJob | None:
    """The job that it goes on from, which comes before it in the order of the documents."""
    source = document.spec.pre_tuned_model
    return jobs[source.ref] if source and source.ref else None


def _model(
    scope: Scope, document: specs.Document[specs.TunedModel], job: TuningJob, dataset: Dataset
) -> TunedModel:
    tuning = scope.find(specs.TuningJob, document.spec.job.ref)
    data = scope.find(specs.Dataset, tuning.spec.dataset.ref)
    test = dataset.test if inputs.has_split(data, "test") else None
    price = scope.price(tuning)
    given = inputs.tuned_model(
        scope.tree, document, revision=job.revision, model=job.model, test=test, price=price
    )
    return TunedModel(document.name, given, options(document, [job]))
