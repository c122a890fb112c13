"""Spec documents as the inputs of the provider's resources: what the program declares and an import takes.

Values that only a resource's outputs hold (content, revision, model) are passed in, plain or as Pulumi outputs.
"""

from __future__ import annotations

from typing import Any, Literal

from tuneform.capabilities.prices import Price
from tuneform.datasets import DatasetSource
from tuneform.datasets.limits import of_dataset
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
)
from tuneform.specs.lineage import base_model, parents

KEEP_UNSERVED = 2
"""Earlier revisions kept of a TuningJob that no TunedModel says it for: the default of TunedModel.keep."""


def project(tree: Tree, document: Document[Any]) -> dict[str, Any]:
    """The `project` input of every resource."""
    found: Document[Project] = tree.project_of(document)
    return {
        "name": found.name,
        "projectId": found.spec.project_id,
        "location": found.spec.location,
        "servingLocation": found.spec.serving_location,
        "owner": found.spec.owner,
        "stateBucket": found.spec.state_bucket,
    }


def labels(tree: Tree, document: Document[Any]) -> dict[str, str]:
    """The project's labels and the document's own; the latter win."""
    return {**tree.project_of(document).spec.labels, **document.metadata.labels}


def source(tree: Tree, document: Document[Dataset]) -> DatasetSource:
    """What a Dataset document asks for, with the limits of the models that are tuned with it."""
    return DatasetSource.from_spec(document.spec, of_dataset(tree, document))


def has_split(document: Document[Dataset], name: Literal["validation", "test"]) -> bool:
    """Whether the dataset will have that split. A preview must know it: an output that is missing is unknown."""
    split = document.spec.split
    return getattr(document.spec, name) is not None or bool(split and getattr(split, name))


def dataset(tree: Tree, document: Document[Dataset]) -> dict[str, Any]:
    """The inputs of a Dataset."""
    bucket = tree.find(DatasetBucket, document.spec.bucket.ref, document.project)
    return _given(
        project=project(tree, document),
        name=document.name,
        previousNames=_previous_names(document),
        bucket=bucket.spec.bucket_name,
        root=str(tree.root.resolve()),
        source=source(tree, document).to_json(),
    )


def tuning_job(
    tree: Tree,
    document: Document[TuningJob],
    *,
    training: Any,
    validation: Any,
    parent: Any = None,
    wait: str = "succeeded",
    price: Price | None = None,
) -> dict[str, Any]:
    """The inputs of a TuningJob; `parent` is the revision of the one that it goes on from.

    How many models are kept, and whether on deletion too, its TunedModel says.
    """
    spec = document.spec
    hyper, limits = spec.hyper_parameters, spec.limits
    served = [
        model.spec
        for model in tree.of(TunedModel)
        if model.project == document.project and model.spec.job.ref == document.name
    ]
    return _given(
        project=project(tree, document),
        name=document.name,
        previousNames=_previous_names(document),
        baseModel=spec.base_model,
        preTunedModel=_pre_tuned(tree, document, parent),
        method=spec.method,
        tuningMode=spec.tuning_mode,
        evaluationConfig=evaluation(spec),
        training=training,
        validation=validation,
        hyperParameters=_given(
            epochCount=hyper.epoch_count,
            adapterSize=hyper.adapter_size,
            learningRateMultiplier=hyper.learning_rate_multiplier,
            beta=hyper.beta,
        ),
        exportLastCheckpointOnly=spec.export_last_checkpoint_only,
        encryptionKey=_key(tree, document),
        serviceAccount=_account(tree, document),
        labels=labels(tree, document),
        description=spec.description,
        displayName=spec.tuned_model_display_name or document.name,
        limits=_given(
            maxBillableTokens=limits.max_billable_tokens,
            maxCost=limits.max_cost,
            timeoutSeconds=int(limits.timeout.total_seconds()) if limits.timeout else None,
            retries=limits.retries,
        ),
        whenSuperseded=spec.when_superseded,
        onModelLost=spec.on_model_lost,
        keep=None if served else KEEP_UNSERVED,
        deletionPolicy=served[0].deletion_policy if served else "Delete",
        wait=wait,
        price=_price(price),
    )


def evaluation(spec: TuningJob) -> dict[str, Any] | None:
    """What is to be measured, as the API has it."""
    given = spec.evaluation_config
    return given.model_dump(mode="json", by_alias=True, exclude_none=True) if given else None


def _pre_tuned(tree: Tree, document: Document[TuningJob], revision: Any) -> dict[str, Any] | None:
    source = document.spec.pre_tuned_model
    if source is None:
        return None
    if source.ref is None:
        return _given(model=source.name, checkpoint=source.checkpoint)
    job = tree.find(TuningJob, source.ref, document.project)
    return _given(
        job=source.ref,
        jobPreviousNames=_previous_names(job),
        revision=revision,
        baseModel=base_model(job.spec, parents(tree, document.project)),
        checkpoint=source.checkpoint,
    )


def tuned_model(
    tree: Tree,
    document: Document[TunedModel],
    *,
    revision: Any,
    model: Any,
    test: Any,
    price: Price | None = None,
) -> dict[str, Any]:
    """The inputs of a TunedModel."""
    spec = document.spec
    job = tree.find(TuningJob, spec.job.ref, document.project)
    return _given(
        project=project(tree, document),
        name=document.name,
        previousNames=_previous_names(document),
        job=spec.job.ref,
        jobPreviousNames=_previous_names(job),
        revision=revision,
        model=model,
        checkpoint=spec.checkpoint,
        gate=spec.gate.model_dump(mode="json", by_alias=True, exclude_none=True),
        test=test,
        keep=spec.keep,
        serving=spec.serving,
        labels=labels(tree, document),
        displayName=spec.display_name or document.name,
        description=spec.description,
        deletionPolicy=spec.deletion_policy,
        encryptionKey=_key(tree, job),
        price=_price(price),
    )


def _price(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    amounts = {"training": price.training, "input": price.input, "output": price.output}
    return {
        "currency": price.currency,
        "source": price.source,
        "date": price.date.isoformat(),
        **{name: float(amount) for name, amount in amounts.items() if amount is not None},
    }


def key_name(tree: Tree, document: Document[EncryptionKey]) -> str:
    """The key's full name in Cloud KMS."""
    spec = document.spec
    if spec.existing:
        return spec.existing
    project_id = tree.project_of(document).spec.project_id
    ring = f"projects/{project_id}/locations/{spec.location}/keyRings/{spec.key_ring}"
    return f"{ring}/cryptoKeys/{spec.key_name}"


def account_email(tree: Tree, document: Document[ServiceAccount]) -> str:
    """The account's address."""
    return f"{document.spec.account_id}@{tree.project_of(document).spec.project_id}.iam.gserviceaccount.com"


def _key(tree: Tree, document: Document[TuningJob]) -> str | None:
    reference = document.spec.encryption_key
    if reference is None:
        return None
    return key_name(tree, tree.find(EncryptionKey, reference.ref, document.project))


def _account(tree: Tree, document: Document[TuningJob]) -> str | None:
    reference = document.spec.service_account
    if reference is None:
        return None
    return account_email(tree, tree.find(ServiceAccount, reference.ref, document.project))


def _previous_names(document: Document[Any]) -> list[str] | None:
    return list(document.metadata.previous_names) or None


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that are set; what is empty is left out."""
    return {name: value for name, value in fields.items() if value not in (None, "", {})}
