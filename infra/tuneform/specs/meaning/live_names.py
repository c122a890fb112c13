"""Live names: nothing in Google Cloud is described by two documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import DatasetBucket, EncryptionKey, Project, ServiceAccount, SpecModel, TunedModel
from tuneform.specs.tree import Document, Documents


def check_live_names(documents: Sequence[Document[SpecModel]], index: Documents) -> Iterator[Diagnostic]:
    """Of documents in the order of writing, an error for each whose live name another, or a state bucket, has."""
    taken: dict[str, tuple[Document[SpecModel], tuple[str, ...]]] = {}
    for document in index.values():
        if isinstance(document.spec, Project):
            taken[f"bucket gs://{document.spec.state_bucket}"] = (document, ("spec", "stateBucket"))
    for document in documents:
        project = index.get(("Project", document.project, document.project))
        named = _live_name(document, project.spec) if project and isinstance(project.spec, Project) else None
        if named is None:
            continue
        live, field = named
        place = field if document.origin.has(*field) else ("metadata", "name")
        if live not in taken:
            taken[live] = (document, place)
            continue
        owner, where = taken[live]
        if owner.source != document.source:
            message = f"{live} belongs to {owner.kind} {owner.name!r} already"
            hint = f"that one is at {owner.at(*where)}"
        else:
            message = f"{live} would be that of project {owner.project!r} and of project {document.project!r}"
            hint = (
                f"give it another {field[-1]} in: {{{document.project}: {{{field[-1]}: …}}}}"
                if field[0] == "spec"
                else "give the Projects different projectIds or servingLocations"
            )
        yield document.diagnostic("E152", message, *place, hint=hint)


def _live_name(document: Document[SpecModel], project: Project) -> tuple[str, tuple[str, ...]] | None:
    """What a document is called in Google Cloud, and the field that says so."""
    match document.spec:
        case DatasetBucket() as bucket:
            return f"bucket gs://{bucket.bucket_name}", ("spec", "bucketName")
        case EncryptionKey() as key:
            home = key.existing or (
                f"projects/{project.project_id}/locations/{key.location}/keyRings/{key.key_ring}/cryptoKeys/{key.key_name}"
            )
            return f"key {home}", ("spec", "existing" if key.existing else "keyName")
        case ServiceAccount() as account:
            address = f"{account.account_id}@{project.project_id}.iam.gserviceaccount.com"
            return f"service account {address}", ("spec", "accountId")
        case TunedModel():
            home = f"projects/{project.project_id}/locations/{project.serving_location}"
            return f"endpoint {home}/endpoints/{document.name}", ("metadata", "name")
        case _:
            return None


def check_owners(documents: Sequence[Document[SpecModel]]) -> Iterator[Diagnostic]:
    """Of documents in the order of writing, an error for each Project that owns what another one owns too.

    Everything of an owner that no document asks for is taken down: each would take down what the other made.
    """
    taken: dict[tuple[str, str, str], Document[SpecModel]] = {}
    for document in documents:
        if not isinstance(document.spec, Project):
            continue
        spec = document.spec
        homes = [(spec.project_id, spec.owner, place) for place in (spec.location, spec.serving_location)]
        other = next((taken[home] for home in homes if home in taken), None)
        if other is None:
            taken |= dict.fromkeys(homes, document)
            continue
        message = f"Project {other.name!r} has the same projectId, owner and location: each would take down the other's"
        hint = f"choose another owner here; that one is at {other.at('spec', 'owner')}"
        yield document.diagnostic("E154", message, "spec", "owner", hint=hint)


def check_one_model_per_job(documents: Sequence[Document[SpecModel]]) -> Iterator[Diagnostic]:
    """Of documents in the order of writing, an error for each second TunedModel of a TuningJob."""
    first: dict[tuple[str, str], Document[SpecModel]] = {}
    for document in documents:
        if isinstance(document.spec, TunedModel):
            key = (document.project, document.spec.job.ref)
            other = first.setdefault(key, document)
            if other is not document:
                message = f"TuningJob {key[1]!r} has a TunedModel already: {other.name!r}"
                hint = f"that one is at {other.at('spec', 'job', 'ref')}"
                yield document.diagnostic("E144", message, "spec", "job", "ref", hint=hint)
