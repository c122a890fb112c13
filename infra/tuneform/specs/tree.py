"""What `load` returns: documents with their places, in dependency order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tuneform import capabilities
from tuneform.capabilities import Capabilities
from tuneform.errors import Diagnostic, Position
from tuneform.specs.kinds import Metadata, Project, SpecModel, TuningJob
from tuneform.specs.kinds.base import shown
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.nodes import ListNode, MappingNode, Node, ScalarNode, Value
from tuneform.specs.text.source import Source

SpecT_co = TypeVar("SpecT_co", bound=SpecModel, covariant=True)
Step = str | int


@dataclass(frozen=True)
class Written:
    """Where a value is written: in which of the documents of a file, and at which path in it."""

    file: SpecFile
    number: int
    path: tuple[Step, ...] = ()

    @property
    def root(self) -> MappingNode:
        """The document with its places, for which the file is read once more where nobody asked for them before."""
        root = self.file.parsed.roots[self.number]
        assert isinstance(root, MappingNode)
        return root

    @property
    def position(self) -> Position:
        """The place of the value."""
        return self.file.source.position(self.span()[0])

    def span(self, *, key: bool = False) -> tuple[int, int]:
        """Offsets of the value, or of its key; of the nearest thing around it where it is not written."""
        root = self.root
        node: Node = root
        found = next((entry[0] for name, entry in root.entries.items() if name == "kind"), None)
        span = (found.start, found.end) if found else (node.start, node.start + 1)
        for index, step in enumerate(self.path):
            if isinstance(node, MappingNode) and isinstance(step, str) and step in node.entries:
                name, node = node.entries[step]
                wants_key = key and index == len(self.path) - 1
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


@dataclass(frozen=True)
class Origin:
    """What a document was read from: which of the documents of a file, and what it says for one project.

    `values` is the outcome of what is written in its `spec`, in its `in` and in the defaults of its Project; `layers`
    has, by their paths in it, the values that are not from the document's own `spec`, and those that were taken away.
    `project` is that of a document that is for several, empty otherwise.
    """

    file: SpecFile
    number: int
    values: Mapping[str, Value]
    project: str = ""
    layers: Mapping[tuple[Step, ...], Written] = field(default_factory=dict)

    @property
    def text(self) -> Source:
        """The text of the file."""
        return self.file.source

    @property
    def root(self) -> MappingNode:
        """The document as it is written, with its places."""
        return Written(self.file, self.number).root

    def written(self, *path: Step) -> Written:
        """Where the value at `path` is written, or would be: the nearest layer around it decides."""
        for end in range(len(path), 0, -1) if self.layers else ():
            layer = self.layers.get(path[:end])
            if layer is not None:
                return Written(layer.file, layer.number, (*layer.path, *path[end:]))
        return Written(self.file, self.number, path)

    def has(self, *path: str) -> bool:
        """Whether the field is written, wherever that is."""
        value: Value | Mapping[str, Value] = self.values
        for step in path:
            if not isinstance(value, Mapping) or step not in value:
                return False
            value = value[step]
        return True

    def diagnostic(
        self, code: str, message: str, *path: Step, key: bool = False, hint: str = "", severity: str = "error"
    ) -> Diagnostic:
        """A diagnostic at a field of the document, wherever it is written; it names the environment it is about."""
        return self.diagnostic_at(self.written(*path), code, message, key=key, hint=hint, severity=severity)

    def diagnostic_at(
        self,
        place: Written,
        code: str,
        message: str,
        *,
        key: bool = False,
        hint: str = "",
        severity: str = "error",
    ) -> Diagnostic:
        """The same at a place that is known."""
        start, end = place.span(key=key)
        found = place.file.source.diagnostic(code, message, start, end, hint=hint, severity=severity)
        about = self._about(place)
        return replace(found, about=(about,)) if about else found

    def _about(self, place: Written) -> str:
        """What the reader of that place does not see there: for which project, or for which document."""
        if (place.file, place.number) != (self.file, self.number):
            metadata = self.values.get("metadata")
            name = metadata.get("name") if isinstance(metadata, dict) else ""
            return f"{self.values.get('kind')} {shown(name)}"
        shows_it = place.path[:1] == ("in",) or place.path[:2] == ("metadata", "projects")
        return f"project {self.project}" if self.project and not shows_it else ""


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
        return self.origin.written(*path).position

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

    @cached_property
    def tunings(self) -> Mapping[tuple[str, str], tuple[TuningJob, ...]]:
        """The TuningJobs of each Dataset, by its project and name."""
        found: dict[tuple[str, str], list[TuningJob]] = {}
        for job in self.of(TuningJob):
            found.setdefault((job.project, job.spec.dataset.ref), []).append(job.spec)
        return {dataset: tuple(jobs) for dataset, jobs in found.items()}

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

    def only(self, project: str) -> Tree:
        """The tree with the documents of one project alone."""
        return replace(self, documents=tuple(d for d in self.documents if d.project == project))
