"""What is live as the rules of policies see it: in the very shape that documents.py gives to what is written.

A live thing shows less than a document, and UNKNOWN says what it cannot show: rules that read such a path are not
judged here, which is said. Names are what exceptions and `match` go by: the label `tuneform-name`, else the display
name, else the last part of the resource name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tuneform.capabilities.prices import PriceTable
from tuneform.entrypoints.doors.documents import cost_values, key_parts
from tuneform.policy import Subject
from tuneform.reconcile.cost import Cost
from tuneform.reconcile.estate import BucketSeen, EndpointSeen, JobSeen, ModelSeen, ProjectSeen
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, Job, bare

_KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")

UNKNOWN: Mapping[str, tuple[str, ...]] = {
    "Project": ("object.spec.owner", "object.spec.stateBucket", "object.metadata.annotations"),
    "TuningJob": (
        "object.metadata.annotations",
        "object.spec.dataset",
        "object.spec.tuningMode",
        "object.spec.limits",
        "object.spec.evaluationConfig",
        "object.spec.whenSuperseded",
        "object.spec.onModelLost",
        "data.training.examples",
        "data.training.tokens",
        "data.training.tokensLow",
        "data.training.tokensHigh",
        "data.validation.examples",
        "data.validation.tokens",
        "data.validation.tokensLow",
        "data.validation.tokensHigh",
        "data.test",
        "cost",
    ),
    "TunedModel": (
        "object.metadata.annotations",
        "object.spec.job",
        "object.spec.checkpoint",
        "object.spec.gate",
        "object.spec.keep",
        "object.spec.deletionPolicy",
        "object.spec.serving",
        "data",
    ),
    "DatasetBucket": ("object.metadata.annotations", "object.spec.deletionPolicy", "project.location"),
    "EncryptionKey": (
        "object.metadata.annotations",
        "object.metadata.labels",
        "object.spec.rotationPeriod",
        "object.spec.protectionLevel",
        "object.spec.existing",
        "object.spec.deletionPolicy",
        "project.location",
    ),
    "ServiceAccount": (
        "object.metadata.annotations",
        "object.metadata.labels",
        "object.spec.projectRoles",
        "object.spec.bucketRoles",
        "object.spec.impersonators",
        "object.spec.displayName",
        "object.spec.deletionPolicy",
        "project.location",
    ),
}
"""By kind what a live thing may not show. Some of it shows in some cases, and is then taken off: a job's tokens and
examples once Vertex AI has counted them, a model's job while the job's list names it, an account's roles where the
project's policy may be read. All else of documents.py is known."""

_EVERYWHERE = ("project.owner", "project.stateBucket", "project.servingLocation")
"""What a Google Cloud project does not show of a Project document."""


@dataclass(frozen=True)
class Sight:
    """A live thing: as rules see it, where it is, and when it was made and changed. `notes` are for the reader."""

    subject: Subject
    resource: str
    location: str = ""
    created: datetime | None = None
    updated: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Around:
    """The project around live things. `written` are the values of its Project document, where there is a tree."""

    seen: ProjectSeen
    prices: PriceTable
    written: Mapping[str, Any] = field(default_factory=dict)

    def values(self, location: str) -> dict[str, Any]:
        """`project`, as rules see it."""
        plain = {"name": self.seen.project_id, "projectId": self.seen.project_id, "platform": "vertex"}
        place = {"location": location} if location else {}
        return {**plain, "labels": dict(self.seen.labels), **self.written, **place}

    def unknown(self) -> tuple[str, ...]:
        """What of `project` is not known."""
        return () if self.written else _EVERYWHERE


@dataclass(frozen=True)
class Kept:
    """What is kept in mind of a model while its location is read: its labels, and the job that made it, once seen."""

    seen: ModelSeen
    job: Mapping[str, Any] | None = None


Models = dict[str, Kept]
"""The models of one location by their names without version."""


def job_sight(seen: JobSeen, models: Models, around: Around, location: str) -> Sight | None:
    """A tuning job; None for history that nobody can mend: one that has ended and has no model any more.

    Vertex AI can neither change nor delete a job that has ended, but what it made can be labelled: the labels of
    both count.
    """
    job = seen.job
    model = models.get(bare(job.model)) if job.model else None
    if job.state.ended and model is None:
        return None
    labels = {**job.labels, **(model.seen.model.labels if job.state.ended and model else {})}
    spec, spec_unknown = _job_spec(job, models)
    data, known = _job_data(seen)
    unknown = set(UNKNOWN["TuningJob"]) - known | spec_unknown
    cost: Mapping[str, Any] = {}
    if job.billable_tokens is not None:
        cost = _cost(job, around.prices)
        unknown.discard("cost")
    name = _name(job.labels, job.display_name, job.name)
    subject = Subject(
        _thing("TuningJob", name, around.values(location), labels, spec),
        around.values(location),
        data,
        cost,
        frozenset((*unknown, *around.unknown())),
        finished=job.state.ended,
    )
    # A job is as it was made; the labels of what it made may have been others.
    changed = model.seen.updated if job.state.ended and model else None
    return Sight(subject, job.name, location, job.created, changed, labels)


