"""Names of Vertex resources, and the documents that hold them.

A stored document is `{"number": n, "resource": {...}, ...}`: the resource as v1beta1 shows it, the number it was
created under (lists show the newest first), and what the emulator keeps for itself beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tuneform_emulator import wire
from tuneform_emulator.clock import parse_stamp
from tuneform_emulator.world import World

Json = dict[str, Any]

JOB = "tuning-job"
STATS = "tuning-stats"
"""A job's `tuningDataStats`, beside it under its name: most of its bytes, which a list of thousands need not read."""
MODEL = "model"
ENDPOINT = "endpoint"
CONTEXT = "context"
TENSORBOARD = "tensorboard"
EXPERIMENT = "tensorboard-experiment"
TENSORBOARD_RUN = "tensorboard-run"
TIME_SERIES = "tensorboard-time-series"

PREFIX = "/{version}/projects/{project}/locations/{location}"

_FIRST_ID = 10**18
_BATCH = 128


@dataclass(frozen=True)
class Place:
    """A project (by number) and a location."""

    project: str
    location: str

    @property
    def name(self) -> str:
        """`projects/NUMBER/locations/LOCATION`."""
        return f"projects/{self.project}/locations/{self.location}"


def place(world: World, request: wire.Request) -> Place:
    """Where a request is addressed to; the project may be given by id or by number."""
    return Place(world.names.number(request.params["project"]), request.params["location"])


def normal(world: World, name: str) -> str:
    """A resource name with the project's number in place of its id; names of other shapes stay as they are."""
    parts = name.split("/")
    if len(parts) > 1 and parts[0] == "projects":
        parts[1] = world.names.number(parts[1])
    return "/".join(parts)


def new_id(world: World) -> tuple[int, str]:
    """A fresh number for a resource, and the 19-digit id that goes with it."""
    number = world.store.next_id("vertex")
    return number, str(_FIRST_ID + number)


def get(world: World, kind: str, name: str) -> Json:
    """The stored document.

    Raises:
        ApiError: 404 when there is none.
    """
    document = world.store.get(kind, name)
    if document is None:
        raise missing(kind, name)
    return document


def seen(world: World, kind: str, resource: Json) -> Json:
    """The resource, once `get_lag_seconds` have passed since it was created.

    Raises:
        ApiError: 404 before that.
    """
    lag = timedelta(seconds=world.settings.get_lag_seconds)
    if lag and parse_stamp(resource["createTime"]) > world.clock.now() - lag:
        raise missing(kind, resource["name"])
    return resource


def missing(kind: str, name: str) -> wire.ApiError:
    """The refusal for a resource that is not there."""
    return wire.ApiError.not_found(f"{kind.title().replace('-', '')} does not exist: {name}")


def children(world: World, kind: str, parent: str, collection: str) -> list[Json]:
    """The documents of a kind right under a parent, the newest first."""
    found = [document for _, document in world.store.list(kind, f"{parent}/{collection}/")]
    return sorted(found, key=lambda document: int(document["number"]), reverse=True)


def newest(
    world: World, kind: str, parent: str, collection: str, before: int | None
) -> Iterator[tuple[int, Json]]:
    """(number, document) of a kind right under a parent, the newest first, read as far as they are taken.

    `before` leaves out what has that number or a higher one; the numbers are the store's.
    """
    while rows := world.store.newest(kind, f"{parent}/{collection}/", before=before, limit=_BATCH):
        yield from rows
        before = rows[-1][0]


def last(name: str) -> str:
    """The last segment of a resource name."""
    return name.rpartition("/")[2]


def base_model(job: Mapping[str, Any]) -> str:
    """The name of the base model under a job, however many tunings lie between."""
    return str(job.get("baseModel") or job["preTunedModel"]["baseModel"])


def shown(resource: Mapping[str, Any]) -> Json:
    """A resource without its empty fields, which ProtoJSON leaves out."""
    return {key: value for key, value in resource.items() if value not in ("", None, [], {}, False)}
