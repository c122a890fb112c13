"""Cloud Storage JSON API: objects.list, with prefixes standing in for folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tuneform_emulator.wire import ApiError, Request
from tuneform_emulator.world import World

from .. import paging
from . import generations

PAGE = 1000
REFUSED = ("matchGlob", "softDeleted", "filter")


def listed(world: World, request: Request) -> Mapping[str, Any]:
    """One page of objects and prefixes, in the order of their names, generations in theirs."""
    for name in REFUSED:
        if request.one(name):
            raise ApiError.unimplemented(
                f"tuneform-emulator does not implement the parameter '{name}' of objects.list"
            )
    owner = generations.bucket(world, request.params["bucket"])["name"]
    rows = page_rows(fold(found(world, request, owner), request))
    after = paging.decode(request.one("pageToken"))
    limit = min(request.whole("maxResults") or PAGE, PAGE)
    left = [row for row in rows if not after or row[0] > after]
    shown = left[:limit]
    answer: dict[str, Any] = {"kind": "storage#objects"}
    if items := [generations.shown(request, doc) for _, doc in shown if isinstance(doc, dict)]:
        answer["items"] = items
    if prefixes := [doc for _, doc in shown if isinstance(doc, str)]:
        answer["prefixes"] = prefixes
    if len(left) > limit:
        answer["nextPageToken"] = paging.encode(shown[-1][0])
    return answer


def found(world: World, request: Request, owner: str) -> Iterable[dict[str, Any]]:
    """The objects with the prefix and between the offsets, noncurrent ones too when versions are asked for."""
    prefix = f"{owner}/{request.one('prefix')}"
    docs = [doc for _, doc in world.store.list(generations.LIVE, prefix)]
    if request.flag("versions"):
        docs += [doc for _, doc in world.store.list(generations.NONCURRENT, prefix)]
        docs.sort(key=lambda doc: (doc["name"], int(doc["generation"])))
    first, end = request.one("startOffset"), request.one("endOffset")
    return [doc for doc in docs if doc["name"] >= first and (not end or doc["name"] < end)]


def fold(docs: Iterable[dict[str, Any]], request: Request) -> Iterable[dict[str, Any] | str]:
    """The objects, those beyond the delimiter replaced by the prefix they share."""
    delimiter = request.one("delimiter")
    start = len(request.one("prefix"))
    last = None
    for doc in docs:
        cut = doc["name"].find(delimiter, start) if delimiter else -1
        if cut < 0:
            yield doc
            continue
        folder = doc["name"][: cut + len(delimiter)]
        if folder == doc["name"] and request.flag("includeTrailingDelimiter"):
            yield doc
        if folder != last:
            last = folder
            yield folder


def page_rows(entries: Iterable[dict[str, Any] | str]) -> list[tuple[str, dict[str, Any] | str]]:
    """Entries with the key that page tokens name."""
    return [
        (entry if isinstance(entry, str) else f"{entry['name']}\n{int(entry['generation']):020d}", entry)
        for entry in entries
    ]
