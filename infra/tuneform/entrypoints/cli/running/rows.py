"""The rows of the datasets that specs name: what is wrong with them, before anything live is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tuneform.capabilities import Capabilities
from tuneform.datasets import DatasetSource, Prepared, prepare
from tuneform.entrypoints import inputs
from tuneform.entrypoints.doors.documents import Part, facts_of
from tuneform.errors import DatasetErrors, Diagnostic, SpecErrors
from tuneform.specs import Dataset, Document, Tree, examine

See = Callable[[Document[Dataset], Prepared], None]
"""Is shown every dataset that could be read; one at a time is held."""


def load_with_rows(path: Path, known: Capabilities, see: See | None = None) -> tuple[Tree, list[Diagnostic]]:
    """The specs, and all warnings in them and in the rows of their datasets.

    Raises:
        SpecErrors: everything that is wrong in either.
    """
    tree, found = examine_with_rows(path, known, see)
    raise_errors(found)
    return tree, found


def seen_facts() -> tuple[See, dict[tuple[str, str], Mapping[str, Part]]]:
    """What gathers what policies want to know of datasets while they are read, and where it is gathered."""
    facts: dict[tuple[str, str], Mapping[str, Part]] = {}

    def see(document: Document[Dataset], prepared: Prepared) -> None:
        facts[document.project, document.name] = facts_of(prepared)

    return see, facts


def raise_errors(found: Sequence[Diagnostic]) -> None:
    """Raise SpecErrors with what of it is an error, if anything is."""
    errors = [diagnostic for diagnostic in found if diagnostic.severity == "error"]
    if errors:
        raise SpecErrors(errors)


def examine_with_rows(
    path: Path, known: Capabilities, see: See | None = None
) -> tuple[Tree, list[Diagnostic]]:
    """What of the specs is sound, and every error and warning in them and in the rows of their datasets."""
    tree, errors = examine(path, known)
    wrong, warnings = _look_at_rows(tree, see or (lambda *_: None))
    return tree, [*errors, *wrong, *tree.warnings, *warnings]


def _look_at_rows(tree: Tree, see: See) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Errors and warnings in all local datasets; what lies in Cloud Storage is looked at by preview and up."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    # One document may be for several projects, with the same rows in each.
    described: dict[DatasetSource, list[Document[Dataset]]] = {}
    for document in tree.of(Dataset):
        described.setdefault(inputs.source(tree, document), []).append(document)
    for source, documents in described.items():
        if source.is_remote:
            continue
        try:
            prepared = prepare(source, root=tree.root, fetch=_no_network)
        except DatasetErrors as found:
            errors += found.diagnostics
            continue
        warnings += prepared.warnings
        for document in documents:
            see(document, prepared)
    return errors, warnings


def _no_network(uri: str) -> bytes:
    raise AssertionError(f"the source is local, and {uri} was asked for")
