"""What people do to a project beside tuneform, by the official clients and not by us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tests.faults import machine_checks as checks
from tests.faults.machine_documents import PROJECT, Doc, contents_of
from tests.faults.machine_lab import Lab

from tuneform.reconcile.live import Endpoint, Model
from tuneform_emulator.services.storage import generations
from tuneform_emulator.services.vertex.resources import MODEL, last

Forgotten = Iterable[tuple[str, str]]


def meddle(lab: Lab, doc: Doc, how: str) -> Iterable[tuple[str, str]]:
    """Do it, where there is something to do it to; the revisions whose ledger was deleted."""
    return list(_HOW[how](lab, doc))


def _models(lab: Lab, doc: Doc) -> Iterator[Model]:
    """Those of the wanted revision."""
    revisions = checks.revision_of_models(lab.world)
    for name, _ in lab.world.store.list(MODEL):
        model = lab.ports.reader.model(name) if revisions.get(name) == doc.revision else None
        if model is not None:
            yield model


def _endpoint(lab: Lab, doc: Doc) -> Endpoint | None:
    return lab.ports.reader.endpoint(doc.serving.endpoint)


def _model_labels(lab: Lab, doc: Doc) -> Forgotten:
    for model in _models(lab, doc):
        lab.ports.writer.patch_model(
            model.name, labels={**model.labels, "team": "meddled"}, display_name="meddled"
        )
    return ()


def _model_deleted(lab: Lab, doc: Doc) -> Forgotten:
    for model in _models(lab, doc):
        for name, document in list(lab.world.store.list("endpoint")):
            for deployed in document["resource"].get("deployedModels", ()):
                if deployed["model"].partition("@")[0].rpartition("/")[2] == last(model.name):
                    lab.ports.writer.undeploy(_by_id(name), deployed["id"])
        lab.ports.writer.delete_model(model.name)
    return ()


def _endpoint_labels(lab: Lab, doc: Doc) -> Forgotten:
    if (found := _endpoint(lab, doc)) is not None:
        lab.ports.writer.patch_endpoint(
            replace(found, labels={**found.labels, "team": "meddled"}, description="meddled")
        )
    return ()


def _endpoint_deleted(lab: Lab, doc: Doc) -> Forgotten:
    found = _endpoint(lab, doc)
    if found is not None:
        _undeployed(lab, doc)
        lab.ports.writer.delete_endpoint(found.name)
    return ()


def _undeployed(lab: Lab, doc: Doc) -> Forgotten:
    found = _endpoint(lab, doc)
    for deployed in sorted(found.deployed if found else (), key=lambda d: d.traffic):
        assert found is not None
        lab.ports.writer.undeploy(found.name, deployed.id)
    return ()


def _other_deployed(lab: Lab, doc: Doc) -> Forgotten:
    """Something of ours that may have passed or not, beside what serves, with half of the traffic."""
    found = _endpoint(lab, doc)
    if found is not None and len(found.deployed) == 1:
        present = found.deployed[0]
        new = lab.ports.writer.deploy(
            found.name, f"{present.model}@{present.version}", present.checkpoint, traffic={present.id: 100}
        )
        lab.ports.writer.set_traffic(found.name, {present.id: 50, new: 50})
    return ()


def _cancelled(lab: Lab, doc: Doc) -> Forgotten:
    for job in lab.ports.reader.jobs(PROJECT, doc.name):
        if job.live:
            lab.ports.writer.cancel_job(job.name)
    return ()


def _content_replaced(lab: Lab, doc: Doc) -> Forgotten:
    split = contents_of(doc)[0]
    if lab.ports.objects.exists(split.uri):
        lab.bucket.blob(split.uri.split("/", 3)[3]).upload_from_string("not what it was\n")
    return ()


def _content_deleted(lab: Lab, doc: Doc) -> Forgotten:
    for split in contents_of(doc):
        lab.ports.objects.delete(split.uri)
    return ()


def _record_deleted(lab: Lab, doc: Doc) -> Forgotten:
    """The live generation alone: what it was before stays in the bucket."""
    name = f"ledger/{PROJECT.name}/{doc.name}/{doc.revision}.json"
    if lab.world.store.get(generations.LIVE, f"{PROJECT.state_bucket}/{name}") is None:
        return
    lab.bucket.client.bucket(PROJECT.state_bucket).delete_blob(name)
    yield doc.name, doc.revision


def _pointer_deleted(lab: Lab, doc: Doc) -> Forgotten:
    if doc.pointer:
        lab.ports.ledger.unpoint(PROJECT, doc.name)
    return ()


def _by_id(name: str) -> str:
    """The resource name with the project's id in place of its number."""
    return f"{PROJECT.serving_parent}/endpoints/{last(name)}"


_HOW: dict[str, Callable[[Lab, Doc], Forgotten]] = {
    "model labels": _model_labels,
    "model deleted": _model_deleted,
    "endpoint labels": _endpoint_labels,
    "endpoint deleted": _endpoint_deleted,
    "undeployed": _undeployed,
    "another deployed": _other_deployed,
    "job cancelled": _cancelled,
    "content replaced": _content_replaced,
    "content deleted": _content_deleted,
    "record deleted": _record_deleted,
    "pointer deleted": _pointer_deleted,
}
MEDDLINGS = tuple(_HOW)
