"""The specs that the watch loop follows: read again when a file of theirs has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tuneform.entrypoints import inputs, resolve
from tuneform.entrypoints.cli.reconciling.connecting import Asked, Opened, emulator, ports_of, resolved
from tuneform.entrypoints.cli.reconciling.judging import judge
from tuneform.entrypoints.cli.reconciling.scope import Scope, scope
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.policies import local_bundles
from tuneform.errors import MachineError, RemoteError
from tuneform.reconcile.desired import Project
from tuneform.reconcile.ports import Clock, Listener, Ports
from tuneform.specs import Dataset
from tuneform.specs.text.files import spec_files

Print = frozenset[tuple[str, int, int]]
"""What tells files apart from what they were: path, time of the last change in nanoseconds, size in bytes."""
REMOTE_AGE = timedelta(minutes=10)
"""After so long, datasets that lie in Cloud Storage are read again: no file says that they have changed."""


@dataclass
class Sources:
    """Specs on disk and the ports of their project. Asking is cheap while nothing has changed."""

    settings: Settings
    asked: Asked
    listener: Listener
    clock: Clock
    _seen: Print | None = field(default=None, init=False)
    _read_at: datetime | None = field(default=None, init=False)
    _folder: Path | None = field(default=None, init=False)
    _data: tuple[Path, ...] = field(default=(), init=False)
    _remote: bool = field(default=False, init=False)
    _ports: tuple[Project, str | None, Ports] | None = field(default=None, init=False)
    _doubted: bool = field(default=False, init=False)

    def changed(self) -> Opened | None:
        """The specs where they are not what they were when this was asked last, else None.

        Raises:
            SpecErrors, DatasetErrors, SettingsError: they are not sound. They are not read again until they change.
            RemoteError, MachineError: what they name cannot be reached. They are read again the next time.
        """
        self._see_about_connection()
        folder = self._folder or self.settings.specs(self.asked.path)
        files = self._files(folder)
        if files | _print(self._data) == self._seen and not self._remote_is_old():
            return None
        # What is written while we read is taken for a change the next time: each print is from before its reading.
        self._seen, self._read_at = files | _print(self._data), self.clock.now()
        found = scope(self.settings, self.asked.path, self.asked.project)
        sources = [inputs.source(found.tree, document) for document in found.tree.of(Dataset)]
        self._remote = any(source.is_remote for source in sources)
        parts = [part for source in sources for part in (source.training, source.validation, source.test)]
        table = self.settings.price_file
        data = (found.tree.root / part.file for part in parts if part is not None and part.file)
        self._data = (*data, table) if table else tuple(data)
        if found.folder != folder:
            files = self._files(found.folder)
        self._folder, self._seen = found.folder, files | _print(self._data)
        try:
            opened = resolved(found, self._ports_of(found), self.settings.prices())
            judge(opened, self.settings).refuse()
        except (RemoteError, MachineError):
            self._seen = None  # they are sound for all we know, and are read again
            raise
        return opened

    def _files(self, folder: Path) -> Print:
        """What decides whether specs are sound, before their data: their own files, and what is known of models."""
        policies = [file for path in local_bundles(self.settings) for file in spec_files(path)[0]]
        return _print([*spec_files(folder)[0], *policies, *self.settings.capability_files])

    def doubt_connection(self) -> None:
        """See whether the emulator is elsewhere now, before it is asked again."""
        self._doubted = True

    def _see_about_connection(self) -> None:
        if not self._doubted or self._ports is None:
            return
        if emulator(self.settings, google_cloud=self.asked.google_cloud) != self._ports[1]:
            self._ports = self._seen = None
        self._doubted = False

    def _ports_of(self, found: Scope) -> Ports:
        project = resolve.project(found.project)
        if self._ports is None or self._ports[0] != project:
            endpoint = emulator(self.settings, google_cloud=self.asked.google_cloud)
            ports = ports_of(self.settings, project, endpoint, listener=self.listener, clock=self.clock)
            self._ports = (project, endpoint, ports)
        return self._ports[2]

    def _remote_is_old(self) -> bool:
        return self._remote and self._read_at is not None and self.clock.now() - self._read_at > REMOTE_AGE


def _print(files: Iterable[Path]) -> Print:
    return frozenset(found for file in files if (found := _print_of(file)) is not None)


def _print_of(file: Path) -> tuple[str, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return str(file), found.st_mtime_ns, found.st_size
