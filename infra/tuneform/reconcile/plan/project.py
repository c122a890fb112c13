"""The plan of a whole project: every document's part, what was removed, what blocks, and the stamp of what was seen."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from tuneform.reconcile.actions import (
    Action,
    Blocked,
    Cancel,
    Create,
    DeleteObject,
    Later,
    RemoveEndpoint,
    RemovePointer,
    Retire,
    Settle,
    Upload,
    Wait,
    explain,
    last,
)
from tuneform.reconcile.desired import Content, Desired, Project, Serving, Tuning
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import NAME_LABEL, OWNER_LABEL, REVISION_LABEL, Job
from tuneform.reconcile.observe import ObservedTuning, World, names_of
from tuneform.reconcile.plan.serving import ServingPlan, plan_serving
from tuneform.reconcile.plan.tuning import SETTLED, TuningPlan, attempt_of, plan_tuning, unresolved


@dataclass(frozen=True)
class Item:
    """One document, or what is left of a removed one, and what would be done for it.

    `kind` is the document's, `Infrastructure` for what `up` is for; `about` is the plan that the actions come from,
    None where there is none; `facts` is what was seen that decides.
    """

    kind: str
    name: str
    actions: tuple[Action, ...]
    about: TuningPlan | ServingPlan | None = None
    facts: Mapping[str, Any] | None = None
    removed: bool = False

    @property
    def key(self) -> str:
        """The item among those of a plan."""
        return f"{self.kind} {self.name}"

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """What of it cannot be done."""
        return tuple(action for action in self.actions if isinstance(action, Blocked))


@dataclass(frozen=True)
class Plan:
    """What `apply` would do now, in order; items without actions are in agreement with what is live."""

    project: Project
    items: tuple[Item, ...]

    @cached_property
    def changes(self) -> tuple[Item, ...]:
        """The items with something to do, or to say."""
        return tuple(item for item in self.items if item.actions)

    @cached_property
    def stamp(self) -> str:
        """SHA-256 of what the plan says and of what it rests on: the same again only for the same specs and world."""
        seen = [[item.kind, item.name, [*map(as_json, item.actions)], item.facts] for item in self.changes]
        asked = [
            item.about.revision if isinstance(item.about, TuningPlan) else item.name for item in self.items
        ]
        text = json.dumps([asdict(self.project), seen, asked], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def as_json(action: Action) -> dict[str, Any]:
    """An action as plain data, with its type."""
    inner = (
        {"action": as_json(action.action), "condition": action.condition}
        if isinstance(action, Later)
        else None
    )
    return {"type": type(action).__name__, **(inner or asdict(action))}


def plan_project(desired: Desired, world: World) -> Plan:
    """Every document's plan, in an order that does not depend on anything but their names."""
    tunings = _tunings(desired.tunings, world)
    blocked = {item.name for item in tunings if item.blocked}
    items = [
        *(
            Item("Infrastructure", lack.what, (Blocked(str(lack), "run `tuneform up`"),))
            for lack in world.lacks
        ),
        *_contents(desired.contents, world),
        *tunings,
        *(_serving(serving, world, blocked) for serving in desired.servings),
    ]
    return Plan(desired.project, (*items, *_removed(desired, world, items)))


def replan(plan: Plan, desired: Desired, world: World) -> Plan:
    """The same plan, with what had something to do planned again for a closer look."""
    servings = {serving.name: serving for serving in desired.servings}
    moving = {
        item.name for item in plan.items if item.kind == "TuningJob" and item.actions and not item.removed
    }
    planned = _tunings([tuning for tuning in desired.tunings if tuning.name in moving], world)
    tunings = {item.name: item for item in planned}
    blocked = {item.name for item in planned if item.blocked}

    def again(item: Item) -> Item:
        if item.actions and item.kind == "TuningJob":
            item = tunings[item.name]
        elif item.actions and item.kind == "TunedModel":
            item = _serving(servings[item.name], world, blocked)
        return item

    items = [again(item) for item in plan.items if not item.removed]
    return Plan(plan.project, (*items, *_removed(desired, world, items)))


