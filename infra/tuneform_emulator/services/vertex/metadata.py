"""Metadata contexts: how a tuning job's `experiment` leads to its TensorBoard run.

A job has one `system.Experiment` context, which names the TensorBoard, and one `system.ExperimentRun` context under
it, named `<experiment>-<run>` (the recipe of Google's notebook on tuning metrics, see tuning-api.md section 5).
"""

from __future__ import annotations

from collections.abc import Mapping

from tuneform_emulator import wire
from tuneform_emulator.services.vertex import listing, resources
from tuneform_emulator.services.vertex.resources import CONTEXT, PREFIX, Json, Place
from tuneform_emulator.world import World

STORE = "metadataStores/default"
SCHEMA_VERSION = "0.0.1"

_GETTERS: Mapping[str, listing.Getter] = {
    "name": lambda context: context["name"],
    "display_name": lambda context: context.get("displayName", ""),
    "schema_title": lambda context: context["schemaTitle"],
    "parent_contexts": lambda context: context.get("parentContexts", []),
}


def create_experiment(world: World, place: Place, experiment: str, run: str, tensorboard: str) -> str:
    """Writes both contexts of a tuning job and returns the experiment context's name."""
    name = f"{place.name}/{STORE}/contexts/{experiment}"
    _create(
        world,
        name,
        {
            "displayName": experiment,
            "schemaTitle": "system.Experiment",
            "metadata": {"backing_tensorboard_resource": tensorboard, "experiment_deleted": False},
        },
    )
    _create(
        world,
        f"{name}-{run}",
        {"displayName": run, "schemaTitle": "system.ExperimentRun", "parentContexts": [name], "metadata": {}},
    )
    return name


def _create(world: World, name: str, fields: Json) -> None:
    number, _ = resources.new_id(world)
    now = world.stamp()
    common = {"name": name, "createTime": now, "updateTime": now, "schemaVersion": SCHEMA_VERSION}
    world.store.create(CONTEXT, name, {"number": number, "resource": {**common, **fields}})


def routes(world: World) -> tuple[wire.Route, ...]:
    """The metadata store and its contexts, to be read."""

    def store_name(request: wire.Request) -> str:
        parent = resources.place(world, request).name
        return f"{parent}/metadataStores/{request.params['store']}"

    def get_store(request: wire.Request) -> Json:
        name = store_name(request)
        if not name.endswith(f"/{STORE}"):
            raise resources.missing("metadata-store", name)
        return {"name": name, "description": "The default store, where tuning jobs keep their experiments."}

    def get_context(request: wire.Request) -> Json:
        name = f"{store_name(request)}/contexts/{request.params['context']}"
        found: Json = resources.get(world, CONTEXT, name)["resource"]
        return found

    def list_contexts(request: wire.Request) -> Json:
        terms = tuple(_normal(world, term) for term in listing.parse(listing.filter_text(request)))
        newest = resources.newest(world, CONTEXT, store_name(request), "contexts", listing.after(request))
        found = (
            (number, document["resource"])
            for number, document in newest
            if listing.matches(terms, document["resource"], _GETTERS)
        )
        return listing.page(request, "contexts", found)

    store = f"{PREFIX}/metadataStores/{{store}}"
    return (
        wire.Route("GET", store, get_store),
        wire.Route("GET", f"{store}/contexts", list_contexts),
        wire.Route("GET", f"{store}/contexts/{{context}}", get_context),
    )


def _normal(world: World, term: listing.Term) -> listing.Term:
    return listing.Term(term.field, term.operator, resources.normal(world, term.value))
