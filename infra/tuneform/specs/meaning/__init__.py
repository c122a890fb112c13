"""What documents mean together: live names of their own, choices that fit each other, files that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneform.capabilities import Capabilities
from tuneform.errors import Diagnostic
from tuneform.specs.kinds import Dataset, Project, ServiceAccount, SpecModel, TunedModel, TuningJob
from tuneform.specs.lineage import base_model, parents
from tuneform.specs.meaning.datafiles import DataFiles
from tuneform.specs.meaning.limits import check_job, check_key, check_serving
from tuneform.specs.meaning.lineage import check_lineage
from tuneform.specs.meaning.live_names import check_live_names, check_one_model_per_job, check_owners
from tuneform.specs.meaning.policies import check_policies
from tuneform.specs.meaning.promotion import check_promotion
from tuneform.specs.meaning.spending import check_limits
from tuneform.specs.tree import Document, Documents

# Google Cloud takes 64 labels; tuneform adds four of its own (owner, name, revision, attempt).
# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
MAX_LABELS = 60
_SHORTEST_ACCOUNT = 6


def check(
    documents: Sequence[Document[SpecModel]], files: DataFiles, known: Capabilities
) -> list[Diagnostic]:
    """Everything that is wrong, or worth a warning, about what sound documents mean."""
    index: Documents = {(d.kind, d.project, d.name): d for d in documents}
    found: list[Diagnostic] = []
    for document in documents:
        project = index.get(("Project", document.project, document.project))
        if project is None or not isinstance(project.spec, Project):
            continue
        found += _labels(document, project.spec)
        match document.spec:
            case ServiceAccount():
                found += _account(document)
            case Dataset():
                found += files.faults(document)
            case TuningJob():
                base = base_model(document.spec, parents(index, document.project))
                found += check_job(document, document.spec, base, project.spec, known)
                found += check_key(document, document.spec, project.spec, index)
                found += check_lineage(document, document.spec, index)
                found += check_limits(document, document.spec)
            case TunedModel():
                found += check_promotion(document, document.spec, index)
                found += check_serving(document, document.spec, project.spec, index, known)
            case _:
                pass
    written = sorted(documents, key=_place)
    found += check_live_names(written, index)
    found += check_owners(written)
    found += check_one_model_per_job(written)
    found += check_policies(written)
    return found


def _place(document: Document[SpecModel]) -> tuple[str, int, str]:
    """The order of writing, so that the second of two is the one that is reported."""
    return str(document.origin.text.path), document.origin.number, document.project


def _labels(document: Document[SpecModel], project: Project) -> Iterator[Diagnostic]:
    count = len({*project.labels, *document.metadata.labels})
    if count > MAX_LABELS:
        message = f"{count} labels with those of the project; {MAX_LABELS} at most"
        hint = "Google Cloud takes 64, four of which are tuneform's own"
        yield document.diagnostic("E129", message, "metadata", "labels", key=True, hint=hint)


def _account(document: Document[SpecModel]) -> Iterator[Diagnostic]:
    if isinstance(document.spec, ServiceAccount) and len(document.spec.account_id) < _SHORTEST_ACCOUNT:
        message = f"{document.name!r} is too short to be an account id as well"
        hint = f"write accountId: with at least {_SHORTEST_ACCOUNT} characters"
        yield document.diagnostic("E127", message, "metadata", "name", hint=hint)
