"""The data files that datasets name: there, and inside the spec folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import Dataset, SpecModel
from tuneform.specs.kinds.base import shown
from tuneform.specs.kinds.dataset import Source
from tuneform.specs.shape import did_you_mean
from tuneform.specs.tree import Document

_SPLITS = ("training", "validation", "test")


@dataclass(frozen=True)
class _Fault:
    code: str
    message: str
    hint: str


class DataFiles:
    """The data files of a spec folder, each looked at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._looked_at: dict[tuple[Path, str], Path | _Fault] = {}

    @cached_property
    def _real_root(self) -> Path:
        return self._root.resolve()

    def faults(self, document: Document[SpecModel]) -> Iterator[Diagnostic]:
        """An error for every data file that is missing, or that lies outside, also through symbolic links."""
        for split, name, _ in _sources(document):
            file = self._find(document, split, name)
            if isinstance(file, _Fault):
                # Where a source is plain text there is no `file`, and the place is that of the text.
                yield document.diagnostic(file.code, file.message, "spec", split, "file", hint=file.hint)

    def relative(self, document: Document[SpecModel]) -> Document[SpecModel] | None:
        """The document with its data files named relative to the root instead of its folder; None with a fault."""
        changed = {}
        for split, name, source in _sources(document):
            file = self._find(document, split, name)
            if isinstance(file, _Fault):
                return None
            changed[split] = source.model_copy(update={"file": file.as_posix()})
        return replace(document, spec=document.spec.model_copy(update=changed)) if changed else document

    def _find(self, document: Document[SpecModel], split: str, name: str) -> Path | _Fault:
        """The file of that name, seen from where the split names it, relative to the root."""
        folder = document.origin.written("spec", split).file.source.path.parent
        key = (folder, name)
        if key not in self._looked_at:
            self._looked_at[key] = self._look_at(folder, name)
        return self._looked_at[key]

    def _look_at(self, folder: Path, name: str) -> Path | _Fault:
        try:
            file = (folder / name).resolve()
            if not file.is_relative_to(self._real_root):
                message = f"{shown(name)} leads out of the spec folder {str(self._root)!r}"
                return _Fault("E151", message, "copy the file into the folder")
            if file.is_file():
                return file.relative_to(self._real_root)
            if file.is_dir():
                return _Fault("E150", f"{shown(name)} is a folder", "name a file in it")
            near = [entry.name for entry in file.parent.iterdir()] if file.parent.is_dir() else []
        except (OSError, ValueError, RuntimeError) as error:
            # A name too long, with a NUL in it, or a ring of symbolic links.
            return _Fault("E150", f"{shown(name)} cannot be read: {error}", "name a file that is there")
        hint = did_you_mean(file.name, near, f"looked in {str(folder)!r}, where the spec file is")
        return _Fault("E150", f"there is no file {shown(name)}", hint)


def _sources(document: Document[SpecModel]) -> Iterator[tuple[str, str, Source]]:
    """The splits that name a file."""
    if isinstance(document.spec, Dataset):
        for split in _SPLITS:
            source: Source | None = getattr(document.spec, split)
            if source is not None and source.file is not None:
                yield split, source.file, source
