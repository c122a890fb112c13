"""Defaults that come from other documents: names and locations taken from metadata and the project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tuneform.specs.kinds import DatasetBucket, EncryptionKey, Project, ServiceAccount, SpecModel
from tuneform.specs.tree import Document


def completed(documents: Iterable[Document[SpecModel]]) -> list[Document[SpecModel]]:
    """The documents, with what was left out filled in where another document decides it."""
    result: list[Document[SpecModel]] = []
    projects: dict[str, Project] = {}
    for document in documents:
        if isinstance(document.spec, Project):
            projects[document.name] = document.spec
        project = projects.get(document.project)
        filled = _missing(document, project) if project else {}
        if filled:
            result.append(replace(document, spec=document.spec.model_copy(update=filled)))
        else:
            result.append(document)
    return result


def _missing(document: Document[SpecModel], project: Project) -> dict[str, Any]:
    match document.spec:
        case DatasetBucket() as bucket:
            filled = {
                "bucket_name": bucket.bucket_name or f"{project.project_id}-{document.name}",
                "location": bucket.location or project.location,
            }
        case EncryptionKey(existing=str(existing)):
            _, _, _, location, _, ring, _, key = existing.split("/")
            filled = {"location": location, "key_ring": ring, "key_name": key}
        case EncryptionKey() as key_spec:
            filled = {
                "key_name": key_spec.key_name or document.name,
                "location": key_spec.location or project.location,
            }
        case ServiceAccount() as account:
            filled = {"account_id": account.account_id or document.name}
        case _:
            filled = {}
    return filled
