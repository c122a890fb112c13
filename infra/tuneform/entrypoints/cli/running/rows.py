"""The rows of the datasets that specs name: what is wrong with them, before anything live is touched."""

from __future__ import annotations

from tuneform.datasets import DatasetSource, prepare
from tuneform.errors import DatasetErrors, Diagnostic
from tuneform.specs import Dataset, Tree


def look_at_rows(tree: Tree) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Errors and warnings in all local datasets; what lies in Cloud Storage is looked at by preview and up."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    for document in tree.of(Dataset):
        source = DatasetSource.from_spec(document.spec)
        if source.is_remote:
            continue
        try:
            warnings += prepare(source, root=tree.root, fetch=_no_network).warnings
        except DatasetErrors as found:
            errors += found.diagnostics
    return errors, warnings


def _no_network(uri: str) -> bytes:
    raise AssertionError(f"the source is local, and {uri} was asked for")
