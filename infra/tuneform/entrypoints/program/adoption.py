"""Adoption: which of the buckets, key rings, keys and service accounts that the specs describe exist live.

Plain GETs of Google's REST. Each id is the one that the gcp provider gives the resource, which is also the one it
imports by, so an import option of an adopted resource is no change on the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import google.auth
import google.auth.transport.requests
import requests

from tuneform import specs
from tuneform.entrypoints import inputs
from tuneform.errors import MachineError, RemoteError

_TIMEOUT_SECONDS = 30.0
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LABELS: Final = ("labels", "pulumiLabels", "effectiveLabels")


@dataclass(frozen=True)
class Live:
    """Something that exists. `same` are inputs of it that need no comparing, because they are as wanted.

    pulumi-gcp imports no labels of keys (pulumi-gcp issues 1959 and 3044), and the engine refuses an import whose
    inputs differ. Labels that were looked at here, and are as the specs want them, are therefore left alone.
    """

    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adoption:
    """What exists, by the gcp provider's ids."""

    live: Mapping[str, Live]

    def found(self, identity: str) -> Live | None:
        """The live thing of that id."""
        return self.live.get(identity)


NOTHING: Final = Adoption({})


@dataclass(frozen=True)
class Wanted:
    """Something the specs describe: its id, where Google's REST has it, and its labels (None: it has none)."""

    id: str
    service: str
    path: str
    labels: Mapping[str, str] | None = None


def look_up(tree: specs.Tree, project: specs.Document[specs.Project], endpoint: str | None) -> Adoption:
    """Ask for everything that could be taken over. `endpoint` is the emulator's, None for Google Cloud.

    Raises:
        MachineError: nothing answers, or there are no credentials.
        RemoteError: the answer is neither the thing nor "not found" (a 403 counts as not found: not ours).
    """
    wanted = [*_keys(tree, project), *_buckets(tree, project), *_accounts(tree, project)]
    get = _emulator(endpoint) if endpoint else _google()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(get, wanted))
    return Adoption(
        {w.id: _live(w, answer) for w, answer in zip(wanted, answers, strict=True) if answer is not None}
    )


def _live(wanted: Wanted, answer: Mapping[str, Any]) -> Live:
    if wanted.labels is None:
        return Live()
    labels = {
        name: value for name, value in (answer.get("labels") or {}).items() if not name.startswith("goog-")
    }
    return Live(_LABELS if labels == dict(wanted.labels) else ())


def _keys(tree: specs.Tree, project: specs.Document[specs.Project]) -> list[Wanted]:
    found: dict[str, Wanted] = {}
    for document in tree.of(specs.EncryptionKey):
        if document.project != project.name or document.spec.existing:
            continue
        key = inputs.key_name(tree, document)
        ring = key.partition("/cryptoKeys/")[0]
        found[ring] = Wanted(ring, "cloudkms", f"v1/{ring}")
        found[key] = Wanted(key, "cloudkms", f"v1/{key}", inputs.labels(tree, document))
    return list(found.values())


def _buckets(tree: specs.Tree, project: specs.Document[specs.Project]) -> list[Wanted]:
    return [
        Wanted(
            document.spec.bucket_name,
            "storage",
            f"storage/v1/b/{document.spec.bucket_name}",
            inputs.labels(tree, document),
        )
        for document in tree.of(specs.DatasetBucket)
        if document.project == project.name
    ]


def _accounts(tree: specs.Tree, project: specs.Document[specs.Project]) -> list[Wanted]:
    names = [
        f"projects/{project.spec.project_id}/serviceAccounts/{inputs.account_email(tree, document)}"
        for document in tree.of(specs.ServiceAccount)
        if document.project == project.name
    ]
    return [Wanted(name, "iam", f"v1/{name}") for name in names]


Get = Callable[[Wanted], Mapping[str, Any] | None]


def _emulator(endpoint: str) -> Get:
    session = requests.Session()
    session.trust_env = False  # a proxy can have no part in calls to this machine
    return lambda wanted: _answer(session, f"{endpoint.rstrip('/')}/{wanted.path}")


def _google() -> Get:
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except google.auth.exceptions.DefaultCredentialsError as error:
        raise MachineError(
            f"no Google credentials: {error}", remedy="run: gcloud auth application-default login"
        ) from error
    session = google.auth.transport.requests.AuthorizedSession(credentials)
    return lambda wanted: _answer(session, f"https://{wanted.service}.googleapis.com/{wanted.path}")


def _answer(session: requests.Session, url: str) -> Mapping[str, Any] | None:
    try:
        response = session.get(url, timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise MachineError(
            f"{url} does not answer ({type(error).__name__})",
            remedy="if this is the emulator: tuneform emulator start",
        ) from error
    if response.status_code in (requests.codes.not_found, requests.codes.forbidden):
        return None
    if not response.ok:
        raise RemoteError(f"looking for what exists: {url} answered {response.status_code}")
    answer: Mapping[str, Any] = response.json()
    return answer
