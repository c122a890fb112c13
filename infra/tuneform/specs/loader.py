"""`load`: a folder of YAML to a tree of documents, or every error in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
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
from tuneform.specs.text.nodes import Value
from tuneform.specs.text.parse import MAX_FOUND, TOO_MANY
from tuneform.specs.text.plain import Reader
from tuneform.specs.text.source import read
from tuneform.specs.tree import Tree
from tuneform.specs.typed import Draft, Shelf, drafts


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
    made, found, complete = _drafts(path)
    documents, between = resolve(made, complete=complete)
    documents = completed(documents)
    found += between
    found += check(documents, data_files, known)
    found += known.found
    found = sorted(_folded(found), key=_place)
    errors = tuple(diagnostic for diagnostic in found if diagnostic.severity == "error")
    if not errors and not documents:
        errors = (Diagnostic("E102", f"no document in {str(path)!r}", hint="write a Project to begin with"),)
    sound = tuple(one for document in documents if (one := data_files.relative(document)) is not None)
    warnings = tuple(diagnostic for diagnostic in found if diagnostic.severity != "error")
    return Tree(root, sound, warnings, known), errors


def _drafts(path: Path) -> tuple[list[Draft], list[Diagnostic], bool]:
    """What could be read, what is wrong with it, and whether it is all there is."""
    files, found = spec_files(path)
    complete = not found
    written: list[tuple[SpecFile, int, Value]] = []
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
        written += [(file, number, value) for number, value in enumerate(said.values)]
    shelf = Shelf.of(written)
    made: list[Draft] = []
    errors: Counter[SpecFile] = Counter()
    for file, number, value in written:
        if errors[file] > MAX_FOUND:
            continue
        several, wrong = drafts(file, number, value, shelf)
        found += wrong
        errors[file] += len(wrong)
        if errors[file] > MAX_FOUND and wrong[-1].code != "E114":  # which a document says of itself
            found.append(replace(wrong[-1], code="E114", message=TOO_MANY, hint=""))
        made += several
        complete = complete and bool(several) and bool(several[0].name)
    return made, found, complete


def _folded(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """One diagnostic for what is wrong at one place for several projects or documents, which it names."""
    about: dict[Diagnostic, set[str]] = {}
    for diagnostic in found:
        if diagnostic.about:
            about.setdefault(replace(diagnostic, about=()), set()).update(diagnostic.about)
    if not about:
        return list(found)
    plain = [diagnostic for diagnostic in found if not diagnostic.about]
    everywhere = frozenset(plain)
    return plain + [
        replace(diagnostic, about=tuple(sorted(names)))
        for diagnostic, names in about.items()
        if diagnostic not in everywhere
    ]


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    at = diagnostic.position
    place = (str(at.path), at.line, at.column) if at else ("", 0, 0)
    return (*place, diagnostic.code, diagnostic.message)