def _contents(contents: Iterable[Content], world: World) -> Iterator[Item]:
    for content in sorted(set(contents), key=lambda content: content.uri):
        stored = world.stored.get(content.uri)
        actions: tuple[Action, ...] = ()
        if stored is None:
            actions = (Upload(content, "it is not in the bucket"),)
        elif not stored.intact or stored.digest != content.digest:
            actions = (Upload(content, "someone replaced the object"),)
        yield Item("Dataset", content.uri.split("/datasets/")[-1], actions)


def _tunings(tunings: Sequence[Tuning], world: World) -> list[Item]:
    """Each tuning's plan, in their order; one that is to go on from a blocked one is blocked too."""
    found: dict[str, Item] = {}
    waiting = deque(tunings)
    names = {tuning.name for tuning in tunings}
    while waiting:
        tuning = waiting.popleft()
        parent = tuning.parent.names[0] if tuning.parent and tuning.parent.names else ""
        if parent in names and parent not in found:
            waiting.append(tuning)  # specs have no circles
            continue
        item = _tuning(tuning, world)
        found[tuning.name] = _behind(item, parent) if parent in found and found[parent].blocked else item
    return [found[tuning.name] for tuning in tunings]


def _tuning(tuning: Tuning, world: World) -> Item:
    observed = world.of(tuning)
    plan = plan_tuning(tuning, observed)
    return Item("TuningJob", tuning.name, plan.actions, plan, _facts(observed) if plan.actions else None)


def _behind(item: Item, parent: str) -> Item:
    """The item with what it would begin after its parent replaced by the reason why that will not come."""
    rest = [a for a in item.actions if not (isinstance(a, Later) and isinstance(a.action, Create))]
    if len(rest) == len(item.actions):
        return item
    why = Blocked(f"it goes on from TuningJob {parent!r}, which is blocked", f"see what is said of {parent}")
    return replace(item, actions=(why, *rest))


def _serving(serving: Serving, world: World, blocked: Collection[str]) -> Item:
    observed = world.serving(serving)
    plan = plan_serving(serving, observed, expected=serving.tuning not in blocked)
    facts: dict[str, Any] | None = None
    if plan.actions:
        endpoint = observed.endpoint
        deployed = [asdict(d) for d in endpoint.deployed] if endpoint else None
        facts = {**_facts(observed.tuning), "deployed": deployed, "wanted": serving.revision}
    return Item("TunedModel", serving.name, plan.actions, plan, facts)


def _facts(observed: ObservedTuning) -> dict[str, Any]:
    """What decides. The states of a job on its way count as one, or a plan would be stale within seconds."""
    jobs = {job.name: "LIVE" if job.live else job.state.value for job in observed.jobs}
    last = {
        revision: f"{record.last.number} {record.last.state.value}" if record.last else ""
        for revision, record in observed.records.items()
    }
    models = sorted(model.name for model in observed.models.values())
    return {"jobs": jobs, "attempts": last, "models": models, "current": observed.current}


def _removed(desired: Desired, world: World, asked: Iterable[Item]) -> Iterator[Item]:
    """What is live and asked for by no document. A narrow look covers only what is said to be gone."""
    gone = set(desired.gone)
    retired = {job for item in asked for job in _retired(item)}
    if desired.whole:
        yield from _removed_servings(desired, world)
        claimed = {name for tuning in desired.tunings for name in names_of(tuning)}
        gone |= {*world.jobs, *world.records} - claimed
    for name in sorted(gone):
        observed = world.tuning(name)
        actions = tuple(_remove(observed))
        if actions:
            item = Item("TuningJob", name, actions, None, _facts(observed), removed=True)
            retired |= set(_retired(item))
            yield item
    yield from _copies(world)
    if desired.whole:
        yield from _contents_left(desired, world, retired)


def _retired(item: Item) -> Iterator[str]:
    """The jobs whose models an item retires, now or later."""
    for action in item.actions:
        done = action.action if isinstance(action, Later) else action
        if isinstance(done, Retire):
            yield done.job


