"""Which policies count: those in the tree, and the bundles that the setting `policies` pins.

A bundle is a file or folder of Policy documents, `PATH` or `gs://BUCKET/OBJECT`, with `@sha256:…` behind it: the digest
of what they say, which `tuneform policy digest` prints. For `gs://` it must be there. A bundle that says something else
than its digest is refused, and nothing is done. What was fetched is kept by its digest, so that `check` needs no
network after the first time.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneform import specs
from tuneform.entrypoints.cli.settings import Settings, made
from tuneform.errors import SettingsError
from tuneform.policy import Judge, PolicySet
from tuneform.specs.policies import policy_set

Fetch = Callable[[str], bytes]
"""Reads an object of Cloud Storage by its gs:// URI."""

_PINNED = re.compile(r"(?P<where>.+?)(?:@(?P<digest>sha256:[0-9a-f]{64}))?")


@dataclass(frozen=True)
class Bundle:
    """Where policies of others lie, and the digest that they must have; empty where none was pinned."""

    where: str
    digest: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether it lies in Cloud Storage."""
        return self.where.startswith("gs://")


def bundles(settings: Settings, named: Sequence[str] = ()) -> tuple[Bundle, ...]:
    """What the setting `policies` names, and what else is `named`, each once.

    Raises:
        SettingsError: one is in Cloud Storage, where whoever may write can replace it, and has no digest.
    """
    found = []
    for entry in dict.fromkeys((*settings.policies, *named)):
        match = _PINNED.fullmatch(entry)
        assert match is not None, "any text matches"
        bundle = Bundle(match["where"], match["digest"] or "")
        if bundle.is_remote and not bundle.digest:
            raise SettingsError(
                f"the policies at {bundle.where} are not pinned",
                remedy=f"write {bundle.where}@sha256:… with what `tuneform policy digest` prints for them",
            )
        found.append(bundle)
    return tuple(found)


def named(value: Any, root: Path) -> tuple[str, ...]:
    """The bundles that a stack's `tuneform:policies` names: a text with commas between, or a list, as JSON or as such.

    A relative path counts from the `root` of the Pulumi project.

    Raises:
        SettingsError: it is something else.
    """
    try:
        given = (
            json.loads(value) if isinstance(value, str) and value.lstrip().startswith("[") else value or []
        )
    except ValueError:
        given = None
    entries = given.split(",") if isinstance(given, str) else given
    if not isinstance(entries, list) or not all(isinstance(one, str) for one in entries):
        raise SettingsError(
            f"tuneform:policies is {value!r}, which names no bundles of policies",
            remedy="write PATH@sha256:… or gs://BUCKET/OBJECT@sha256:…, with commas between",
        )
    found = [entry.strip() for entry in entries if entry.strip()]
    return tuple(one if "://" in one else str(root / one) for one in found)


def local_bundles(settings: Settings) -> tuple[Path, ...]:
    """Where the bundles lie that are files of this machine."""
    return tuple(Path(bundle.where) for bundle in bundles(settings) if not bundle.is_remote)


def judge_of(
    tree: specs.Tree | None, settings: Settings, fetch: Fetch | None = None, named: Sequence[str] = ()
) -> Judge:
    """All policies that count for a tree, made ready; for an audit, which has no tree, those of bundles alone.

    `named` are bundles beside those of the setting: a stack's own. `fetch` reads what lies in Cloud Storage, by default
    with the credentials of whoever runs this.

    Raises:
        SettingsError: a bundle is not there, holds no policy, or is not what was pinned.
        SpecErrors: what is wrong in a bundle.
    """
    sets = [own_set(tree)] if tree is not None else []
    sets += [read_bundle(bundle, settings, fetch) for bundle in bundles(settings, named)]
    return Judge([one for one in sets if one.rules], settings.today())


def own_set(tree: specs.Tree) -> PolicySet:
    """The policies that are written in a tree."""
    return policy_set(tree.of(specs.Policy), str(tree.root))


def read_bundle(bundle: Bundle, settings: Settings, fetch: Fetch | None = None) -> PolicySet:
    """The policies of a bundle.

    Raises:
        SettingsError: it is not there, holds no policy, or is not what was pinned.
        SpecErrors: what is wrong in it.
    """
    path = _local(bundle, settings, fetch or _fetch(settings)) if bundle.is_remote else Path(bundle.where)
    if not path.exists():
        raise SettingsError(
            f"there are no policies at {bundle.where}", remedy="mend the setting `policies`, or the path"
        )
    documents = specs.load(path).of(specs.Policy)
    found = policy_set(documents, bundle.where)
    if not found.rules:
        raise SettingsError(
            f"{bundle.where} holds no rule", remedy="name a file or folder with Policy documents"
        )
    if bundle.digest and bundle.digest != found.digest:
        path.unlink() if bundle.is_remote else None
        raise SettingsError(
            f"the policies at {bundle.where} are not those that were pinned: they are {found.digest}",
            remedy="have the change reviewed, then pin the new digest; or take back what was changed",
        )
    return found


def _local(bundle: Bundle, settings: Settings, fetch: Fetch) -> Path:
    """What lies in Cloud Storage, kept here by its digest: it cannot change without another name."""
    folder = settings.home / "policies"
    path = folder / f"{bundle.digest.removeprefix('sha256:')}.yaml"
    if not path.is_file():
        made(folder)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(fetch(bundle.where))
        partial.replace(path)
    return path


def _fetch(settings: Settings) -> Fetch:
    def fetch(uri: str) -> bytes:
        # Loading the client takes half a second, which no command pays that has no such bundle to fetch.
        from tuneform.entrypoints.doors.storage import read_object  # noqa: PLC0415

        return read_object(uri, settings)

    return fetch


def sources(judge: Judge) -> Sequence[str]:
    """A line for each source of rules, with its digest, so that a change of them shows."""
    return [
        f"{one.source}: {len(one.rules)} rule{'' if len(one.rules) == 1 else 's'}, {one.digest}"
        for one in judge.sets
    ]
