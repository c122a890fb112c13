"""A document's drafts: one, or one for each of the projects that it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import KINDS, Metadata, Project, SpecModel
from tuneform.specs.kinds.base import shown
from tuneform.specs.shape import did_you_mean
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.nodes import Value
from tuneform.specs.tree import Origin, Written
from tuneform.specs.typed.layers import Layer, Merge, nulls
from tuneform.specs.typed.reader import API_VERSION, PARTS, REQUIRED_PARTS, Reader, described, dotted
from tuneform.specs.typed.shelf import Shelf

_CONFLICT = "git leaves such lines where two changes met: keep one of them"


@dataclass(frozen=True)
class Draft:
    """A document of one project as far as it could be read; `metadata` and `spec` are None where they are wrong.

    `name` and `project` are as written in metadata, even when other metadata is wrong; empty when not written.
    """

    kind: str
    name: str
    project: str
    metadata: Metadata | None
    spec: SpecModel | None
    origin: Origin


def drafts(
    file: SpecFile, number: int, value: Value, shelf: Shelf
) -> tuple[Sequence[Draft], Sequence[Diagnostic]]:
    """What one document is in each of its projects, and everything that is wrong with it by itself."""
    if not isinstance(value, dict) or not any(name in value for name in PARTS):
        message = "a document must be a mapping with apiVersion, kind, metadata and spec"
        start = file.parsed.roots[number].start
        hint = _CONFLICT if file.source.text.startswith("<<<<<<<", start) else ""
        return (), [file.source.diagnostic("E122", message, start, hint=hint)]
    origin = Origin(file, number, value)
    sound = _sound(origin, shelf)
    if sound is not None:
        return (sound,), ()
    reader = Reader(origin)
    kind = reader.envelope()
    metadata = reader.part("metadata", Metadata)
    if kind is None:
        return (), reader.found
    name = metadata.name if metadata else reader.text("metadata", "name")
    if kind == Project.__name__:
        spec = reader.part("spec", Project)
        _check_project(reader)
        project = _project(reader, metadata)
        return (Draft(kind, name, project, metadata, spec, origin),), reader.found
    return _Expansion(reader, kind, name, metadata, shelf).drafts(), reader.found


def _sound(origin: Origin, shelf: Shelf) -> Draft | None:
    """The document where nothing is wrong with it and no layer is laid on it, made without a look at its places."""
    kind, metadata, spec = (origin.values.get(part) for part in ("kind", "metadata", "spec"))
    if (
        origin.values.keys() != REQUIRED_PARTS
        or origin.values["apiVersion"] != API_VERSION
        or not (isinstance(kind, str) and kind in KINDS and isinstance(metadata, dict))
        # Null here is a word that was written, and looked up as the name of a project.
        or metadata.get("project", "") is None
        or "projects" in metadata
        or (kind == "Project" and isinstance(spec, dict) and "defaults" in spec)
    ):
        return None
    try:
        who = Metadata.model_validate(metadata, by_alias=True, by_name=False)
        project = who.project or ""
        if shelf.layer(kind, project) is not None:
            return None
        made = KINDS[kind].model_validate(spec, by_alias=True, by_name=False)
    except ValidationError:
        return None
    return Draft(kind, who.name, project, who, made, origin)


class _Expansion:
    """A document that is for several projects, or that its Project has defaults for."""

    def __init__(self, reader: Reader, kind: str, name: str, metadata: Metadata | None, shelf: Shelf) -> None:
        self.reader, self.origin = reader, reader.origin
        self.kind, self.name, self.metadata, self.shelf = kind, name, metadata, shelf
        self.model = KINDS[kind]

    def drafts(self) -> list[Draft]:
        """The draft for each project; what is wrong is gathered by the reader."""
        listed = _listed(self.origin.values)
        over = self._over(listed)
        metadata = self.origin.values.get("metadata")
        if not listed and isinstance(metadata, dict) and "projects" in metadata:
            # Nobody knows what it is for; what it says can be looked at all the same.
            self.reader.look_at_part("spec", self.model)
            return []
        homes = listed or (_project(self.reader, self.metadata),)
        outcomes = [self._outcome(home, over.get(home)) for home in homes]
        if listed:
            outcomes = [self._sent(home, one) for home, one in zip(listed, outcomes, strict=True)]
        made = zip(homes, outcomes, self._specs(outcomes), strict=True)
        return [
            Draft(self.kind, self.name, home, self._who(outcome), spec, outcome)
            for home, outcome, spec in made
        ]

    def _who(self, outcome: Origin) -> Metadata | None:
        if self.metadata is None or not outcome.project:
            return self.metadata
        return self.metadata.model_copy(update={"project": outcome.project, "projects": ()})

    def _over(self, listed: Sequence[str]) -> Mapping[str, Layer]:
        """What is said in each project, after a look at whether it can be said."""
        reader, said = self.reader, self.origin.values.get("in", {})
        if "in" in self.origin.values and not listed:
            message = "'in' says what differs between projects, and metadata.projects does not name them"
            hint = "write the values in spec, or list the projects"
            reader.report("E133", message, "in", key=True, hint=hint)
            return {}
        if not isinstance(said, dict):
            reader.report("E125", f"in: expected a mapping, found {described(said)}", "in")
            return {}
        over: dict[str, Layer] = {}
        for project, part in said.items():
            if project not in listed:
                message = f"{shown(project)} is not among the projects of this document"
                hint = did_you_mean(
                    project, listed, f"add it to metadata.projects, which has {', '.join(listed)}"
                )
                reader.report("E133", message, "in", project, key=True, hint=hint)
            elif isinstance(part, dict):
                over[project] = Layer(part, Written(self.origin.file, self.origin.number, ("in", project)))
            else:
                message = f"{project}: expected a mapping, found {described(part)}"
                reader.report("E125", message, "in", project)
        return over

    def _outcome(self, home: str, over: Layer | None) -> Origin:
        """What the document says in one project."""
        origin, spec = self.origin, self.origin.values.get("spec")
        defaults = self.shelf.layer(self.kind, home)
        merge = Merge(Written(origin.file, origin.number))
        if isinstance(spec, dict):
            if defaults is not None and defaults.value:
                spec = merge.below(self.model, spec, defaults)
            if over is not None and over.value:
                spec = merge.above(self.model, spec, over)
        for null in merge.nothing:
            message = (
                f"nothing to take away: neither spec nor the defaults of Project {home!r} say {null.path[-1]}"
            )
            self.reader.report_at(null, "E132", message, hint="leave it out")
        values = {**origin.values, "spec": spec} if "spec" in origin.values else origin.values
        return Origin(origin.file, origin.number, values, layers=merge.layers)

    def _sent(self, home: str, outcome: Origin) -> Origin:
        """The outcome of a document that lists its projects, as if it were for this one alone."""
        values = {name: value for name, value in outcome.values.items() if name != "in"}
        values["metadata"], index = _for_one(values["metadata"], home)
        place = Written(outcome.file, outcome.number, ("metadata", "projects", index))
        layers = {**outcome.layers, ("metadata", "project"): place}
        return Origin(outcome.file, outcome.number, values, home, layers)

    def _specs(self, outcomes: Sequence[Origin]) -> list[SpecModel | None]:
        """The typed spec of each outcome; where no layer is laid on any of them they share one."""
        own = self.origin.values.get("spec")
        if all(outcome.values.get("spec") is own for outcome in outcomes):
            return [self.reader.part("spec", self.model)] * len(outcomes)
        # What is wrong here is wrong everywhere, even where something is laid over it.
        self.reader.look_at_part("spec", self.model)
        specs: list[SpecModel | None] = []
        for outcome in outcomes:
            one = Reader(outcome)
            specs.append(one.part("spec", self.model))
            self.reader.found += [wrong for wrong in one.found if wrong not in self.reader.found]
        return specs


def _project(reader: Reader, metadata: Metadata | None) -> str:
    """metadata.project as it is written."""
    written = reader.origin.values.get("metadata")
    if metadata and isinstance(written, dict) and written.get("project", "") is not None:
        return metadata.project or ""
    return reader.text("metadata", "project")


def _listed(values: Mapping[str, Value]) -> tuple[str, ...]:
    """The projects that metadata names, each once, as far as they can be read."""
    metadata = values.get("metadata")
    projects = metadata.get("projects") if isinstance(metadata, dict) else None
    if not isinstance(projects, tuple):
        return ()
    return tuple(dict.fromkeys(project for project in projects if isinstance(project, str)))


def _for_one(metadata: Value, project: str) -> tuple[Value, int]:
    """The metadata of a document that is for one project, and where that one stands in its list."""
    assert isinstance(metadata, dict)
    projects = metadata["projects"]
    assert isinstance(projects, tuple)
    kept = ((name, value) for name, value in metadata.items() if name != "project")
    # In the place of the list, so that what is rendered keeps the order of writing.
    alone = dict((("project", project) if name == "projects" else (name, value)) for name, value in kept)
    return alone, projects.index(project)


def _check_project(reader: Reader) -> None:
    """What only a Project says, and what it cannot say."""
    values = reader.origin.values
    metadata, spec = values.get("metadata"), values.get("spec")
    if isinstance(metadata, dict) and "projects" in metadata:
        message = "a Project does not belong to a project"
        reader.report("E130", message, "metadata", "projects", key=True)
    if "in" in values:
        reader.report("E133", "a Project has no 'in': it is one environment itself", "in", key=True)
    defaults = spec.get("defaults") if isinstance(spec, dict) else None
    for kind, part in defaults.items() if isinstance(defaults, dict) else ():
        if kind == Project.__name__:
            reader.report("E134", "a Project takes no defaults", "spec", "defaults", kind, key=True)
        elif kind not in KINDS:
            known = [name for name in KINDS if name != Project.__name__]
            hint = did_you_mean(kind, known, f"the kinds are {', '.join(known)}")
            reader.report(
                "E121", f"{shown(kind)} is not a kind", "spec", "defaults", kind, key=True, hint=hint
            )
        elif isinstance(part, dict):
            _check_defaults(reader, kind, part)


def _check_defaults(reader: Reader, kind: str, part: Mapping[str, Value]) -> None:
    """The defaults of a kind by themselves: they are right or wrong whether or not a document takes them."""
    model, at = KINDS[kind], ("spec", "defaults", kind)
    origin = reader.origin
    written = Written(origin.file, origin.number, at)
    alone = Reader(
        Origin(origin.file, origin.number, {**origin.values, "spec": dict(part)}, layers={("spec",): written})
    )
    alone.look_at_part("spec", model)
    reader.found += alone.found
    for name in model.identifying & part.keys():
        message = f"{name} cannot be a default: it belongs to one document"
        reader.report("E134", message, *at, name, key=True, hint="write it in that document")
    for path in nulls(model, part):
        message = (
            f"nothing to take away: nothing lies below the defaults of a Project, which say {dotted(path)}"
        )
        reader.report("E132", message, *at, *path, hint="leave it out")
