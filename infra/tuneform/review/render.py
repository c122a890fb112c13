"""The specs as they come out: plain documents, without the layers that they are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuneform.specs import Dataset, Document, Project, Tree
from tuneform.specs.text.nodes import MappingNode
from tuneform.specs.text.parse import parse
from tuneform.specs.text.source import Source
from tuneform.specs.text.write import as_yaml

_SPLITS = ("training", "validation", "test")


def rendered(tree: Tree, project: str = "", *, origins: bool = False) -> str:
    """The documents of the tree, or of one project, by project, each after those it refers to.

    They say what is written anywhere, and nothing that the language adds by itself; read again, in the root of the
    tree, they make the same tree. Of one project alone they do not name it, so that two projects can be compared line
    by line. With `origins` a comment says where each value is written that the document's own `spec` does not have.
    """
    chosen = [document for document in tree.documents if project in ("", document.project)]
    chosen.sort(key=lambda document: document.project)
    text = as_yaml(_plain(document, alone=bool(project)) for document in chosen)
    return _with_origins(text, chosen) if origins else text


def _plain(document: Document[Any], *, alone: bool) -> dict[str, Any]:
    values: dict[str, Any] = {**document.origin.values, "spec": dict(document.origin.values["spec"])}  # type: ignore[arg-type]
    if alone:
        values["metadata"] = {name: value for name, value in values["metadata"].items() if name != "project"}
    match document.spec:
        case Project():
            values["spec"].pop("defaults", None)
        case Dataset() as dataset:
            values["spec"] |= _files(dataset, values["spec"])
        case _:
            pass
    return values


def _files(dataset: Dataset, spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The splits that name a file, named from the root of the tree: each layer names it from its own folder."""
    for split in _SPLITS:
        source = getattr(dataset, split)
        if source is not None and source.file is not None:
            written = spec[split]
            yield split, {**written, "file": source.file} if isinstance(written, dict) else source.file


def _with_origins(text: str, documents: Sequence[Document[Any]]) -> str:
    source = Source(Path("rendered"), text)
    comments: dict[int, list[str]] = defaultdict(list)
    for document, root in zip(documents, parse(source).roots, strict=True):
        for path, written in document.origin.layers.items():
            if path[0] != "spec":
                continue
            offset, missing = _key(root, path)
            said = f"{'.'.join(map(str, missing))}: taken away at" if missing else "from"
            comments[source.position(offset).line].append(f"{said} {written.position}")
    lines = text.split("\n")
    for number, said_of_it in comments.items():
        lines[number - 1] += f"  # {'; '.join(said_of_it)}"
    return "\n".join(lines)


def _key(root: Any, path: Sequence[str | int]) -> tuple[int, Sequence[str | int]]:
    """Where the key of the value at a path begins, or that of what is around it, and which steps are not there."""
    node, start = root, root.start
    for index, step in enumerate(path):
        if not isinstance(node, MappingNode) or step not in node.entries:
            return start, path[index:]
        key, node = node.entries[str(step)]
        start = key.start
    return start, ()
