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
    # Counted by rank: tuples of text would be compared over and over.
    keys = sorted(needs)
    rank = {key: number for number, key in enumerate(keys)}
    missing = [{rank[need] for need in needs[key] if need in rank} for key in keys]
    wanted_by: list[list[int]] = [[] for _ in keys]
    for number, wanted in enumerate(missing):
        for need in wanted:
            wanted_by[need].append(number)
    left = [len(wanted) for wanted in missing]
    # Ascending, and so a heap already.
    ready = [number for number, count in enumerate(left) if not count]
    result: list[Key] = []
    while ready:
        done = heapq.heappop(ready)
        result.append(keys[done])
        for follower in wanted_by[done]:
            left[follower] -= 1
            if not left[follower]:
                heapq.heappush(ready, follower)
    if len(result) < len(keys):
        done_keys = set(result)
        waiting = {key: {need for need in needs[key] if need in rank} - done_keys for key in keys}
        raise CycleError(_chain({key: wanted for key, wanted in waiting.items() if wanted}))
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
