"""A live job as the documents that would have made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from tuneform.entrypoints.cli.looking.importing.naming import unique, valid
from tuneform.reconcile.desired import Project
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, Job, JobState, Model
from tuneform.specs.kinds import KINDS
from tuneform.specs.kinds.base import RESERVED_LABEL_PREFIX
from tuneform.specs.kinds.tuning_job import AdapterSize
from tuneform.specs.text.write import as_yaml
from tuneform.specs.typed.layers import against

API_VERSION = "tuneform.dev/v1"
ACCOUNT_DOMAIN = ".iam.gserviceaccount.com"
How = Literal["pointer", "endpoint"]

HEADER = """\
# {job}, adopted by `tuneform import`.
# deletionPolicy is Retain: without these documents the model stays. Write Delete once tuneform is to retire it too.
"""
POINTER = """\
# serving is pointer: clients go on calling the endpoint they call today, and `tuneform endpoint {name}` tells it.
# With serving: endpoint they get a name that lasts, and the endpoints that Vertex AI made are deleted.
"""


@dataclass(frozen=True)
class Known:
    """What the specs declare already, which new documents refer to or keep clear of.

    `buckets`, `keys` and `accounts` map live names (of a bucket, a key, an address) to documents' names. `project` is
    the Project that documents have to name; empty where there is one alone. `defaults` are that Project's, by kind.
    """

    buckets: Mapping[str, str]
    keys: Mapping[str, str]
    accounts: Mapping[str, str]
    names: frozenset[str] = frozenset()
    project: str = ""
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def and_of(self, made: Written) -> Known:
        """The same with what the documents of one more job declare."""
        kinds = {document["kind"] for document in made.documents}
        job = made.job
        return Known(
            self.buckets,
            {**self.keys, **({job.kms_key: made.name} if "EncryptionKey" in kinds else {})},
            {**self.accounts, **({job.service_account: made.name} if "ServiceAccount" in kinds else {})},
            self.names | {made.name},
            self.project,
            self.defaults,
        )


@dataclass(frozen=True)
class Written:
    """The documents of one job. `name` is that of its TuningJob, its Dataset and its TunedModel."""

    job: Job
    name: str
    documents: tuple[Mapping[str, Any], ...]
    header: str

    @property
    def text(self) -> str:
        """The file's content."""
        return self.header + as_yaml(self.documents)


def refusals(job: Job, project: Project) -> Iterator[str]:
    """Why a job cannot be adopted, all reasons there are; none for one that can."""
    owner = job.labels.get(OWNER_LABEL)
    if owner == project.owner:
        yield f"it is ours already, as {job.labels.get(NAME_LABEL, 'something')!r}"
    elif owner is not None:
        yield f"it belongs to {owner!r} ({OWNER_LABEL})"
    if not job.training_uri:
        yield "it is neither supervised nor preference tuning, and others cannot be written down yet"
    elif not job.training_uri.startswith("gs://"):
        yield f"its data is a Vertex AI dataset ({job.training_uri}); only data in Cloud Storage can be written down"
    if job.adapter_size and job.adapter_size not in get_args(AdapterSize):
        yield f"its adapterSize {job.adapter_size} cannot be written down"
    if job.service_account and not job.service_account.endswith(f"@{project.project_id}{ACCOUNT_DOMAIN}"):
        yield f"its service account {job.service_account} is of another project, which cannot be written down"
    if job.state is JobState.CANCELLING or (job.state.ended and not job.succeeded):
        yield f"it is {job.state.value}, and a model of it never serves"


def written(job: Job, known: Known, *, model: Model | None, bucket: str, name: str = "", how: How) -> Written:
    """The documents of a job that can be adopted. What the service has not settled yet is left out.

    `model` is what it made, whose fields may have been changed since; `bucket` the DatasetBucket for its data; `name`
    is given where it is settled already.
    """
    shown = model.display_name if model else job.display_name
    chosen = name or unique(valid(shown or job.base_model), known.names)
    key, key_documents = _key(job, known, chosen)
    account, account_documents = _account(job, known, chosen)
    hyper = {
        "epochCount": job.epochs,
        "adapterSize": job.adapter_size,
        "learningRateMultiplier": job.learning_rate_multiplier,
        "beta": job.beta,
    }
    form = "vertex-jsonl" if job.method == "SUPERVISED" else "preference-jsonl"
    dataset = {"bucket": {"ref": bucket}, "format": form, "training": job.training_uri}
    if job.validation_uri:
        dataset["validation"] = job.validation_uri
    tuning = {
        **_source(job),
        "method": job.method if job.method != "SUPERVISED" else None,
        "dataset": {"ref": chosen},
        "hyperParameters": _given(hyper),
        "exportLastCheckpointOnly": job.last_checkpoint_only or None,
        "encryptionKey": {"ref": key} if key else None,
        "serviceAccount": {"ref": account} if account else None,
        "description": model.description if model else job.description,
        "tunedModelDisplayName": shown,
    }
    serving = {"job": {"ref": chosen}, "serving": how, "keep": 2, "deletionPolicy": "Retain"}
    labels = {k: v for k, v in job.labels.items() if not k.startswith((RESERVED_LABEL_PREFIX, "google-"))}
    documents = (
        *key_documents,
        *account_documents,
        _document("Dataset", known, chosen, dataset),
        _document("TuningJob", known, chosen, _given(tuning), labels),
        _document("TunedModel", known, chosen, serving, labels),
    )
    header = HEADER.format(job=job.name) + (POINTER.format(name=chosen) if how == "pointer" else "")
    return Written(job, chosen, documents, header)


def _source(job: Job) -> dict[str, Any]:
    """What it was tuned from. The checkpoint is a number as Vertex AI counts them."""
    if not job.pre_tuned:
        return {"baseModel": job.base_model}
    number = job.pre_tuned_checkpoint
    return {"preTunedModel": _given({"name": job.pre_tuned, "checkpoint": int(number) if number else None})}


def _key(job: Job, known: Known, name: str) -> tuple[str, list[Mapping[str, Any]]]:
    """The EncryptionKey of a job's key: the one that is declared, else a new one for the key that is there."""
    if not job.kms_key:
        return "", []
    if job.kms_key in known.keys:
        return known.keys[job.kms_key], []
    return name, [_document("EncryptionKey", known, name, {"existing": job.kms_key})]


def _account(job: Job, known: Known, name: str) -> tuple[str, list[Mapping[str, Any]]]:
    """The ServiceAccount of a job's account: the one that is declared, else a new one that `up` adopts."""
    if not job.service_account:
        return "", []
    if job.service_account in known.accounts:
        return known.accounts[job.service_account], []
    spec = {"accountId": job.service_account.partition("@")[0]}
    return name, [_document("ServiceAccount", known, name, spec)]


def _document(
    kind: str,
    known: Known,
    name: str,
    spec: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A document that says what the job has, and takes away what the Project's defaults would add to it."""
    metadata: dict[str, Any] = {"name": name, **({"project": known.project} if known.project else {})}
    whole = against(KINDS[kind], spec, known.defaults.get(kind, {}))
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": whole}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", {}, 0, 0.0)}
