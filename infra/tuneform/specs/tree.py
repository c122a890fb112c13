"""What `load` returns: documents with their places, in dependency order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tuneform import capabilities
from tuneform.capabilities import Capabilities
from tuneform.errors import Diagnostic, Position
from tuneform.specs.kinds import Metadata, Project, SpecModel
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.nodes import ListNode, MappingNode, Node, ScalarNode, Value
from tuneform.specs.text.source import Source

SpecT_co = TypeVar("SpecT_co", bound=SpecModel, covariant=True)
Step = str | int


@dataclass(frozen=True)
class Origin:
    """What a document was read from: which of the documents of a file, and what it says there."""

    file: SpecFile
    number: int
    values: Mapping[str, Value]

    @property
    def text(self) -> Source:
        """The text of the file."""
        return self.file.source

    @property
    def root(self) -> MappingNode:
        """The document with its places, for which the file is read once more where nobody asked for them before."""
        root = self.file.parsed.roots[self.number]
        assert isinstance(root, MappingNode)
        return root

    def span(self, *path: Step, key: bool = False) -> tuple[int, int]:
        """Offsets of the value at `path`, or of its key; of the nearest thing around it where it is not written."""
        root = self.root
        node: Node = root
        found = next((entry[0] for name, entry in root.entries.items() if name == "kind"), None)
        span = (found.start, found.end) if found else (node.start, node.start + 1)
        for index, step in enumerate(path):
            if isinstance(node, MappingNode) and isinstance(step, str) and step in node.entries:
                name, node = node.entries[step]
                wants_key = key and index == len(path) - 1
                span = (
                    (name.start, name.end)
                    if wants_key or not isinstance(node, ScalarNode)
                    else (node.start, node.end)
                )
                if not wants_key and not isinstance(node, ScalarNode) and node.flow:
                    span = (node.start, node.start + 1)
            elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                span = (node.start, node.end if isinstance(node, ScalarNode) else node.start + 1)
            else:
                break
        return span

    def has(self, *path: str) -> bool:
        """Whether the field is written in the document."""
        value: Value | Mapping[str, Value] = self.values
        for step in path:
            if not isinstance(value, Mapping) or step not in value:
                return False
            value = value[step]
        return True

    def diagnostic(
        self, code: str, message: str, *path: Step, key: bool = False, hint: str = "", severity: str = "error"
    ) -> Diagnostic:
        """A diagnostic at a field of the document."""
        start, end = self.span(*path, key=key)
        return self.text.diagnostic(code, message, start, end, hint=hint, severity=severity)


@dataclass(frozen=True)
class Document(Generic[SpecT_co]):
    """One spec document. `project` is the name of the Project document it belongs to, its own for a Project."""

    kind: str
    metadata: Metadata
    spec: SpecT_co
    project: str
    origin: Origin = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """metadata.name."""
        return self.metadata.name

    @property
    def source(self) -> Position:
        """Where the document begins: its `kind`."""
        return self.at("kind")

    def at(self, *path: Step) -> Position:
        """The place of a field, such as `at("spec", "dataset", "ref")`; of what is around it if it is not written."""
        return self.origin.text.position(self.origin.span(*path)[0])

    def diagnostic(
        self, code: str, message: str, *path: Step, key: bool = False, hint: str = "", severity: str = "error"
    ) -> Diagnostic:
        """A diagnostic at a field of this document, with its line as excerpt."""
        return self.origin.diagnostic(code, message, *path, key=key, hint=hint, severity=severity)


Documents = Mapping[tuple[str, str, str], Document[SpecModel]]
"""Documents by kind, project and name."""


@dataclass(frozen=True)
class Tree:
    """All documents of a spec folder, each after those it refers to.

    `root` is the folder; `known` is what they were checked against.
    """

    root: Path
    documents: tuple[Document[SpecModel], ...]
    warnings: tuple[Diagnostic, ...] = ()
    known: Capabilities = field(default_factory=capabilities.built_in, repr=False, compare=False)
    _index: dict[tuple[str, str, str], Document[SpecModel]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for document in self.documents:
            self._index[document.kind, document.project, document.name] = document

    def of(self, kind: type[SpecT_co]) -> tuple[Document[SpecT_co], ...]:
        """The documents of one kind, in dependency order."""
        # The kind's name and the class of its spec go together: kinds.KINDS.
        return cast(
            "tuple[Document[SpecT_co], ...]", tuple(d for d in self.documents if d.kind == kind.__name__)
        )

    def find(self, kind: type[SpecT_co], name: str, project: str) -> Document[SpecT_co]:
        """The document of that kind and name; KeyError when there is none (references were checked by `load`)."""
        # As above.
        return cast("Document[SpecT_co]", self._index[kind.__name__, project, name])

    def project_of(self, document: Document[Any]) -> Document[Project]:
        """The Project that a document belongs to."""
        return self.find(Project, document.project, document.project)