def _removed_servings(desired: Desired, world: World) -> Iterator[Item]:
    # An endpoint that gave way to a pointer goes once there is something to point to.
    calling = [s for s in desired.servings if not s.pointer or s.name not in world.pointers]
    wanted = {name for serving in calling for name in (serving.endpoint, serving.candidate)}
    kept = {
        versioned.record.last.model
        for records in world.records.values()
        for versioned in records
        if versioned.record.retain and versioned.record.last
    }
    for name, endpoint in sorted(world.endpoints.items()):
        labels = endpoint.labels
        ours = labels.get(OWNER_LABEL) == desired.project.owner and NAME_LABEL in labels
        made_by_vertex = REVISION_LABEL in labels or last(name).isdecimal()  # our names begin with a letter
        if not ours or made_by_vertex or name in wanted:
            continue
        if any(f"{d.model}@{d.version}" in kept for d in endpoint.deployed):
            continue
        action = RemoveEndpoint(name, "no document asks for it any more")
        yield Item("TunedModel", labels[NAME_LABEL], (action,), removed=True)
    pointing = {serving.name for serving in desired.servings if serving.pointer}
    for name in sorted(
        n for n, pointer in world.pointers.items() if n not in pointing and pointer.model not in kept
    ):
        yield Item(
            "TunedModel", name, (RemovePointer(name, "no document asks for it any more"),), removed=True
        )


def _remove(observed: ObservedTuning) -> Iterator[Action]:
    """What becomes of a tuning whose document was removed; the records of its jobs stay in Vertex."""
    for job in observed.jobs:
        record = observed.records.get(job.revision)
        if record is not None and record.retain:
            continue
        attempt = attempt_of(record, job)
        if job.live:
            yield Cancel(job.name, job.revision, "its document was removed")
        if not job.state.ended:
            yield Wait(job.revision, job.name)
            retire = Retire(job.revision, job.name, "its document was removed")
            yield Later(retire, "should it succeed before it is cancelled")
        elif attempt is not None and attempt.state not in SETTLED:
            yield Settle(job.revision, job.name)
        if job.succeeded and job.name in observed.models:
            yield Retire(job.revision, job.name, "its document was removed")
    yield from unresolved(observed)


def _copies(world: World) -> Iterator[Item]:
    """Attempts' own copies of training data that no attempt needs any more."""
    used = _copies_in_use(world) | {job.training_uri for job in _unended(world)}
    for uri in world.fences:
        if uri not in used:
            action = DeleteObject(uri, "the attempt that it was for is over")
            yield Item("Dataset", uri, (action,), removed=True)


def _contents_left(desired: Desired, world: World, retired: Collection[str]) -> Iterator[Item]:
    """Dataset objects of ours that no document asks for: they go, or will with what was trained on them."""
    records = [versioned.record for found in world.records.values() for versioned in found]
    in_use = _copies_in_use(world)
    # What outlives its document on purpose is never trained again.
    kept = [record for record in records if record.kept and not record.retain]
    begun = [record for record in records if record.last is not None and record.last.fence in in_use]
    needed = {record.training for record in (*kept, *begun)}
    needed |= {uri for job in _unended(world) for uri in (job.training_uri, job.validation_uri)}
    lasting = {record.training for record in kept if record.last and record.last.job not in retired}
    asked = {content.uri for content in desired.contents}
    for uri, stored in sorted(world.stored.items()):
        if (
            stored.note != desired.project.note or uri in asked | lasting
        ):  # the bucket may hold others' datasets too
            continue
        delete = DeleteObject(uri, "no document, job or kept revision needs it")
        action = Later(delete, "once no job and no kept revision needs it") if uri in needed else delete
        yield Item("Dataset", uri.split("/datasets/")[-1], (action,), removed=True)


def _copies_in_use(world: World) -> set[str]:
    lasts = [v.record.last for found in world.records.values() for v in found if v.record.last is not None]
    return {last.fence for last in lasts if last.state.unresolved or last.state is AttemptState.KNOWN}


def _unended(world: World) -> list[Job]:
    return [job for found in world.jobs.values() for job in found if not job.state.ended]


def differences(saved: Mapping[str, Any], now: Plan) -> tuple[str, ...]:
    """What changed since a plan was saved, item by item; `saved` maps each item's key to its actions in words."""
    current = {item.key: [explain(action) for action in item.actions] for item in now.changes}
    found: list[str] = []
    for key in sorted({*saved, *current}):
        before, after = saved.get(key, []), current.get(key, [])
        if before != after:
            then, today = "; ".join(before) or "nothing to do", "; ".join(after) or "nothing to do"
            found.append(f"{key}: planned was: {then}; now it would be: {today}")
    return tuple(found)
