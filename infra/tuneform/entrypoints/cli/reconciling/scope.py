"""Which documents a command is about: the specs at a path, one project of them, and whether they are all there are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import SettingsError, SpecErrors
from tuneform.specs import KINDS, Document, Project, Tree, examine, load
from tuneform.specs.shape import did_you_mean

_NO_PROJECT = frozenset({"E140", "E146", "E147"})
"""What is said of a part of the specs when the rest is not looked at: no Project, and references to it."""


class NoSuchProjectError(SettingsError):
    """The specs hold no Project of the name that was given."""


@dataclass(frozen=True)
class Scope:
    """The documents of one project. `part` says which are asked about, None for all there are.

    `path` is what was named, `folder` what was read.
    """

    path: Path
    folder: Path
    tree: Tree
    project: Document[Project]
    part: Callable[[Document[Any]], bool] | None

    def place(self, kind: str, name: str) -> str:
        """Where a document is written, `file:line`; empty when it is not."""
        model = KINDS.get(kind)
        if model is None:
            return ""
        try:
            position = self.tree.find(model, name, self.project.name).source
        except KeyError:
            return ""
        return f"{position.path}:{position.line}"


def scope(settings: Settings, given: Path | None, project: str | None = None) -> Scope:
    """The documents at a path: of a folder that holds its Project all of them, else those written below the path.

    Raises:
        SpecErrors: what is wrong in them.
        SettingsError: there is no such project, or there are several and none was named.
    """
    path = settings.specs(given)
    folder, tree, whole = _read(settings, path)
    found = project_named(tree, path, project)
    part = None if whole else _below(path)
    return Scope(path, folder, tree, found, part)


def scopes(settings: Settings, given: Path | None, project: str | None = None) -> tuple[Scope, ...]:
    """The same for each of the projects at a path, by name, or for the one that is named.

    Of a part of the specs, the projects that have documents in it.

    Raises:
        SpecErrors: what is wrong in them.
        SettingsError: there is no such project, or none at all.
    """
    path = settings.specs(given)
    folder, tree, whole = _read(settings, path)
    part = None if whole else _below(path)
    projects = sorted(tree.of(Project), key=lambda document: document.name)
    if part is not None:
        asked = {document.project for document in tree.documents if part(document)}
        projects = [one for one in projects if one.name in asked]
    if project is not None or not projects:
        projects = [project_named(tree, path, project)]
    return tuple(Scope(path, folder, tree, one, part) for one in projects)


def _read(settings: Settings, path: Path) -> tuple[Path, Tree, bool]:
    """What is read for a path: the folder, its documents, and whether those are all that the project has."""
    default = settings.specs(None)
    around = default if _inside(path, default) else path.parent if path.is_file() else path
    known = settings.known()
    if path == around:
        return path, load(path, known), True
    tree, errors = examine(path, known)
    if not errors and path.is_file():
        return path, tree, False
    if not errors:
        all_there_is = load(around, known)
        part = _outside(all_there_is, tree, path)
        return (around, all_there_is, False) if part else (path, tree, True)
    if not {error.code for error in errors} & _NO_PROJECT:
        raise SpecErrors(errors)
    # What else is wrong may be for want of the Project, too: of fields that its defaults give, or that nulls take away.
    return around, load(around, known), False


def refuse_part(settings: Settings, path: Path, tree: Tree) -> None:
    """For what takes all that is not at the path for removed: nothing of its projects may be written elsewhere.

    Raises:
        SettingsError: documents of the same projects are in the default folder around the path.
        SpecErrors: what is wrong in that folder.
    """
    default = settings.specs(None)
    if not _inside(path, default):
        return
    for document in _outside(load(default, settings.known()), tree, path)[:1]:
        raise SettingsError(
            f"{path} is not all of Project {document.project!r}: {document.kind} {document.name!r} at "
            f"{document.source} would be taken for removed",
            remedy=f"name {default}, with --project {document.project}",
        )


def _outside(whole: Tree, part: Tree, path: Path) -> list[Document[Any]]:
    """The documents of the whole that belong to a Project of the part and are not written at its path."""
    projects, inside = {project.name for project in part.of(Project)}, _below(path)
    return [document for document in whole.documents if document.project in projects and not inside(document)]


def _inside(path: Path, folder: Path) -> bool:
    return path != folder and Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder))  # noqa: PTH100


def _below(path: Path) -> Callable[[Document[Any]], bool]:
    """Whether a document is written in a file, or below a folder. Its kind's place need not be known for that."""
    wanted = path.resolve()

    def part(document: Document[Any]) -> bool:
        return document.origin.text.path.resolve().is_relative_to(wanted)

    return part


def project_named(tree: Tree, path: Path, wanted: str | None) -> Document[Project]:
    """The Project of that name, or the only one there is where none is named.

    Raises:
        SettingsError: there is no such project, or there are several and none was named.
    """
    projects = tree.of(Project)
    names = ", ".join(sorted(project.name for project in projects))
    if wanted is not None:
        for project in projects:
            if project.name == wanted:
                return project
        meant = did_you_mean(wanted, [project.name for project in projects], f"it holds: {names}")
        raise NoSuchProjectError(f"there is no Project {wanted!r} in {path}", remedy=meant)
    if len(projects) != 1:
        raise SettingsError(
            f"{path} holds {len(projects)} projects: {names}", remedy="name one of them with --project"
        )
    return projects[0]
