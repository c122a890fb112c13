"""Where a project should be once nothing disturbs it any more, and whether it is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from tests.faults import machine_checks as checks
from tests.faults.machine_documents import PROJECT, Doc
from tests.faults.machine_lab import Lab

from tuneform_emulator.services.vertex.resources import ENDPOINT, JOB, MODEL, last

Json = dict[str, Any]


def normal(lab: Lab, docs: Iterable[Doc]) -> dict[str, Json]:
    """What is live for each document: without ids and times, and without what depends on the way that led here."""
    return {doc.name: _normal(lab, doc) for doc in docs}


def _normal(lab: Lab, doc: Doc) -> Json:
    revisions = checks.revision_of_models(lab.world)
    found: Json = {
        "models": [
            _shown(document["resource"])
            for name, document in lab.world.store.list(MODEL)
            if revisions.get(name) == doc.revision and _is_of(document["resource"], doc)
        ]
    }
    if not doc.served:
        return found
    if doc.pointer:
        pointer = checks.pointers(lab.world).get(doc.name, {})
        found["points"] = [pointer.get("revision"), pointer.get("checkpoint")]
        return found
    endpoint = last(doc.serving.endpoint)
    resource = checks.resource(lab.world, ENDPOINT, endpoint)
    found["endpoint"] = _shown(resource) if resource else None
    found["traffic"] = [
        (revisions.get(t.model), t.checkpoint, t.share) for t in checks.traffic(lab.world, endpoint)
    ]
    found["deployed"] = len(resource.get("deployedModels", ())) if resource else 0
    return found


def _is_of(resource: Json, doc: Doc) -> bool:
    return bool(resource.get("labels", {}).get(checks.NAME) == doc.name)


def _shown(resource: Json) -> Json:
    labels = resource.get("labels", {})
    own = {
        k: v
        for k, v in labels.items()
        if not k.startswith("google-") and k not in (checks.ATTEMPT, "tune-type")
    }
    return {
        "name": resource.get("displayName"),
        "description": resource.get("description", ""),
        "labels": own,
    }


def left_over(lab: Lab, docs: Collection[Doc]) -> Iterator[str]:
    """Everything that nobody wants any more, or that runs on."""
    for copy in checks.copies(lab.world):
        yield f"the copy {copy} is left"
    for job in checks.jobs(lab.world):
        if job["state"] not in checks.ENDED:
            yield f"{job['name']} is still {job['state']}"
    wanted = {last(doc.serving.endpoint) for doc in docs if doc.served}
    vertex = _vertex_endpoints(lab, {doc.revision for doc in docs if not doc.served or doc.pointer})
    for name, document in lab.world.store.list(ENDPOINT):
        labels = document["resource"].get("labels", {})
        ours = labels.get(checks.OWNER) == PROJECT.owner and "foreign" not in name
        if ours and last(name) not in wanted and last(name) not in vertex and checks.REVISION not in labels:
            yield f"the endpoint {name} is left"
    yield from _models_left(lab, docs)


def _vertex_endpoints(lab: Lab, revisions: Collection[str]) -> set[str]:
    return {
        last(checkpoint["endpoint"])
        for _, document in lab.world.store.list(JOB)
        if document["resource"].get("labels", {}).get(checks.REVISION) in revisions
        for checkpoint in document["resource"].get("tunedModel", {}).get("checkpoints", ())
        if checkpoint.get("endpoint")
    }


def _models_left(lab: Lab, docs: Collection[Doc]) -> Iterator[str]:
    """Models beyond what is kept; of a name that no document has, all of them."""
    by_name: dict[str, list[str]] = {}
    of = {name: doc for doc in docs for name in (doc.name, *doc.previous)}
    for job in checks.jobs(lab.world):
        labels, model = job["labels"], job.get("tunedModel", {}).get("model", "").partition("@")[0]
        if model and lab.world.store.get(MODEL, model):
            owner = of.get(labels[checks.NAME])
            by_name.setdefault(owner.name if owner else "", []).append(labels[checks.REVISION])
    for revision in by_name.pop("", []):
        yield f"a model of {revision} is left"
    for name, revisions in by_name.items():
        doc = of[name]
        others = [revision for revision in revisions if revision != doc.revision]
        if len(revisions) != len(set(revisions)) or len(others) > doc.keep + 1:
            yield f"models of {name}: {sorted(revisions)}, keep is {doc.keep}"
