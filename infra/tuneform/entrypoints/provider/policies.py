"""Policies at Check, so that `pulumi preview` of any program in any language fails where a document would.

Those of the stack's configuration (`tuneform:policies`) count, and those that the provider's environment or the
settings file name, and, where a spec folder with policies lies beside the program, its own. All of them count together:
whoever may write one of these adds rules and takes none away.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuneform import specs
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.policies import judge_of, named, sources
from tuneform.entrypoints.doors.telling import excepted
from tuneform.entrypoints.provider.session import Session
from tuneform.entrypoints.provider.shape import Failure
from tuneform.entrypoints.provider.wire import UNKNOWN, Properties
from tuneform.policy import Judge, Unjudged, Verdict
from tuneform.policy.packed import told
from tuneform.policy.shapes import Resource, plain, property_of, subjects
from tuneform.specs.text.files import spec_files

_MARKS = (b"tuneform.dev/v1", b"Policy")


@dataclass(frozen=True)
class Source:
    """The rules of one source. Those of the specs are the program's, which says what they say; denying is for both."""

    judge: Judge
    is_programs: bool


class Policies:
    """The rules of one provider process: read and compiled when the first resource is checked, and then kept."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sources: tuple[Source, ...] | None = None
        self._lock = threading.Lock()
        self._told: set[str] = set()

    def failures(self, token: str, name: str, inputs: Properties) -> Iterator[Failure]:
        """What denies a resource; warnings, exceptions and what cannot be judged yet go to the log.

        Raises:
            SettingsError: a bundle is not there, holds no policy, or is not what was pinned.
            SpecErrors: what is wrong in the policies.
        """
        found = self._read()
        asked = subjects(Resource(token, name, plain(inputs, UNKNOWN))) if found else ()
        for source in found:
            verdict = source.judge.judge_all(asked)
            for finding in verdict.findings:
                if finding.blocks:
                    yield Failure(property_of(finding.kind, finding.field), told(finding))
            if not source.is_programs:
                self._tell(verdict)

    def _read(self) -> tuple[Source, ...]:
        """All rules that count. The same for every resource of the process."""
        with self._lock:
            if self._sources is None:
                self._sources = self._made()
                for source in self._sources:
                    for line in () if source.is_programs else sources(source.judge):
                        self._session.log.info(f"policies: {line}")
            return self._sources

    def _made(self) -> tuple[Source, ...]:
        root, folder = self._session.root, self._session.specs()
        settings = Settings.at(root)
        tree = specs.load(folder, settings.known()) if holds_policies(folder) else None
        everything = judge_of(tree, settings, named=named(self._session.config.get("policies"), root))
        own = str(tree.root) if tree is not None else None
        return tuple(Source(Judge([one], settings.today()), one.source == own) for one in everything.sets)

    def _tell(self, verdict: Verdict) -> None:
        for finding in verdict.findings:
            if finding.enforcement == "warn" and finding.exception is None:
                self._session.log.warning(told(finding))
        for line in excepted(verdict):
            self._once(line)
        for one in verdict.unjudged:
            self._once(_not_asked(one))

    def _once(self, line: str) -> None:
        with self._lock:
            new = line not in self._told
            self._told.add(line)
        if new:
            self._session.log.info(line)


def _not_asked(one: Unjudged) -> str:
    paths = sorted({".".join(path.split(".")[:3]) for path in one.paths})
    return (
        f"{one.policy}/{one.rule} is not judged of this {one.kind}: {' and '.join(paths)} is not known here"
    )


def holds_policies(folder: Path) -> bool:
    """Whether there may be a Policy among the documents of a folder, which is then read as a whole."""
    if not folder.exists():
        return False
    return any(all(mark in file.read_bytes() for mark in _MARKS) for file in spec_files(folder)[0])
