"""Drafts to documents: projects found, names unique, references leading somewhere, order by dependency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tuneform.errors import Diagnostic
from tuneform.specs.graph import CycleError, Key, ordered
from tuneform.specs.kinds import KINDS, SpecModel
from tuneform.specs.kinds.base import shown
from tuneform.specs.shape import Reference, did_you_mean, references
from tuneform.specs.tree import Document, Origin, Written
from tuneform.specs.typed import Draft

_MISSING = frozenset({"E140", "E141", "E146", "E147"})


@dataclass
class _Resolution:
    drafts: dict[Key, Draft] = field(default_factory=dict)
    needs: dict[Key, list[Key]] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)


def resolve(drafts: Sequence[Draft], *, complete: bool) -> tuple[list[Document[SpecModel]], list[Diagnostic]]:
    """The sound documents in dependency order, and every fault between documents.

    Where the drafts are not complete, nothing is said to be missing: it may be in what could not be read.
    """
    state = _Resolution()
    projects = {draft.name: draft for draft in drafts if draft.kind == "Project"}
    drafts = _policies_everywhere(drafts, projects)
    homes = _homes(drafts, projects, state.found)
    for draft, project in zip(drafts, homes, strict=True):
        if project is not None and draft.name:
            _register(state, draft, project)
    for key, draft in state.drafts.items():
        alone = draft.kind == "Project" or not key[1]
        state.needs[key] = [] if alone else [("Project", key[1], key[1])]
        for reference in _references(draft):
            if need := _target(state, key, reference):
                state.needs[key].append(need)
    _previous_names(state)
    documents = _in_order(state)
    return documents, [d for d in state.found if complete or d.code not in _MISSING]


def _policies_everywhere(drafts: Sequence[Draft], projects: dict[str, Draft]) -> list[Draft]:
    """The drafts, with a policy that names no project in each of them: rules hold everywhere unless they say where."""
    found: list[Draft] = []
    for draft in drafts:
        everywhere = draft.kind == "Policy" and not draft.project and projects
        found += (
            [_in_project(draft, name, alone=len(projects) == 1) for name in projects]
            if everywhere
            else [draft]
        )
    return found


def _in_project(draft: Draft, name: str, *, alone: bool) -> Draft:
    """The policy as one of a project; what it says of itself names the project only where there are several."""
    origin, metadata = draft.origin, draft.origin.values.get("metadata")
    if not alone and isinstance(metadata, dict):
        values = {**origin.values, "metadata": {**metadata, "project": name}}
        place = Written(origin.file, origin.number, ("metadata",))
        layers = {**origin.layers, ("metadata", "project"): place}
        origin = Origin(origin.file, origin.number, values, origin.project, layers)
    return replace(draft, project=name, origin=origin)


def _homes(
    drafts: Sequence[Draft], projects: dict[str, Draft], found: list[Diagnostic]
) -> Iterator[str | None]:
    """For each draft the name of its project, or None where that cannot be said."""
    told = False
    for draft in drafts:
        home: str | None = None
        if draft.kind == "Project":
            home = draft.name
            if draft.project:
                message = "a Project does not belong to a project"
                found.append(draft.origin.diagnostic("E130", message, "metadata", "project", key=True))
        elif draft.project in projects:
            home = draft.project
        elif draft.project:
            hint = did_you_mean(draft.project, list(projects), _known("Project", projects))
            message = f"there is no Project {shown(draft.project)}"
            found.append(draft.origin.diagnostic("E146", message, "metadata", "project", hint=hint))
        elif len(projects) == 1:
            home = next(iter(projects))
        elif projects:
            message = "metadata.project is missing, and there are several Projects"
            names = ", ".join(sorted(projects))
            hint = f"write project: with one of {names}, or projects: with several"
            found.append(draft.origin.diagnostic("E145", message, "metadata", key=True, hint=hint))
        elif draft.kind == "Policy":
            home = ""  # a bundle, which is for whatever projects take it
        elif not told:
            told = True
            hint = "every folder of specs needs one: projectId, location and owner"
            found.append(draft.origin.diagnostic("E147", "there is no Project document", "kind", hint=hint))
        yield home


def _register(state: _Resolution, draft: Draft, project: str) -> None:
    key = (draft.kind, project, draft.name)
    if key in state.drafts:
        first = state.drafts[key].origin.written("metadata", "name").position
        several = len({home for _, home, _ in state.drafts}) > 1
        message = f"there are two documents {draft.kind} {shown(draft.name)}"
        message += f" for project {project!r}" if several else ""
        hint = f"the first one is at {first}"
        state.found.append(draft.origin.diagnostic("E143", message, "metadata", "name", hint=hint))
    else:
        state.drafts[key] = draft


def _references(draft: Draft) -> list[Reference]:
    return references(KINDS[draft.kind], draft.origin.values.get("spec"), ("spec",))


def _target(state: _Resolution, key: Key, reference: Reference) -> Key | None:
    """The key that a reference leads to; reports and returns None when it leads nowhere."""
    _, project, _ = key
    wanted = (reference.target, project, reference.name)
    if wanted in state.drafts:
        return wanted
    origin = state.drafts[key].origin
    message = f"there is no {reference.target} {shown(reference.name)}"
    here = [name for kind, home, name in state.drafts if (kind, home) == (reference.target, project)]
    elsewhere = sorted(
        h for kind, h, name in state.drafts if (kind, name) == (reference.target, reference.name)
    )
    if elsewhere:
        there = state.drafts[reference.target, elsewhere[0], reference.name].origin
        place = there.written("metadata", "name").position
        hint = f"the one at {place} is for {' and '.join(elsewhere)} alone: add {project} to its projects"
        state.found.append(origin.diagnostic("E140", message, *reference.path, hint=hint))
        return None
    others = sorted(kind for kind, home, name in state.drafts if (home, name) == (project, reference.name))
    hint = did_you_mean(reference.name, here, _known(reference.target, here))
    if others:
        message = (
            f"{shown(reference.name)} is the name of {_a(others[0])}; {_a(reference.target)} is needed here"
        )
    code = "E141" if others else "E140"
    state.found.append(origin.diagnostic(code, message, *reference.path, hint=hint))
    return None


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "AEIOU" else f"a {kind}"


def _known(kind: str, names: Sequence[str] | dict[str, Draft]) -> str:
    return f"known: {', '.join(sorted(names))}" if names else f"there is no {kind} at all"


def _previous_names(state: _Resolution) -> None:
    claimed: dict[Key, Key] = {}
    for key, draft in state.drafts.items():
        for index, old in enumerate(draft.metadata.previous_names if draft.metadata else ()):
            was = (key[0], key[1], old)
            holder = was if was in state.drafts else claimed.setdefault(was, key)
            if holder != key:
                message = f"the previous name {old!r} belongs to {holder[0]} {holder[2]!r}"
                path = ("metadata", "previousNames", index)
                state.found.append(draft.origin.diagnostic("E148", message, *path))


def _in_order(state: _Resolution) -> list[Document[SpecModel]]:
    try:
        keys = ordered(state.needs)
    except CycleError as cycle:
        start = cycle.chain[0]
        message = (
            f"documents need each other: {' → '.join(f'{kind} {name!r}' for kind, _, name in cycle.chain)}"
        )
        path = next(
            r.path for r in _references(state.drafts[start]) if (r.target, start[1], r.name) == cycle.chain[1]
        )
        state.found.append(state.drafts[start].origin.diagnostic("E142", message, *path))
        return []
    documents = []
    for key in keys:
        draft = state.drafts[key]
        if draft.metadata is not None and draft.spec is not None:
            documents.append(Document(draft.kind, draft.metadata, draft.spec, key[1], draft.origin))
    return documents
