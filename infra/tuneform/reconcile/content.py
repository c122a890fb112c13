"""Dataset content in Cloud Storage: every split under its digest, so that the same content is stored once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from tuneform.datasets import Prepared, Split
from tuneform.reconcile.desired import Content, Project
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.ports import View


def folder(bucket: str, name: str) -> str:
    """The URI prefix that holds all content of one Dataset document."""
    return f"gs://{bucket}/datasets/{name}/"


def placed(prepared: Prepared, bucket: str, name: str) -> Mapping[str, Content]:
    """Where each split lies, or will lie: `training`, `validation` and `test`, as far as there are any."""
    return {split.name: _content(split, bucket, name) for split in _splits(prepared)}


def supply(prepared: Prepared) -> Callable[[Content], bytes]:
    """What gives an upload its bytes, from data that was prepared here."""
    splits = {split.digest: split for split in _splits(prepared)}
    return lambda content: splits[content.digest].jsonl()


def left_over(
    view: View, project: Project, bucket: str, names: Iterable[str], *, placed: Collection[Content] = ()
) -> tuple[str, ...]:
    """The objects in the folders of Dataset documents, noncurrent ones included, that nothing needs.

    A job that has not ended needs what it reads, and a revision that is kept the data that it was trained on, unless
    that lies among `placed` too. Revisions that outlive their documents on purpose are never trained again.
    """
    found = [uri for name in names for uri in view.objects.under(folder(bucket, name))]
    if not found:
        return ()
    read = {
        uri
        for job in view.reader.jobs(project)
        if not job.state.ended
        for uri in (job.training_uri, job.validation_uri)
    }
    there = {content.uri for content in placed}
    elsewhere = {_file(uri) for uri in there}
    kept = {uri for uri in _kept(view, project) if _file(uri) not in elsewhere}
    return tuple(uri for uri in found if uri not in read | there | kept)


def _kept(view: View, project: Project) -> Iterable[str]:
    for versioned in view.ledger.heads(project):
        record, last = versioned.record, versioned.record.last
        under_way = last is not None and (last.state.unresolved or last.state is AttemptState.KNOWN)
        if under_way or (record.kept and not record.retain):
            yield record.training


def _file(uri: str) -> str:
    return uri.rpartition("/")[2]


def _splits(prepared: Prepared) -> list[Split]:
    return [split for split in (prepared.training, prepared.validation, prepared.test) if split is not None]


def _content(split: Split, bucket: str, name: str) -> Content:
    uri = f"{folder(bucket, name)}{split.digest.removeprefix('sha256:')}.jsonl"
    return Content(uri, split.digest, split.examples, split.tokens, *split.token_bounds)
