"""The rows of the datasets that specs name: what is wrong with them, before anything live is touched."""

from __future__ import annotations

from pathlib import Path

from tuneform.capabilities import Capabilities
from tuneform.datasets import prepare
from tuneform.entrypoints import inputs
from tuneform.errors import DatasetErrors, Diagnostic, SpecErrors
from tuneform.specs import Dataset, Tree, examine


def load_with_rows(path: Path, known: Capabilities) -> tuple[Tree, list[Diagnostic]]:
    """The specs, and all warnings in them and in the rows of their datasets.

    Raises:
        SpecErrors: everything that is wrong in either.
    """
    tree, found = examine_with_rows(path, known)
    errors = [diagnostic for diagnostic in found if diagnostic.severity == "error"]
    if errors:
        raise SpecErrors(errors)
    return tree, found


def examine_with_rows(path: Path, known: Capabilities) -> tuple[Tree, list[Diagnostic]]:
    """What of the specs is sound, and every error and warning in them and in the rows of their datasets."""
    tree, errors = examine(path, known)
    wrong, warnings = _look_at_rows(tree)
    return tree, [*errors, *wrong, *tree.warnings, *warnings]


def _look_at_rows(tree: Tree) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Errors and warnings in all local datasets; what lies in Cloud Storage is looked at by preview and up."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    # One document may be for several projects, with the same rows in each.
    for source in dict.fromkeys(inputs.source(tree, document) for document in tree.of(Dataset)):
        if source.is_remote:
            continue
        try:
            warnings += prepare(source, root=tree.root, fetch=_no_network).warnings
        except DatasetErrors as found:
            errors += found.diagnostics
    return errors, warnings


def _no_network(uri: str) -> bytes:
    raise AssertionError(f"the source is local, and {uri} was asked for")
