"""Dependency order, the same every time."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

Key = tuple[str, ...]


class CycleError(Exception):
    """Some keys depend on each other; `chain` begins and ends with the same key."""

    def __init__(self, chain: tuple[Key, ...]) -> None:
        super().__init__(" → ".join("/".join(key) for key in chain))
        self.chain = chain


def ordered(needs: Mapping[Key, Collection[Key]]) -> list[Key]:
    """The keys, each after those it needs; among those that could come next, the smallest first (Kahn).

    Needs that are not keys themselves are ignored. Raises CycleError.
    """
    waiting = {key: {need for need in wanted if need in needs} for key, wanted in needs.items()}
    wanted_by: dict[Key, list[Key]] = {key: [] for key in needs}
    for key, missing in waiting.items():
        for need in missing:
            wanted_by[need].append(key)
    ready = [key for key, missing in waiting.items() if not missing]
    heapq.heapify(ready)
    result: list[Key] = []
    while ready:
        key = heapq.heappop(ready)
        result.append(key)
        for follower in wanted_by[key]:
            waiting[follower].discard(key)
            if not waiting[follower]:
                heapq.heappush(ready, follower)
    if len(result) < len(needs):
        raise CycleError(_chain({key: missing for key, missing in waiting.items() if missing}))
    return result


def _chain(waiting: Mapping[Key, Collection[Key]]) -> tuple[Key, ...]:
    """One cycle among keys that all wait for each other, begun at its smallest key."""
    path: list[Key] = []
    key = min(waiting)
    while key not in path:
        path.append(key)
        key = min(need for need in waiting[key] if need in waiting)
    cycle = path[path.index(key) :]
    first = cycle.index(min(cycle))
    return (*cycle[first:], *cycle[:first], cycle[first])
