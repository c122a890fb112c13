"""What has to hold of an emulated project at every moment, read from the emulator's own store.

None of it asks the core: jobs that were paid for, what has traffic, what every generation of the ledger ever said.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.machine_documents import BUCKET, PROJECT

from tuneform_emulator.services.storage import generations
from tuneform_emulator.services.vertex.resources import ENDPOINT, JOB, MODEL, STATS, last
from tuneform_emulator.world import World

Json = dict[str, Any]

OWNER = "tuneform-owner"
NAME = "tuneform-name"
REVISION = "tuneform-revision"
ATTEMPT = "tuneform-attempt"
ENDED = frozenset(
    {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_PARTIALLY_SUCCEEDED"}
)
CAUSES = re.compile(
    r"first|recipe changed|retry \d+ of \d+ after: |retired earlier, asked for again"
    r"|cancelled when it was superseded, asked for again"
    r"|its model was deleted by someone else, and onModelLost is retrain"
    r"|how attempt \d+ ended was unknown; it was revoked|refused: |not sent: "
    r"|its data was taken away while its fate was unknown; it did not train"
)
"""What may be recorded as the reason for a paid attempt (DESIGN §4, §5)."""


@dataclass(frozen=True)
class Traffic:
    """A deployment with traffic."""

    model: str
    checkpoint: str
    share: int


def jobs(world: World) -> list[Json]:
    """Every job with our owner's label, the oldest first."""
    found = [document["resource"] for _, document in world.store.list(JOB, order="created")]
    return [job for job in found if _labels(job).get(OWNER) == PROJECT.owner]


def paid(world: World) -> list[Json]:
    """Those that have read their data: they cost something."""
    return [job for job in jobs(world) if world.store.get(STATS, job["name"])]


def _labels(resource: Json) -> Mapping[str, str]:
    found: Mapping[str, str] = resource.get("labels", {})
    return found


def records(world: World) -> list[tuple[str, Json]]:
    """Every record that any generation of the ledger holds, with its object's name, the oldest first."""
    prefix = f"{PROJECT.state_bucket}/ledger/"
    found = [
        (int(document["generation"]), key.partition("\n")[0], document)
        for kind in (generations.NONCURRENT, generations.LIVE)
        for key, document in world.store.list(kind, prefix)
    ]
    return [
        (key, json.loads(generations.data(world, document)))
        for _, key, document in sorted(found, key=lambda entry: entry[0])
    ]


def revision_of_models(world: World) -> dict[str, str]:
    """The revision of each model that any of our jobs made, whether it is still there or not."""
    made = (
        (job.get("tunedModel", {}).get("model", ""), _labels(job).get(REVISION, "")) for job in jobs(world)
    )
    return {model.partition("@")[0]: revision for model, revision in made if model}


def traffic(world: World, endpoint: str) -> tuple[Traffic, ...]:
    """What an endpoint, named by its id, sends its calls to."""
    for name, document in world.store.list(ENDPOINT):
        if last(name) == endpoint:
            resource = document["resource"]
            split = resource.get("trafficSplit", {})
            return tuple(
                Traffic(d["model"].partition("@")[0], d.get("checkpointId", ""), split.get(d["id"], 0))
                for d in resource.get("deployedModels", ())
                if split.get(d["id"], 0)
            )
    return ()


def pointers(world: World) -> dict[str, Json]:
    """What each pointer says, by its name."""
    prefix = f"{PROJECT.state_bucket}/pointers/{PROJECT.name}/"
    return {
        key.removeprefix(prefix).removesuffix(".json"): json.loads(generations.data(world, document))
        for key, document in world.store.list(generations.LIVE, prefix)
    }


def passed(world: World) -> set[str]:
    """The revisions of which some generation of the ledger says that they passed their gate."""
    return {
        record["revision"]
        for _, record in records(world)
        if record.get("verdict") and record["verdict"]["passed"]
    }


def wrongs(world: World, forgotten: Collection[tuple[str, str]] = ()) -> list[str]:
    """Everything about attempts that must never be; of `forgotten` revisions (name, revision) records were deleted."""
    return [*_two_at_once(world), *_without_cause(world, forgotten)]


def _two_at_once(world: World) -> Iterator[str]:
    training = Counter(
        (_labels(job)[NAME], _labels(job)[REVISION])
        for job in paid(world)
        if job["state"] not in ENDED and job["state"] != "JOB_STATE_CANCELLING"
    )
    for (name, revision), many in training.items():
        if many > 1:
            yield f"{many} jobs of {name} {revision} train at once"


def _without_cause(world: World, forgotten: Collection[tuple[str, str]]) -> Iterator[str]:
    attempts: dict[tuple[str, str], dict[int, Json]] = defaultdict(dict)
    for _, record in records(world):
        of = attempts[record["name"], record["revision"]]
        for attempt in record["attempts"]:
            before = of.get(attempt["number"], attempt)
            of[attempt["number"]] = {**attempt, "begun for": before.get("begun for", before["cause"])}
    by_revision: dict[tuple[str, str], list[int]] = defaultdict(list)
    for job in paid(world):
        labels = _labels(job)
        by_revision[labels[NAME], labels[REVISION]].append(int(labels[ATTEMPT]))
    for (name, revision), numbers in by_revision.items():
        if (name, revision) in forgotten:
            continue
        known = attempts[name, revision]
        if len(set(numbers)) != len(numbers):
            yield f"attempts {numbers} of {name} {revision} were paid for: one of them twice"
        for number in sorted(set(numbers))[1:]:
            cause = known[number]["begun for"] if number in known else "no record"
            if not CAUSES.match(cause):
                yield f"attempt {number} of {name} {revision} was paid for with the cause {cause!r}"
        for number in sorted(set(numbers))[:-1]:
            if number in known and known[number]["state"] == "revoked":
                yield f"attempt {number} of {name} {revision} counts as revoked, and trained beside a later one"


def foreign(world: World) -> dict[str, Json]:
    """Everything in the store that carries the word `foreign` in its document or name, as it is stored."""
    found: dict[str, Json] = {}
    for kind in (JOB, MODEL, ENDPOINT, generations.LIVE, generations.NONCURRENT, STATS):
        for name, document in world.store.list(kind):
            if "foreign" in name or "foreign" in json.dumps(document):
                found[f"{kind} {name}"] = document
    return found


def copies(world: World) -> list[str]:
    """The attempts' copies that are left."""
    prefix = f"{BUCKET}/attempts/{PROJECT.name}/"
    return [
        name
        for kind in (generations.LIVE, generations.NONCURRENT)
        for name, _ in world.store.list(kind, prefix)
    ]


def models(world: World) -> Counter[str]:
    """How many models there are of each revision."""
    revisions = revision_of_models(world)
    return Counter(revisions[name] for name, _ in world.store.list(MODEL) if name in revisions)


def resource(world: World, kind: str, identifier: str) -> Json | None:
    """A Vertex resource by its id."""
    found = (document["resource"] for name, document in world.store.list(kind) if last(name) == identifier)
    return next(found, None)
