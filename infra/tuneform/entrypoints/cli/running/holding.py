"""Which Project a stack holds. It is one for ever: whatever a run of the engine does not declare is deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneform.entrypoints.cli.reconciling.scope import project_named
from tuneform.errors import SettingsError
from tuneform.specs import Document, Project, Tree

OURS = "tuneform:index:"
"""What the types of our own resources begin with; their ids are `<project>/<name>`."""


@dataclass(frozen=True)
class Held:
    """What a stack's state says: names of Project documents, and ids of Google Cloud projects."""

    projects: frozenset[str] = frozenset()
    project_ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, deployment: Mapping[str, Any] | None) -> Held:
        """What the resources of an exported state belong to."""
        resources = (deployment or {}).get("resources") or []
        ours = {str(one.get("id", "")).partition("/")[0] for one in resources if one["type"].startswith(OURS)}
        theirs = {
            (one.get("inputs") or {}).get("project") for one in resources if one["type"].startswith("gcp:")
        }
        return cls(frozenset(ours - {""}), frozenset(name for name in theirs if isinstance(name, str)))

    @classmethod
    def in_file(cls, state: Path) -> Held:
        """The same of a local stack's file; nothing where there is none, or it was cut off."""
        try:
            return cls.of(json.loads(state.read_bytes())["checkpoint"]["latest"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def is_of(self, project: Document[Project]) -> bool:
        """Whether there is something, and all of it is that Project's."""
        if self.projects:
            return self.projects == {project.name}
        return self.project_ids == {project.spec.project_id}

    @property
    def is_nothing(self) -> bool:
        """Whether nothing in the state belongs to any project."""
        return not self.projects and not self.project_ids


def chosen(
    tree: Tree, folder: Path, *, stack: str, named: str | None, configured: str, held: Held
) -> Document[Project]:
    """The Project to work on: the one named, else the one that the stack says, else the only one there is.

    A stack says it by its configuration (`tuneform:project`), else by what it holds.

    Raises:
        SettingsError: there is no such Project, there are several and nothing says which, or the stack is another's.
    """
    if named and configured and named != configured:
        raise SettingsError(
            f"the stack {stack} is configured for Project {configured!r} (tuneform:project), and {named!r} was named",
            remedy=f"name the stack of {named!r} with --stack, or leave --project out",
        )
    theirs = [project.name for project in tree.of(Project) if held.is_of(project)]
    if not named and not configured and len(theirs) == 1:
        named = theirs[0]
    project = project_named(tree, folder, named or configured or None)
    if held.is_nothing or held.is_of(project):
        return project
    others = [f"Project {name!r}" for name in sorted(held.projects - {project.name})]
    others = others or [f"Google Cloud project {name!r}" for name in sorted(held.project_ids)]
    raise SettingsError(
        f"the stack {stack} holds {' and '.join(others)}, and {project.name!r} was to be worked on: all of it would be "
        "deleted",
        remedy=f"name the stack of {project.name!r} with --stack; a stack is one Project for ever",
    )
