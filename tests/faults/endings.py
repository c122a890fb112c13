"""What is live when a run is over, without what differs from run to run; and what is wrong with it."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.faults.scene import BUCKET, STATE_BUCKET

from tuneform_emulator.services.storage import generations
from tuneform_emulator.services.vertex.resources import ENDPOINT, JOB, MODEL, STATS, last
from tuneform_emulator.world import World

Json = dict[str, Any]
Kind = Literal["second attempt", "orphan", "divergence", "unfinished"]

REVISION = "tuneform-revision"
ATTEMPT = "tuneform-attempt"
JOB_ID = "google-vertex-llm-tuning-job-id"
LEDGER = "ledger/"
FREE = frozenset({"revoked"})
"""States of attempts that cost nothing."""


@dataclass(frozen=True)
class Complaint:
    """Something that is not as it should be."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True)
class Ending:
    """Everything live in a project, as plain data; ids, times and attempt numbers are left out."""

    jobs: tuple[Json, ...]
    """Jobs that read their data: those that cost something."""
    running: tuple[str, ...]
    models: tuple[Json, ...]
    endpoints: tuple[Json, ...]
    objects: Mapping[str, str]
    ledger: Mapping[str, Json]
    attempts: tuple[str, ...] = ()
    """Copies for attempts that are left."""

    def text(self) -> list[str]:
        """As lines that can be compared."""
        shown = {name: value for name, value in vars(self).items() if name not in ("running", "attempts")}
        return json.dumps(shown, indent=1, sort_keys=True, default=str).splitlines()


def ending(world: World) -> Ending:
    """What is live now."""
    store = world.store
    jobs = [document["resource"] for _, document in store.list(JOB, order="created")]
    paid = [job for job in jobs if store.get(STATS, job["name"])]
    revisions = {last(job["name"]): job.get("labels", {}).get(REVISION, "") for job in jobs}
    models = [document["resource"] for _, document in store.list(MODEL)]
    of_model = {model["name"]: revisions.get(model.get("labels", {}).get(JOB_ID, ""), "") for model in models}
    endpoints = [document["resource"] for _, document in store.list(ENDPOINT)]
    objects = dict(store.list(generations.LIVE))
    return Ending(
        jobs=_sorted({"revision": _revision(job), "state": job["state"]} for job in paid),
        running=tuple(job["name"] for job in jobs if "endTime" not in job),
        models=_sorted(_model(model) for model in models),
        endpoints=_sorted(_endpoint(endpoint, of_model) for endpoint in endpoints),
        objects={
            name: document["md5Hash"]
            for name, document in objects.items()
            # The object by which a run asks for the time is the next run's, if one died with it.
            if not name.startswith(f"{STATE_BUCKET}/{LEDGER}") and name != f"{STATE_BUCKET}/clock"
        },
        ledger=_ledger(world, objects),
        attempts=tuple(name for name in objects if name.startswith(f"{BUCKET}/attempts/")),
    )


def _sorted(items: Any) -> tuple[Json, ...]:
    return tuple(sorted(items, key=lambda item: json.dumps(item, sort_keys=True)))


def _revision(resource: Json) -> str:
    return str(resource.get("labels", {}).get(REVISION, ""))


def _labels(resource: Json) -> Json:
    return {name: text for name, text in resource.get("labels", {}).items() if name not in (ATTEMPT, JOB_ID)}


def _model(model: Json) -> Json:
    kept = {name: model.get(name) for name in ("displayName", "description", "versionAliases")}
    return {**kept, "labels": _labels(model)}


def _endpoint(endpoint: Json, of_model: Mapping[str, str]) -> Json:
    name, traffic = last(endpoint["name"]), endpoint.get("trafficSplit", {})
    deployed = _sorted(
        {
            "revision": of_model.get(item["model"].partition("@")[0], "of no model"),
            "checkpoint": item.get("checkpointId", ""),
            "traffic": traffic.get(item["id"], 0),
        }
        for item in endpoint.get("deployedModels", ())
    )
    return {
        "id": "" if name.isdecimal() else name,
        "displayName": endpoint.get("displayName"),
        "labels": _labels(endpoint),
        "deployed": deployed,
    }


