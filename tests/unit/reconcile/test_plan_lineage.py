"""Continuous tuning: what goes on from another tuning waits for it, and follows its revisions."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.reconcile.builders import JOB, MODEL, NOON, PROJECT, REVISION, TUNING, job, model, record

from tuneform.reconcile.actions import Action, Blocked, Create, Later, Origin, explain
from tuneform.reconcile.desired import Desired, Parent
from tuneform.reconcile.ledger import AttemptState, Versioned
from tuneform.reconcile.live import JobState, Model
from tuneform.reconcile.observe import ObservedTuning, World
from tuneform.reconcile.plan import plan_project
from tuneform.reconcile.plan.tuning import plan_tuning
from tuneform.reconcile.recipe import recipe, revision

CHILD = replace(TUNING, name="further", parent=Parent(("intents",), REVISION))
WANTED = revision(CHILD)
TRAINED = ObservedTuning((job(),), {JOB: model()}, {REVISION: record(AttemptState.SUCCEEDED)}, NOON)
RUNNING = ObservedTuning((job(JobState.RUNNING),), {}, {REVISION: record(AttemptState.KNOWN)}, NOON)
ELSEWHERE = f"{PROJECT.parent}/models/99@3"


def of(parent: ObservedTuning) -> ObservedTuning:
    return ObservedTuning(parent=parent)


def test_the_recipe_names_the_parents_revision_and_not_its_name() -> None:
    made = recipe(CHILD)
    assert made["preTunedModel"] == {"revision": REVISION}
    assert "baseModel" not in made
    named = replace(CHILD, parent=Parent(("renamed", "intents"), REVISION, checkpoint="last"))
    assert revision(named) == WANTED
    for other in (Parent(("intents",), "r1-other"), Parent(("intents",), REVISION, checkpoint=2)):
        assert revision(replace(CHILD, parent=other)) != WANTED


def test_it_starts_from_the_parents_last_checkpoint() -> None:
    plan = plan_tuning(CHILD, of(TRAINED))
    (create,) = plan.actions
    assert isinstance(create, Create)
    assert (create.revision, create.cost.billed, create.origin) == (WANTED, 24_000, Origin(MODEL, "4"))
    assert "one tuning job on 7@1, checkpoint 4, about 24 k tokens" in plan.reasons[0]


def test_best_and_an_epoch_are_the_parents() -> None:
    for asked, expected in (("best", "2"), (3, "3")):
        parent = Parent(("intents",), REVISION, checkpoint=asked)  # type: ignore[arg-type]
        (create,) = plan_tuning(replace(CHILD, parent=parent), of(TRAINED)).actions
        assert isinstance(create, Create)
        assert create.origin == Origin(MODEL, expected)


def test_an_epoch_that_the_parent_has_no_checkpoint_of_blocks() -> None:
    parent = Parent(("intents",), REVISION, checkpoint=9)
    (blocked,) = plan_tuning(replace(CHILD, parent=parent), of(TRAINED)).actions
    assert isinstance(blocked, Blocked)
    assert "no checkpoint of epoch 9" in blocked.reason


def test_it_waits_for_a_parent_that_is_not_done_and_shows_what_it_will_cost() -> None:
    for parent in (ObservedTuning(), RUNNING):
        (later,) = plan_tuning(CHILD, of(parent)).actions
        assert isinstance(later, Later)
        assert isinstance(later.action, Create)
        assert later.action.cost.billed == 24_000
        assert explain(later).startswith(
            f"then, once {REVISION} of intents has succeeded: new revision {WANTED}"
        )


def test_what_is_trained_needs_no_parent_any_more() -> None:
    done = job(of=WANTED, name="projects/demo-project/locations/us-central1/tuningJobs/2")
    kept = record(AttemptState.SUCCEEDED, tuning=CHILD, job=done.name)
    seen = ObservedTuning((done,), {done.name: model()}, {WANTED: kept}, NOON, parent=ObservedTuning())
    assert not any(
        isinstance(action, (Create, Later, Blocked)) for action in plan_tuning(CHILD, seen).actions
    )


def test_a_model_from_elsewhere_has_to_be_there_under_another_display_name() -> None:
    child = replace(CHILD, parent=Parent(model=ELSEWHERE, checkpoint=2))
    (blocked,) = plan_tuning(child, ObservedTuning()).actions
    assert isinstance(blocked, Blocked)
    assert "there is no model" in blocked.reason
    theirs = Model(ELSEWHERE, "theirs", "", {})
    (create,) = plan_tuning(child, ObservedTuning(elsewhere=theirs)).actions
    assert isinstance(create, Create)
    assert create.origin == Origin(ELSEWHERE, "2")
    (same,) = plan_tuning(child, ObservedTuning(elsewhere=replace(theirs, display_name="further"))).actions
    assert isinstance(same, Blocked)
    assert "display name 'further'" in same.reason


def test_a_blocked_parent_blocks_the_line_behind_it_and_says_so() -> None:
    grandchild = replace(TUNING, name="again", parent=Parent(("further",), WANTED))
    failed = job(JobState.FAILED, error="no luck")
    world = World(
        jobs={"intents": (failed,)},
        records={"intents": (Versioned(record(AttemptState.FAILED, cause="no luck", model=""), 1),)},
        when=NOON,
    )
    # Not in the order of the line: it decides, not the names.
    plan = plan_project(Desired(PROJECT, (grandchild, CHILD, TUNING), whole=False), world)
    blocked = {item.name: item.blocked for item in plan.items}
    assert "no luck" in blocked["intents"][0].reason
    assert "TuningJob 'intents', which is blocked" in blocked["further"][0].reason
    assert "TuningJob 'further', which is blocked" in blocked["again"][0].reason


# Half of them as they are when all is well, or no parent would ever be there to go on from.
STATES = st.just(JobState.SUCCEEDED) | st.sampled_from(JobState)
ENDS = st.just(AttemptState.SUCCEEDED) | st.sampled_from(AttemptState)
ASKED = st.sampled_from(["last", "best", 2, 9, None])


@st.composite
def parents(draw: st.DrawFn) -> ObservedTuning:
    """Whatever may be live of a parent: its wanted revision and an older one, recorded rightly, wrongly, or not."""
    jobs = [
        job(draw(STATES), of=of, name=f"{JOB}{number}", model=draw(st.sampled_from(["", f"{MODEL}{number}"])))
        for number, of in enumerate((REVISION, "r1-0123456789abcdef", REVISION))
        if draw(st.booleans())
    ]
    named = draw(st.sampled_from([JOB, *(one.name for one in jobs)]))
    known = {REVISION: record(draw(ENDS), job=named)} if draw(st.booleans()) else {}
    models = {one.name: model() for one in jobs if one.model and draw(st.booleans())}
    return ObservedTuning(tuple(jobs), models, known, NOON)


@settings(max_examples=300)
@given(parents(), ASKED)
def test_a_child_is_paid_for_only_with_a_recorded_and_live_model_of_the_named_revision(
    parent: ObservedTuning, asked: str | int | None
) -> None:
    child = replace(CHILD, parent=Parent(("intents",), REVISION, checkpoint=asked))  # type: ignore[arg-type]
    for action in plan_tuning(child, of(parent)).actions:
        if isinstance(action, Create):
            assert action.origin is not None
            (source,) = (one for one in parent.jobs if one.model == action.origin.model)
            last = parent.records[REVISION].last
            assert last is not None
            assert (source.revision, source.succeeded, source.name) == (REVISION, True, last.job)
            assert source.name in parent.models
            assert action.origin.checkpoint in {checkpoint.id for checkpoint in source.checkpoints}
        elif isinstance(action, Later):
            assert "has succeeded" in action.condition


@given(parents(), parents(), parents())
def test_a_parent_decides_about_creates_and_about_nothing_else(
    own: ObservedTuning, one: ObservedTuning, other: ObservedTuning
) -> None:
    child = replace(TUNING, parent=Parent(("other",), REVISION))
    rest = [
        [action for action in plan_tuning(child, replace(own, parent=parent)).actions if not decided(action)]
        for parent in (one, other)
    ]
    assert rest[0] == rest[1]


def decided(action: Action) -> bool:
    return isinstance(action, (Create, Blocked)) or (
        isinstance(action, Later) and isinstance(action.action, Create)
    )