def _job_spec(job: Job, models: Models) -> tuple[dict[str, Any], set[str]]:
    hyper = {
        "epochCount": job.epochs,
        "adapterSize": job.adapter_size,
        "learningRateMultiplier": job.learning_rate_multiplier,
        "beta": job.beta,
    }
    spec: dict[str, Any] = {
        "method": job.method,
        "hyperParameters": {name: value for name, value in hyper.items() if value},
        "exportLastCheckpointOnly": job.last_checkpoint_only,
        "tunedModelDisplayName": job.display_name,
        "description": job.description,
    }
    if job.kms_key:
        spec["encryptionKey"] = _key(job.kms_key)
    if job.service_account:
        spec["serviceAccount"] = {"email": job.service_account}
    if not job.pre_tuned:
        return {**spec, "baseModel": job.base_model}, set()
    origin: dict[str, Any] = {"baseModel": job.base_model}
    parent = models.get(bare(job.pre_tuned))
    unknown = set()
    if parent is not None and _is_ours(parent.seen.model.labels):
        origin["ref"] = parent.seen.model.labels[NAME_LABEL]
    elif _is_ours(job.labels):  # whether a document or a name led there is not to be seen any more
        unknown.add("object.spec.preTunedModel.name")
    else:
        origin["name"] = job.pre_tuned
    return {**spec, "preTunedModel": origin}, unknown


def _is_ours(labels: Mapping[str, str]) -> bool:
    return OWNER_LABEL in labels and NAME_LABEL in labels


def _job_data(seen: JobSeen) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """What is known of the job's data, and which of the unknown paths are known after all."""
    job = seen.job
    training: dict[str, Any] = {}
    if seen.examples is not None:
        training["examples"] = seen.examples
    if job.billable_tokens is not None:
        training |= dict.fromkeys(("tokens", "tokensLow", "tokensHigh"), job.billable_tokens)
    data = {"training": training, **({"validation": {}} if job.validation_uri else {})}
    return data, {f"data.training.{name}" for name in training}


def _cost(job: Job, prices: PriceTable) -> dict[str, Any]:
    tokens = job.billable_tokens or 0
    price = prices.find(job.base_model)
    return cost_values(
        Cost(job.base_model, tokens, tokens, tokens, job.epochs or None, counted=True, price=price)
    )


def job_of_model(job: Job) -> dict[str, Any]:
    """What a TunedModel shows of its job."""
    return {
        "ref": _name(job.labels, job.display_name, job.name),
        "baseModel": job.base_model,
        "method": job.method,
    }


def model_sight(kept: Kept, around: Around, location: str) -> Sight:
    """A tuned model of the registry, as a TunedModel."""
    seen, model = kept.seen, kept.seen.model
    spec = {"displayName": model.display_name, "description": model.description}
    return _served(
        _name(model.labels, model.display_name, bare(model.name)),
        spec,
        kept.job,
        around,
        Sight(_NOBODY, model.name, location, seen.created, seen.updated, model.labels),
    )


def endpoint_sight(seen: EndpointSeen, models: Models, around: Around, location: str) -> Sight | None:
    """An endpoint that serves a tuned model, or is tuneform's, as a TunedModel; None for others."""
    endpoint = seen.endpoint
    served = [models[deployed.model] for deployed in endpoint.deployed if deployed.model in models]
    tuned = [kept for kept in served if kept.job is not None or kept.seen.tuned]
    if not tuned and OWNER_LABEL not in endpoint.labels:
        return None
    spec = {"displayName": endpoint.display_name, "description": endpoint.description}
    job = tuned[0].job if tuned else None
    return _served(
        _name(endpoint.labels, endpoint.display_name, endpoint.name),
        spec,
        job,
        around,
        Sight(_NOBODY, endpoint.name, location, seen.created, seen.updated, endpoint.labels),
    )


_NOBODY = Subject({"kind": "", "metadata": {"name": ""}})


