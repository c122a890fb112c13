"""Labels and other fields that can be changed in place: what they should be, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping

from tuneform.reconcile.desired import Project, Serving, Tuning
from tuneform.reconcile.diff import Change, diff
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, Endpoint, Model

MANAGED = frozenset({OWNER_LABEL, NAME_LABEL})


def labels(project: Project, name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The labels that our models and endpoints carry: the user's, and the two that say whose they are."""
    return {**given, OWNER_LABEL: project.owner, NAME_LABEL: name}


def model_changes(tuning: Tuning, model: Model) -> tuple[Change, ...]:
    """How a model's mutable fields differ from the spec. Labels that Google or others set are left alone."""
    wanted = labels(tuning.project, tuning.name, tuning.labels)
    live = {key: value for key, value in model.labels.items() if not foreign(key)}
    changes = () if live == wanted else diff(live, wanted, under="labels")
    for field, old, new in (
        ("displayName", model.display_name, tuning.display_name or tuning.name),
        ("description", model.description, tuning.description),
    ):
        if old != new:
            changes += (Change("change", field, old, new),)
    return changes


def foreign(label: str) -> bool:
    """Labels on a model that are not the user's to set: Google's own, and those of the attempt it came from."""
    ours_per_attempt = label.startswith("tuneform-") and label not in MANAGED
    return label.startswith("google-") or label == "tune-type" or ours_per_attempt


def desired_endpoint(serving: Serving) -> Endpoint:
    """The serving endpoint as the spec wants it, nothing deployed."""
    return Endpoint(
        name=serving.endpoint,
        display_name=serving.display_name or serving.name,
        description=serving.description,
        labels=labels(serving.project, serving.name, serving.labels),
    )


def endpoint_changes(live: Endpoint, wanted: Endpoint) -> tuple[Change, ...]:
    """How the endpoint's mutable fields differ from the spec."""
    own = {key: value for key, value in live.labels.items() if not foreign(key)}
    changes = () if own == wanted.labels else diff(own, wanted.labels, under="labels")
    for field, old, new in (
        ("displayName", live.display_name, wanted.display_name),
        ("description", live.description, wanted.description),
    ):
        if old != new:
            changes += (Change("change", field, old, new),)
    return changes