def _ledger(world: World, objects: Mapping[str, Json]) -> dict[str, Json]:
    """The records; of their times only the order in which revisions were wanted and promoted."""
    found = {
        name: json.loads(generations.data(world, document))
        for name, document in objects.items()
        if name.startswith(f"{STATE_BUCKET}/{LEDGER}")
    }
    for what in ("wanted", "promoted"):
        times = sorted({record[what] for record in found.values() if record.get(what)})
        for record in found.values():
            record[what] = times.index(record[what]) + 1 if record.get(what) else None
    return {name: _record(record) for name, record in found.items()}


def _record(record: Json) -> Json:
    attempts = [
        {"state": attempt["state"], "superseded": attempt.get("superseded", False)}
        for attempt in record["attempts"]
        if attempt["state"] not in FREE
    ]
    gates = _sorted(record.get("gates", ()))
    return {**record, "attempts": attempts, "gates": gates}


def complaints(found: Ending, wanted: Ending) -> list[Complaint]:
    """What is wrong with an ending, given the undisturbed one."""
    return [*_attempts(found), *_orphans(found, wanted), *_divergence(found, wanted)]


def _attempts(found: Ending) -> Iterator[Complaint]:
    trained = Counter(job["revision"] for job in found.jobs)
    for revision, times in sorted(trained.items()):
        if times > 1:
            yield Complaint("second attempt", f"{times} jobs of {revision} were paid for")
    for job in found.running:
        yield Complaint("second attempt", f"{job} is still under way")


def _orphans(found: Ending, wanted: Ending) -> Iterator[Complaint]:
    for copy in found.attempts:
        yield Complaint("orphan", f"the copy {copy}")
    for name in sorted(found.objects.keys() - wanted.objects.keys()):
        if name not in found.attempts:
            yield Complaint("orphan", f"the object {name}")
    for what, these, those in (
        ("endpoint", found.endpoints, wanted.endpoints),
        ("model", found.models, wanted.models),
    ):
        more = Counter(map(_key, these)) - Counter(map(_key, those))
        if len(these) > len(those):
            for key in more:
                yield Complaint("orphan", f"the {what} {key}")


def _key(item: Json) -> str:
    return json.dumps(item, sort_keys=True)


def _divergence(found: Ending, wanted: Ending) -> Iterator[Complaint]:
    if found.text() != wanted.text():
        lines = difflib.unified_diff(wanted.text(), found.text(), "undisturbed", "here", lineterm="", n=1)
        yield Complaint("divergence", "\n" + "\n".join(lines))


def sound(found: Ending, name: str = "") -> list[Complaint]:
    """What is wrong with an ending in itself: one endpoint, one model, all the traffic, nothing left over.

    `name` is the serving endpoint's id. Without one a pointer says which of the checkpoints' own endpoints serves, and
    all of them are there.
    """
    wrong: list[Complaint] = []
    if found.attempts:
        wrong.append(Complaint("orphan", f"copies are left: {found.attempts}"))
    newest = max(found.ledger.values(), key=lambda record: record["wanted"] or 0)
    if {endpoint["id"] for endpoint in found.endpoints} != {name} or (name and len(found.endpoints) > 1):
        wrong.append(Complaint("orphan", f"endpoints: {found.endpoints}"))
    for endpoint in found.endpoints:
        if [(d["revision"], d["traffic"]) for d in endpoint["deployed"]] != [(newest["revision"], 100)]:
            wrong.append(Complaint("divergence", f"{endpoint['deployed']} serves, not {newest['revision']}"))
    if [_revision(model) for model in found.models] != [newest["revision"]]:
        wrong.append(Complaint("orphan", f"models: {found.models}"))
    if newest["attempts"] != [{"state": "succeeded", "superseded": False}] or not newest["promoted"]:
        wrong.append(Complaint("divergence", f"the record says {newest}"))
    for record in found.ledger.values():
        if record is not newest and [attempt["state"] for attempt in record["attempts"]] != ["retired"]:
            wrong.append(Complaint("divergence", f"{record['revision']} was not retired"))
    return wrong