def _served(
    name: str, spec: dict[str, Any], job: Mapping[str, Any] | None, around: Around, sight: Sight
) -> Sight:
    project = around.values(sight.location)
    unknown = set(UNKNOWN["TunedModel"]) - ({"object.spec.job"} if job is not None else set())
    spec = {**spec, **({"job": dict(job)} if job is not None else {})}
    subject = Subject(
        _thing("TunedModel", name, project, sight.labels, spec),
        project,
        unknown=frozenset((*unknown, *around.unknown())),
    )
    return Sight(**{**sight.__dict__, "subject": subject})


def bucket_sight(seen: BucketSeen, around: Around) -> Sight:
    """A bucket, as a DatasetBucket."""
    rules = [
        {
            name: value
            for name, value in (("age", one.age), ("numNewerVersions", one.newer_versions))
            if value is not None
        }
        for one in seen.lifecycle
    ]
    spec: dict[str, Any] = {
        "bucketName": seen.name,
        "location": seen.location,
        "storageClass": seen.storage_class,
        "versioning": seen.versioning,
        "lifecycle": [{**rule, "action": "Delete"} for rule in rules],
        "uniformBucketLevelAccess": seen.uniform_access,
        "publicAccessPrevention": seen.public_access_prevention,
    }
    if seen.key:
        spec["encryptionKey"] = _key(seen.key)
    notes = tuple(f"it is open: {grant}" for grant in seen.public or ())
    if seen.public is None:
        notes = ("who has access may not be read here",)
    subject = _simple("DatasetBucket", seen.name, spec, around, labels=seen.labels)
    return Sight(subject, f"gs://{seen.name}", seen.location, seen.created, seen.updated, seen.labels, notes)


def key_sight(name: str, user: Sight, around: Around) -> Sight:
    """A key that a job or a bucket names, as an EncryptionKey; of its age no more is known than its use."""
    parts = _key(name)
    ring, key = (name.split("/")[5], name.split("/")[7]) if parts["location"] else ("", name)
    spec = {**parts, "keyRing": ring, "keyName": key}
    subject = _simple("EncryptionKey", key, spec, around)
    return Sight(
        subject, name, parts["location"], created=user.created, notes=(f"it encrypts {user.resource}",)
    )


def _key(name: str) -> dict[str, str]:
    """A key's name and where it lies: nowhere that is allowed, where the name is no key's."""
    if _KEY.fullmatch(name):
        return key_parts(name)
    return {"name": name, "projectId": "", "location": ""}


def account_sight(email: str, user: Sight, around: Around) -> Sight:
    """An account that a job runs as, as a ServiceAccount, with its roles on the whole of its own project."""
    account, _, domain = email.partition("@")
    spec: dict[str, Any] = {"email": email, "accountId": account}
    known: set[str] = set()
    home = domain.removesuffix(".iam.gserviceaccount.com")
    if around.seen.roles is not None and home == around.seen.project_id:
        spec["projectRoles"] = list(around.seen.roles.get(email, ()))
        known.add("object.spec.projectRoles")
    subject = _simple("ServiceAccount", account, spec, around, known=known)
    resource = f"projects/{around.seen.project_id}/serviceAccounts/{email}"
    return Sight(subject, resource, created=user.created, notes=(f"{user.resource} runs as it",))


def project_sight(location: str, oldest: datetime | None, around: Around) -> Sight:
    """A location of a project in which something lies, as a Project: its region, since the oldest thing in it."""
    seen = around.seen
    spec = {
        "projectId": seen.project_id,
        "location": location,
        "platform": "vertex",
        "labels": dict(seen.labels),
    }
    project = around.values(location)
    thing = _thing("Project", project["name"], project, seen.labels, spec)
    subject = Subject(thing, project, unknown=frozenset((*UNKNOWN["Project"], *around.unknown())))
    return Sight(
        subject, f"projects/{seen.project_id}/locations/{location}", location, oldest, None, seen.labels
    )


def _simple(
    kind: str,
    name: str,
    spec: Mapping[str, Any],
    around: Around,
    *,
    labels: Mapping[str, str] | None = None,
    known: Iterable[str] = (),
) -> Subject:
    project = around.values("")
    unknown = frozenset((*(set(UNKNOWN[kind]) - set(known)), *around.unknown()))
    return Subject(_thing(kind, name, project, labels or {}, spec), project, unknown=unknown)


def _thing(
    kind: str, name: str, project: Mapping[str, Any], labels: Mapping[str, str], spec: Mapping[str, Any]
) -> dict[str, Any]:
    metadata = {"name": name, "project": project["name"], "labels": dict(labels), "annotations": {}}
    return {"kind": kind, "metadata": metadata, "spec": dict(spec)}


def _name(labels: Mapping[str, str], display_name: str, resource: str) -> str:
    return labels.get(NAME_LABEL) or display_name or resource.rpartition("/")[2]
