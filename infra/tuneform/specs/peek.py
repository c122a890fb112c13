"""Which projects a folder of specs is about, seen without reading all of it.

It is right about nearly all specs and promises nothing: what it says may begin work early (lists of what is live), and
counts only once `load` has said the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tuneform.specs.kinds import Project
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.files import spec_files
from tuneform.specs.text.plain import Reader
from tuneform.specs.text.source import Source, read
from tuneform.specs.tree import Document
from tuneform.specs.typed import Shelf, drafts

_MARK = re.compile(r"^kind: +Project *$", re.MULTILINE)
_BETWEEN = "\n---\n"


def peek(path: Path) -> tuple[Document[Project], ...]:
    """The Project documents of a folder, as far as they are written in the usual layout."""
    files, _ = spec_files(path)
    return tuple(project for file in files for project in _projects(file))


def _projects(file: Path) -> Iterator[Document[Project]]:
    source = read(file)
    if not isinstance(source, Source) or not _MARK.search(source.text):
        return
    for part in source.text.split(_BETWEEN):
        if not _MARK.search(part):
            continue
        alone = SpecFile(Source(file, part))
        for number, value in enumerate(alone.read(Reader()).values):
            for made in drafts(alone, number, value, Shelf())[0]:
                if made.metadata is None or not isinstance(made.spec, Project):
                    continue
                yield Document(made.kind, made.metadata, made.spec, made.name, made.origin)
