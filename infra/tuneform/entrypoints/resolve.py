"""Spec documents as the core's frozen data."""

from __future__ import annotations

from tuneform.reconcile import desired
from tuneform.specs import Document, Project


def project(document: Document[Project]) -> desired.Project:
    """A Project document, resolved."""
    spec = document.spec
    return desired.Project(
        name=document.name,
        project_id=spec.project_id,
        location=spec.location,
        serving_location=spec.serving_location,
        owner=spec.owner,
        state_bucket=spec.state_bucket,
    )
