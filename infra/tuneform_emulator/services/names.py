"""Projects have two names, an id and a number, and every API accepts both.

The real number is assigned by Google; here it is twelve digits derived from the id, so that it is the same on
every machine and after every reset.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from tuneform_emulator.store import Exists, Store
from tuneform_emulator.wire import ApiError

KIND = "project-number"
PROJECT_ID = re.compile(r"[a-z][-a-z0-9]{4,28}[a-z0-9]|[a-z][-a-z0-9]{0,5}")
FIRST = 10**11
SPAN = 9 * FIRST


def derive_number(project_id: str) -> str:
    """The number a project id gets."""
    digest = hashlib.sha256(project_id.encode()).digest()
    return str(FIRST + int.from_bytes(digest[:8], "big") % SPAN)


class Names:
    """The projects seen so far; one springs into being the first time it is named by its id."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def number(self, project: str) -> str:
        """The number of a project given by id or by number; raises `ApiError` 403 for an unknown or deleted one."""
        if project.isdigit():
            self.project_id(project)
            return project
        if not PROJECT_ID.fullmatch(project):
            raise ApiError.invalid(f"Invalid project id '{project}'.")
        number = derive_number(project)
        known = self._store.get(KIND, number)
        if known is not None:
            _refuse_deleted(known)
            return number
        try:
            self._store.create(KIND, number, {"projectId": project})
        except Exists:
            return number
        return number

    def project_id(self, project: str) -> str:
        """The id of a project given by id or by number; raises `ApiError` 403 for an unknown number."""
        if not project.isdigit():
            self.number(project)
            return project
        known = self._store.get(KIND, project)
        if known is None:
            # The real services do not tell a missing project from a forbidden one.
            raise ApiError.permission_denied(
                f"Permission denied on resource project {project} (or it may not exist)."
            )
        _refuse_deleted(known)
        found: str = known["projectId"]
        return found


def _refuse_deleted(known: Mapping[str, Any]) -> None:
    """Raises `ApiError` 403 for a project whose end was asked for: no service works in it any more."""
    if known.get("state", "ACTIVE") != "ACTIVE":
        raise ApiError.permission_denied(f"Project '{known['projectId']}' has been deleted.")
