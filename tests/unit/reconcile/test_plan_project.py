"""The plan of a whole project: order, removal, datasets, infrastructure, and its stamp."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.reconcile.builders import (
    JOB,
    MODEL,
    NOON,
    PROJECT,
    REVISION,
    TUNING,
    job,
    model,
    record,
    serving,
)

from tuneform.reconcile.actions import (
    Blocked,
    Cancel,
    DeleteObject,
    Later,
    RemoveEndpoint,
    Retire,
    Upload,
    Wait,
    explain,
)
from tuneform.reconcile.desired import Desired
from tuneform.reconcile.ledger import AttemptState, Pointer, Record, Versioned
from tuneform.reconcile.live import Deployed, Endpoint, Job, JobState, Lack, Stored, bare
from tuneform.reconcile.observe import World
from tuneform.reconcile.plan import Plan, plan_project
from tuneform.reconcile.plan.project import differences

SERVED = replace(record(AttemptState.SUCCEEDED), promoted=NOON, served="4", cleared=True)
ENDPOINT = Endpoint(
    f"{PROJECT.parent}/endpoints/intents",
    "intents",
    "",
    {"tuneform-owner": "team", "tuneform-name": "intents"},
    (Deployed("5", bare(MODEL), "1", "4", 100),),
)
CONTENT = TUNING.training
STORED = Stored(CONTENT.uri, 10, CONTENT.digest)
ALL = Desired(PROJECT, (TUNING,), (serving(),), (CONTENT,))
NOTHING = Desired(PROJECT)


def world(*, known: Record = SERVED, live: Job | None = None, **fields: object) -> World:
    found = World(
        jobs={"intents": (live or job(),)},
        models={bare(MODEL): model()},
        endpoints={ENDPOINT.name: ENDPOINT},
        records={"intents": (Versioned(known, 1),)},
        stored={CONTENT.uri: STORED},
        when=NOON,
    )
    return replace(found, **fields)  # type: ignore[arg-type]


def actions(plan: Plan) -> list[object]:
    return [action for item in plan.changes for action in item.actions]


def test_specs_and_world_in_agreement_are_an_empty_plan() -> None:
    plan = plan_project(ALL, world())

    assert plan.changes == ()
    assert len(plan.items) == 3


def test_a_dataset_object_that_is_missing_or_replaced_is_uploaded() -> None:
    for stored in (
        {},
        {CONTENT.uri: replace(STORED, intact=False)},
        {CONTENT.uri: replace(STORED, digest="x")},
    ):
        (upload,) = actions(plan_project(ALL, world(stored=stored)))
        assert isinstance(upload, Upload)


def test_content_of_ours_that_nothing_needs_is_deleted_and_anything_else_is_left_alone() -> None:
    folder = CONTENT.uri.rpartition("/")[0]
    stored = {
        CONTENT.uri: STORED,
        f"{folder}/old.jsonl": Stored(f"{folder}/old.jsonl", 1, "sha256:old", note=PROJECT.note),
        f"{folder}/theirs.jsonl": Stored(f"{folder}/theirs.jsonl", 1, "sha256:theirs", note="somebody/else"),
        f"{folder}/readme.txt": Stored(f"{folder}/readme.txt", 1),
    }

    (delete,) = actions(plan_project(ALL, world(stored=stored)))

    assert isinstance(delete, DeleteObject)
    assert delete.uri == f"{folder}/old.jsonl"


def test_content_that_a_kept_revision_was_trained_on_stays() -> None:
    old = "gs://demo-data/datasets/intents/old.jsonl"
    kept = replace(SERVED, revision="r1-old", training=old, promoted=None, wanted=NOON.replace(hour=1))
    found = world(stored={CONTENT.uri: STORED, old: Stored(old, 1, "sha256:old", note=PROJECT.note)})
    records = {"intents": (Versioned(SERVED, 1), Versioned(kept, 1))}

    assert plan_project(ALL, replace(found, records=records)).changes == ()


def test_a_fence_of_an_attempt_that_is_over_is_deleted_and_one_in_use_is_not() -> None:
    mine, over = (
        "gs://demo-data/attempts/demo/intents/r/1.jsonl",
        "gs://demo-data/attempts/demo/intents/r/0.jsonl",
    )
    known = record(AttemptState.KNOWN, fence=mine, model="")
    running = job(JobState.RUNNING, model="", training_uri=mine)

    plan = plan_project(ALL, world(known=known, live=running, fences=(over, mine)))

    assert [a.uri for a in actions(plan) if isinstance(a, DeleteObject)] == [over]


def test_a_removed_document_takes_its_endpoint_and_its_models_with_it_and_serving_goes_first() -> None:
    first, second = actions(plan_project(NOTHING, world(stored={})))

    assert isinstance(first, RemoveEndpoint)
    assert isinstance(second, Retire)


def test_an_endpoint_that_gave_way_to_a_pointer_goes_once_there_is_a_pointer() -> None:
    pointing = replace(ALL, servings=(serving(pointer=True),))
    pointer = Pointer("demo", "intents", job().checkpoints[-1].endpoint, REVISION, MODEL, "4")

    before = actions(plan_project(pointing, world()))
    after = actions(plan_project(pointing, world(pointers={"intents": pointer})))

    assert not any(isinstance(action, RemoveEndpoint) for action in before)
    assert [action.endpoint for action in after if isinstance(action, RemoveEndpoint)] == [ENDPOINT.name]


def test_a_removed_document_cancels_what_runs_and_waits_for_it() -> None:
    running = job(JobState.RUNNING, model="")
    found = world(
        known=record(AttemptState.KNOWN, model=""), live=running, endpoints={}, models={}, stored={}
    )

    assert [type(action) for action in actions(plan_project(NOTHING, found))] == [Cancel, Wait, Later]


def test_what_is_to_be_retained_is_left_when_its_document_goes() -> None:
    found = world(known=replace(SERVED, retain=True), stored={})

    assert plan_project(NOTHING, found).changes == ()


def test_part_of_the_documents_says_nothing_about_the_others() -> None:
    assert plan_project(replace(NOTHING, whole=False), world()).changes == ()


def test_other_owners_endpoints_and_those_that_vertex_made_are_left_alone() -> None:
    theirs = replace(ENDPOINT, name="theirs", labels={"tuneform-owner": "others", "tuneform-name": "x"})
    unlabelled = replace(ENDPOINT, name="plain", labels={})
    checkpoint = replace(ENDPOINT, name="made", labels={**ENDPOINT.labels, "tuneform-revision": REVISION})
    endpoints = {e.name: e for e in (ENDPOINT, theirs, unlabelled, checkpoint)}

    assert plan_project(ALL, world(endpoints=endpoints)).changes == ()


def test_a_lack_of_infrastructure_blocks_and_says_what_helps() -> None:
    lack = Lack("bucket demo-data", "location", "missing", "us-central1")

    (blocked,) = actions(plan_project(ALL, world(lacks=(lack,))))

    assert isinstance(blocked, Blocked)
    assert "tuneform up" in blocked.remedy


def test_a_stamp_is_that_of_what_was_seen_and_planned() -> None:
    known = record(AttemptState.KNOWN, model="")
    queued, running = (
        world(known=known, live=job(state, model="")) for state in (JobState.QUEUED, JobState.RUNNING)
    )
    failed = world(known=known, live=job(JobState.FAILED, model=""))

    assert plan_project(ALL, queued).stamp == plan_project(ALL, running).stamp
    assert plan_project(ALL, queued).stamp != plan_project(ALL, failed).stamp
    assert plan_project(ALL, world()).stamp != plan_project(NOTHING, world(stored={})).stamp


def test_what_changed_since_a_plan_was_saved_is_named() -> None:
    before = plan_project(ALL, world(stored={}))
    saved = {item.key: [explain(action) for action in item.actions] for item in before.changes}

    (change,) = differences(saved, plan_project(ALL, world()))

    assert change.startswith("Dataset intents/aa.jsonl: planned was: uploads 300 examples")
    assert change.endswith("now it would be: nothing to do")
    assert differences(saved, before) == ()
    assert JOB


def test_content_that_goes_with_what_was_trained_on_it_is_foreseen() -> None:
    old = "gs://demo-data/datasets/intents/old.jsonl"
    trained = replace(SERVED, training=old)
    found = world(stored={old: Stored(old, 1, "sha256:old", note=PROJECT.note)})
    found = replace(found, records={"intents": (Versioned(trained, 1),)})

    removed = plan_project(NOTHING, found)
    (item,) = [item for item in removed.changes if item.kind == "Dataset"]

    (later,) = item.actions
    assert explain(later) == f"then, once no job and no kept revision needs it: deletes {old}: " + (
        "no document, job or kept revision needs it"
    )
    assert [item for item in plan_project(ALL, found).changes if item.name.endswith("old.jsonl")] == []
