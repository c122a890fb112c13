"""Which projects an audit is about, and in which locations it looks.

A file of projects is plain lines, `PROJECT [LOCATION…]`, with `#` before remarks; or, as *.yaml or *.yml, a list of
`{project: ID, locations: [LOCATION, …]}` or of ids alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuneform.capabilities import Capabilities
from tuneform.errors import Diagnostic, ProjectListErrors
from tuneform.specs import Project, Tree
from tuneform.specs.text.nodes import ListNode, MappingNode, Node, ScalarNode
from tuneform.specs.text.parse import parse
from tuneform.specs.text.source import Source, read

CODE = ProjectListErrors.code
PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
LOCATION = re.compile(r"[a-z][a-z0-9-]*")
_WORD = re.compile(r"[^\s#]+")
_FORM = "write PROJECT [LOCATION …], one project a line"
_YAML_FORM = "write - PROJECT, or - {project: PROJECT, locations: [LOCATION, …]}"


@dataclass(frozen=True)
class Target:
    """A project by its id, with the locations that the file gives it: none where it leaves them to the others."""

    project: str
    locations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Targets:
    """What is audited: projects that were named, or all below `parent`, `folders/N` or `organizations/N`.

    `everywhere` are the locations of the flag, which count for all projects; `own` those of Project documents;
    `otherwise` those of projects about which nothing is said.
    """

    named: tuple[Target, ...] = ()
    parent: str = ""
    everywhere: tuple[str, ...] = ()
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    otherwise: tuple[str, ...] = ()
    where: str = ""

    def locations(self, project: str, said: Sequence[str] = ()) -> tuple[str, ...]:
        """Where to look: what the flag says, else the file, else the project's own documents, else all known."""
        found = self.everywhere or tuple(said) or self.own.get(project, ()) or self.otherwise
        return tuple(dict.fromkeys(found))

    @property
    def digest(self) -> str:
        """What tells this question from another one."""
        said = {
            "named": [[one.project, *self.locations(one.project, one.locations)] for one in self.named],
            "parent": self.parent,
            "locations": [self.everywhere, dict(sorted(self.own.items())), self.otherwise],
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def __str__(self) -> str:
        if self.parent:
            kind, _, number = self.parent.partition("/")
            return f"all projects of {kind.removesuffix('s')} {number}"
        return f"{len(self.named):,} project{'' if len(self.named) == 1 else 's'} of {self.where}"


def known_locations(known: Capabilities) -> tuple[str, ...]:
    """Every location in which a Gemini model can be tuned or served, as far as that is known."""
    cells = (
        cell for model in known.models.values() for cell in (model.tuning_locations, model.serving_locations)
    )
    return tuple(sorted({location for cell in cells for location in cell.value or ()}))


def own_locations(tree: Tree | None) -> dict[str, tuple[str, ...]]:
    """The locations of the Project documents of a tree, by Google's project id."""
    found: dict[str, list[str]] = {}
    for document in tree.of(Project) if tree is not None else ():
        found.setdefault(document.spec.project_id, []).extend(
            (document.spec.location, document.spec.serving_location)
        )
    return {project: tuple(dict.fromkeys(locations)) for project, locations in found.items()}


def read_targets(path: Path) -> tuple[Target, ...]:
    """The projects that a file names.

    Raises:
        ProjectListErrors: everything that is wrong in it.
    """
    source = read(path)
    if isinstance(source, Diagnostic):
        raise ProjectListErrors([source])
    found = list(_yaml(source) if path.suffix in (".yaml", ".yml") else _lines(source))
    wrong = [one for one in found if isinstance(one, Diagnostic)]
    placed = [one for one in found if not isinstance(one, Diagnostic)]
    wrong += _twice(source, placed)
    if not placed and not wrong:
        hint = _YAML_FORM if path.suffix in (".yaml", ".yml") else _FORM
        wrong = [source.diagnostic(CODE, "no project is named here", 0, hint=hint)]
    if wrong:
        raise ProjectListErrors(sorted(wrong, key=_line))
    return tuple(target for target, _, _ in placed)


Placed = tuple[Target, int, int]
"""A target, and where its project's id stands."""


def _line(diagnostic: Diagnostic) -> tuple[int, int]:
    at = diagnostic.position
    return (at.line, at.column) if at else (0, 0)


def _twice(source: Source, placed: Iterable[Placed]) -> Iterator[Diagnostic]:
    seen: dict[str, int] = {}
    for target, start, end in placed:
        first = seen.setdefault(target.project, start)
        if first != start:
            before = source.position(first).line
            yield source.diagnostic(
                CODE,
                f"{target.project} stands here a second time, after line {before}",
                start,
                end,
                hint="write all its locations in one place",
            )


def _lines(source: Source) -> Iterator[Placed | Diagnostic]:
    offset = 0
    for line in source.text.splitlines(keepends=True):
        words = [(word[0], offset + word.start()) for word in _WORD.finditer(line.partition("#")[0])]
        offset += len(line)
        if words:
            yield from _target(source, words, _FORM)


def _target(source: Source, words: Sequence[tuple[str, int]], form: str) -> Iterator[Placed | Diagnostic]:
    """A project and its locations, each with where it stands; or what is wrong with them."""
    (project, start), *places = words
    wrong = [] if PROJECT.fullmatch(project) else [(project, start, "a project id")]
    wrong += [(word, at, "a location") for word, at in places if not LOCATION.fullmatch(word)]
    for word, at, what in wrong:
        yield source.diagnostic(CODE, f"{word!r} is not {what}", at, at + len(word), hint=form)
    if not wrong:
        yield Target(project, tuple(word for word, _ in places)), start, start + len(project)


def _yaml(source: Source) -> Iterator[Placed | Diagnostic]:
    parsed = parse(source)
    yield from parsed.found
    for root in parsed.roots:
        if not isinstance(root, ListNode):
            yield source.diagnostic(
                CODE, "this is no list of projects", root.start, root.end, hint=_YAML_FORM
            )
            continue
        for item in root.items:
            yield from _item(source, item)


def _item(source: Source, item: Node) -> Iterator[Placed | Diagnostic]:
    if isinstance(item, ScalarNode):
        yield from _target(source, [(item.text, item.start)], _YAML_FORM)
        return
    if not isinstance(item, MappingNode) or "project" not in item.entries:
        yield source.diagnostic(CODE, "no project is named here", item.start, item.end, hint=_YAML_FORM)
        return
    for name, (key, _) in item.entries.items():
        if name not in ("project", "locations"):
            yield source.diagnostic(CODE, f"unknown field {name!r}", key.start, key.end, hint=_YAML_FORM)
    project = item.entries["project"][1]
    places = item.entries["locations"][1] if "locations" in item.entries else None
    if places is not None and not isinstance(places, ListNode):
        yield source.diagnostic(CODE, "locations is no list", places.start, places.end, hint=_YAML_FORM)
        return
    words = [project, *(places.items if places is not None else [])]
    if all(isinstance(word, ScalarNode) for word in words):
        texts = [(word.text, word.start) for word in words if isinstance(word, ScalarNode)]
        yield from _target(source, texts, _YAML_FORM)
    else:
        yield source.diagnostic(CODE, "this is no text", project.start, project.end, hint=_YAML_FORM)
