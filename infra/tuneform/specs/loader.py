"""`load`: a folder of YAML to a tree of documents, or every error in it."""

from __future__ import annotations

from pathlib import Path

from tuneform import capabilities, collection
from tuneform.capabilities import Capabilities
from tuneform.errors import Diagnostic, SpecErrors
from tuneform.specs.defaults import completed
from tuneform.specs.meaning import check
from tuneform.specs.meaning.datafiles import DataFiles
from tuneform.specs.resolve import resolve
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.files import spec_files
from tuneform.specs.text.plain import Reader
from tuneform.specs.text.source import read
from tuneform.specs.tree import Tree
from tuneform.specs.typed import Draft, draft


def load(path: Path, known: Capabilities | None = None) -> Tree:
    """The documents of a spec file or folder (`*.yaml`, `*.yml` at any depth), each after those it refers to.

    Defaults that come from other documents are filled in, and dataset files are named relative to the tree's
    root. They are checked against what is `known` of models and platforms, by default what comes with tuneform, on
    no day. Raises SpecErrors with the errors of all files, sorted by place; warnings are on the tree.
    """
    tree, errors = examine(path, known)
    if errors:
        raise SpecErrors(errors)
    return tree


def examine(path: Path, known: Capabilities | None = None) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """What of the specs is sound, and the errors of all files: for those who look further in spite of errors.

    The tree is not to be applied while there are errors: documents may be missing from it. Its datasets are
    those whose files are there.
    """
    with collection.put_off():
        return _examine(path, known or capabilities.built_in())


def _examine(path: Path, known: Capabilities) -> tuple[Tree, tuple[Diagnostic, ...]]:
    root = path.parent if path.is_file() else path
    data_files = DataFiles(root)
    drafts, found, complete = _drafts(path)
    documents, between = resolve(drafts, complete=complete)
    documents = completed(documents)
    found += between
    found += check(documents, data_files, known)
    found += known.found
    found.sort(key=_place)
    errors = tuple(diagnostic for diagnostic in found if diagnostic.severity == "error")
    if not errors and not documents:
        errors = (Diagnostic("E102", f"no document in {str(path)!r}", hint="write a Project to begin with"),)
    sound = tuple(made for document in documents if (made := data_files.relative(document)) is not None)
    warnings = tuple(diagnostic for diagnostic in found if diagnostic.severity != "error")
    return Tree(root, sound, warnings, known), errors


def _drafts(path: Path) -> tuple[list[Draft], list[Diagnostic], bool]:
    """What could be read, what is wrong with it, and whether it is all there is."""
    files, found = spec_files(path)
    complete = not found
    drafts: list[Draft] = []
    reader = Reader()
    for path_of_one in files:
        source = read(path_of_one)
        if isinstance(source, Diagnostic):
            found.append(source)
            complete = False
            continue
        file = SpecFile(source)
        said = file.read(reader)
        found += said.found
        complete = complete and said.complete
        for number, value in enumerate(said.values):
            made, wrong = draft(file, number, value)
            found += wrong
            if made is not None:
                drafts.append(made)
            complete = complete and made is not None and bool(made.name)
    return drafts, found, complete


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    at = diagnostic.position
    place = (str(at.path), at.line, at.column) if at else ("", 0, 0)
    return (*place, diagnostic.code, diagnostic.message)
