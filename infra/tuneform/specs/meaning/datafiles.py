"""The data files that datasets name: there, and inside the spec folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import Dataset, SpecModel
from tuneform.specs.kinds.base import shown
from tuneform.specs.kinds.dataset import Source
from tuneform.specs.shape import did_you_mean
from tuneform.specs.tree import Document

_SPLITS = ("training", "validation", "test")


def check_files(document: Document[SpecModel], root: Path) -> Iterator[Diagnostic]:
    """An error for every data file that is missing, or that lies outside `root`, also through symbolic links."""
    folder = document.origin.text.path.parent
    for split, name, _ in _sources(document):
        if wrong := _fault(folder, name, root):
            code, message, hint = wrong
            # Where a source is plain text there is no `file`, and the place is that of the text.
            yield document.diagnostic(code, message, "spec", split, "file", hint=hint)


def with_files_from(root: Path, document: Document[SpecModel]) -> Document[SpecModel]:
    """The document with its data files, which must be there, named relative to `root` instead of to its own folder."""
    changed = {}
    for split, name, source in _sources(document):
        file = (document.origin.text.path.parent / name).resolve()
        inside = file.relative_to(root.resolve()).as_posix()
        changed[split] = source.model_copy(update={"file": inside})
    return replace(document, spec=document.spec.model_copy(update=changed)) if changed else document


def _sources(document: Document[SpecModel]) -> Iterator[tuple[str, str, Source]]:
    """The splits that name a file."""
    if isinstance(document.spec, Dataset):
        for split in _SPLITS:
            source: Source | None = getattr(document.spec, split)
            if source is not None and source.file is not None:
                yield split, source.file, source


def _fault(folder: Path, name: str, root: Path) -> tuple[str, str, str] | None:
    outside = (
        "E151",
        f"{shown(name)} leads out of the spec folder {str(root)!r}",
        "copy the file into the folder",
    )
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(root.resolve()):
            return outside
        if file.is_file():
            return None
        if file.is_dir():
            return "E150", f"{shown(name)} is a folder", "name a file in it"
        near = [entry.name for entry in file.parent.iterdir()] if file.parent.is_dir() else []
    except (OSError, ValueError, RuntimeError) as error:
        # A name too long, with a NUL in it, or a ring of symbolic links.
        return "E150", f"{shown(name)} cannot be read: {error}", "name a file that is there"
    hint = did_you_mean(file.name, near, f"looked in {str(folder)!r}, where the spec file is")
    return "E150", f"there is no file {shown(name)}", hint
