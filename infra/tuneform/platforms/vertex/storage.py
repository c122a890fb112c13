"""Cloud Storage: the ledger's records, and dataset objects."""

from __future__ import annotations

from typing import Any

from google.api_core import exceptions

from tuneform.errors import LedgerConflict, NotFound
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.errors import DEADLINE, READ, remote
from tuneform.reconcile.desired import Project
from tuneform.reconcile.ledger import Record, Versioned, dump, parse

JSONL = "application/jsonl"


class GcsLedger:
    """One object a revision: `ledger/<project>/<name>/<revision>.json` in the state bucket."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, project: Project, name: str, revision: str) -> Versioned | None:
        """One revision's record."""
        path = _path(project, name, revision)
        with remote(f"reading the ledger gs://{project.state_bucket}/{path}", self._clients.endpoint):
            blob = self._clients.storage.bucket(project.state_bucket).blob(path)
            return _load(blob)

    def history(self, project: Project, name: str) -> tuple[Versioned, ...]:
        """The records of all revisions of one tuning, by revision."""
        prefix = _path(project, name, "").removesuffix(".json")
        with remote(f"reading the ledger gs://{project.state_bucket}/{prefix}", self._clients.endpoint):
            try:
                blobs = list(
                    self._clients.storage.list_blobs(
                        project.state_bucket, prefix=prefix, retry=READ, timeout=DEADLINE
                    )
                )
            except exceptions.NotFound:
                return ()  # no state bucket yet: nothing was ever applied
            found = [_load(blob) for blob in blobs]
        return tuple(versioned for versioned in found if versioned is not None)

    def write(self, project: Project, versioned: Versioned) -> Versioned:
        """Compare-and-swap on the object's generation."""
        record = versioned.record
        path = _path(project, record.name, record.revision)
        with remote(f"writing the ledger gs://{project.state_bucket}/{path}", self._clients.endpoint):
            try:
                generation = self._upload(project, path, record, versioned.generation)
            except exceptions.NotFound:
                self._create_bucket(project)
                generation = self._upload(project, path, record, versioned.generation)
            except exceptions.PreconditionFailed as error:
                raise LedgerConflict(f"{path} was changed by someone else") from error
        return Versioned(record, generation)

    def _upload(self, project: Project, path: str, record: Record, generation: int) -> int:
        blob = self._clients.storage.bucket(project.state_bucket).blob(path)
        blob.upload_from_string(
            dump(record), "application/json", if_generation_match=generation, retry=None, timeout=DEADLINE
        )
        return int(blob.generation)

    def _create_bucket(self, project: Project) -> None:
        """The state bucket: versioned, private, and outside Pulumi, so that destroy leaves it."""
        bucket = self._clients.storage.bucket(project.state_bucket)
        bucket.versioning_enabled = True
        bucket.iam_configuration.uniform_bucket_level_access_enabled = True
        bucket.iam_configuration.public_access_prevention = "enforced"
        bucket.labels = {"tuneform-owner": project.owner}
        try:
            bucket.create(project=project.project_id, location=project.location, timeout=DEADLINE)
        except exceptions.Conflict:
            return  # another run made it just now


def _path(project: Project, name: str, revision: str) -> str:
    return f"ledger/{project.name}/{name}/{revision}.json"


def _load(blob: Any) -> Versioned | None:
    try:
        data = blob.download_as_bytes(retry=READ, timeout=DEADLINE)
    except exceptions.NotFound:
        return None
    return Versioned(parse(data, source=f"gs://{blob.bucket.name}/{blob.name}"), int(blob.generation))


class GcsObjects:
    """Objects by `gs://` URI."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def _blob(self, uri: str) -> Any:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return self._clients.storage.bucket(bucket).blob(name)

    def read(self, uri: str) -> bytes:
        """The content of an object."""
        with remote(f"reading {uri}", self._clients.endpoint):
            return bytes(self._blob(uri).download_as_bytes(retry=READ, timeout=DEADLINE))

    def exists(self, uri: str) -> bool:
        """Whether there is a live object."""
        try:
            with remote(f"looking for {uri}", self._clients.endpoint):
                return bool(self._blob(uri).exists(retry=READ, timeout=DEADLINE))
        except NotFound:
            return False

    def put(self, uri: str, data: bytes) -> bool:
        """Store an object unless it is there."""
        with remote(f"uploading {uri}", self._clients.endpoint):
            try:
                self._blob(uri).upload_from_string(
                    data, JSONL, if_generation_match=0, retry=READ, timeout=10 * DEADLINE
                )
            except exceptions.PreconditionFailed:
                return False
        return True

    def copy(self, source: str, target: str) -> None:
        """Copy within Cloud Storage, however many calls a large object needs."""
        with remote(f"copying {source} to {target}", self._clients.endpoint):
            origin, goal = self._blob(source), self._blob(target)
            token, _, _ = goal.rewrite(origin, retry=READ, timeout=DEADLINE)
            while token is not None:
                token, _, _ = goal.rewrite(origin, token=token, retry=READ, timeout=DEADLINE)

    def delete(self, uri: str) -> None:
        """Delete an object in all its generations."""
        with remote(f"deleting {uri}", self._clients.endpoint):
            for blob in self._versions(uri):
                if f"gs://{blob.bucket.name}/{blob.name}" == uri:
                    self._delete(blob)

    def under(self, prefix: str) -> tuple[str, ...]:
        """The URIs of all objects under a prefix, noncurrent ones included, each once."""
        with remote(f"listing {prefix}", self._clients.endpoint):
            found = {f"gs://{blob.bucket.name}/{blob.name}" for blob in self._versions(prefix)}
        return tuple(sorted(found))

    def _versions(self, prefix: str) -> list[Any]:
        blob = self._blob(prefix)
        try:
            return list(
                self._clients.storage.list_blobs(
                    blob.bucket.name, prefix=blob.name, versions=True, retry=READ, timeout=DEADLINE
                )
            )
        except exceptions.NotFound:
            return []

    @staticmethod
    def _delete(blob: Any) -> None:
        try:
            blob.bucket.delete_blob(blob.name, generation=blob.generation, retry=READ, timeout=DEADLINE)
        except exceptions.NotFound:
            return
