"""How many calls a minute go to one project, so that its quotas of calls are kept and not run into."""

from __future__ import annotations

from aiolimiter import AsyncLimiter

PER_MINUTE = 600
"""Calls a minute to one project of the real service, where nothing else is said.

Vertex AI's quotas of requests were not documented at hand, and they differ by project and method: this is a guess on
the safe side, and a setting.
"""
LEAST = 2
MINUTE = 60.0
BURST_SHARE = 10
"""One call in so many may go at once, ahead of the steady pace."""


class Pace:
    """Lets calls go at a pace: in any minute at most `per_minute`, failed tries included. It belongs to one event loop.

    A bucket that leaks lets through what it holds, and then what leaks: the two together are the calls of a minute.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._limiter: AsyncLimiter | None = None
        if per_minute is not None:
            burst = max(1, per_minute // BURST_SHARE)
            self._limiter = AsyncLimiter(burst, burst * MINUTE / (per_minute - burst))

    async def keep(self) -> None:
        """Return when the next call may go."""
        if self._limiter is not None:
            await self._limiter.acquire()
