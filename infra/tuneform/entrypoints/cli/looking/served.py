"""What answers for a TunedModel: what serves now, or another revision or checkpoint that is still kept."""

from __future__ import annotations

from tuneform import serving
from tuneform.entrypoints.cli.looking.opening import Opened
from tuneform.errors import ReconcileError
from tuneform.reconcile.ledger import Record
from tuneform.reconcile.live import Checkpoint, Job
from tuneform.review.status import answering


class NotAskableError(ReconcileError):
    """A revision or checkpoint that was asked for and that nothing answers for."""

    code = "E621"


def served(open_: Opened, name: str) -> serving.Served:
    """What serves now.

    Raises:
        SettingsError: no document of that name.
        NothingServesError: nothing serves yet.
    """
    document = open_.model(name)
    return serving.serving(
        open_.ports.reader,
        open_.ports.ledger,
        open_.project,
        name,
        lasting=lasting(open_, name),
        pointer=document.spec.serving == "pointer",
    )


def lasting(open_: Opened, name: str) -> str:
    """The resource name of a served model's endpoint, which keeps the document's first name."""
    first = [*open_.model(name).metadata.previous_names, name][0]
    return f"{open_.project.serving_parent}/endpoints/{first}"


def kept(open_: Opened, name: str, revision: str | None, checkpoint: int | None) -> serving.Served:
    """What answers for a kept revision's checkpoint; None stands for what serves and for the last one.

    Raises:
        SettingsError: no document of that name.
        NothingServesError: no revision was named, and nothing serves yet.
        NotAskableError: the revision is not kept, has no such checkpoint, or its endpoint is deleted.
    """
    names = open_.tuning_names(open_.model(name).spec.job.ref)
    found = [v.record for known in names for v in open_.ports.ledger.history(open_.project, known)]
    wanted = revision or served(open_, name).revision
    record = next((record for record in found if record.revision == wanted), None)
    if record is None or record.last is None or not record.kept:
        still = ", ".join(sorted({record.revision for record in found if record.kept})) or "none"
        raise NotAskableError(f"{name} keeps no revision {wanted!r}", remedy=f"it keeps: {still}")
    job = open_.ports.reader.job(record.last.job)
    if job is None:
        raise NotAskableError(
            f"the job of {wanted} cannot be found: {record.last.job}", remedy=f"`tuneform status {name}`"
        )
    chosen = _checkpoint(job, record, checkpoint)
    endpoint = _endpoint(open_, name, job, chosen)
    return serving.Served(name, "endpoint", endpoint, job.model, record.revision, chosen.id)


def _checkpoint(job: Job, record: Record, epoch: int | None) -> Checkpoint:
    """The checkpoint of an epoch; of none given the one that served, else the last."""
    by_epoch = sorted(job.checkpoints, key=lambda checkpoint: checkpoint.epoch)
    if epoch is None:
        before = [checkpoint for checkpoint in by_epoch if record.served and checkpoint.id == record.served]
        return [Checkpoint("", 0, 0, job.endpoint), *by_epoch, *before][-1]
    found = next((checkpoint for checkpoint in by_epoch if checkpoint.epoch == epoch), None)
    if found is None:
        there = ", ".join(str(checkpoint.epoch) for checkpoint in by_epoch) or "the last one alone"
        raise NotAskableError(
            f"{record.revision} has no checkpoint of epoch {epoch}", remedy=f"it has those of {there}"
        )
    return found


def _endpoint(open_: Opened, name: str, job: Job, checkpoint: Checkpoint) -> str:
    """An endpoint on which this checkpoint answers: the serving one, or the one that Vertex made for it."""
    reader = open_.ports.reader
    live = reader.endpoint(lasting(open_, name))
    found = answering(live) if live is not None else None
    answers = (f"{found.model}@{found.version}", found.checkpoint) if found is not None else None
    if live is not None and answers == (job.model, checkpoint.id):
        return live.name
    own = checkpoint.endpoint or (job.endpoint if not checkpoint.id else "")
    if own and reader.endpoint(own) is not None:
        return own
    raise NotAskableError(
        f"nothing answers for checkpoint {checkpoint.id or 'last'} of {job.revision or job.name}: "
        "its endpoint is deleted, as it was not needed any more",
        remedy="make it serve to ask it: go back to its recipe, or name its epoch as the TunedModel's checkpoint",
    )
