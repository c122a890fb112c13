"""The pace of calls to many projects: to each of them, and to all of them together."""

from __future__ import annotations

from collections import OrderedDict

from tuneform.platforms.vertex.calls.pace import Pace

OVERALL = 3_000
"""Calls a minute to all projects of the real service together, where nothing else is said."""
REMEMBERED = 1_000
"""Projects whose last calls are kept in mind; of one that was forgotten a call goes out at once."""


class Paces:
    """Lets calls go at both paces, in calls a minute; None lets any number go. Belongs to one event loop."""

    def __init__(self, overall: int | None, project: int | None) -> None:
        self._overall = Pace(overall)
        self._each = project
        self._projects: OrderedDict[str, Pace] = OrderedDict()

    async def keep(self, project: str) -> None:
        """Return when the next call to this project (its id or number; empty: to none) may go."""
        if project:
            await self._of(project).keep()
        await self._overall.keep()

    def _of(self, project: str) -> Pace:
        pace = self._projects.pop(project, None) or Pace(self._each)
        self._projects[project] = pace
        if len(self._projects) > REMEMBERED:
            self._projects.popitem(last=False)
        return pace
