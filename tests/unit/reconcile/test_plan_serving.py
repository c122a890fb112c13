"""What would be done for a served model, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.reconcile.builders import (
    JOB,
    MODEL,
    NOON,
    PROJECT,
    REVISION,
    job,
    model,
    record,
    serving,
    with_epochs,
)

from tuneform.reconcile.actions import (
    Action,
    Blocked,
    Clear,
    CreateEndpoint,
    Later,
    Measure,
    PatchEndpoint,
    Promote,
    RemoveEndpoint,
    Retire,
)
from tuneform.reconcile.desired import Content, Gate, Serving
from tuneform.reconcile.ledger import AttemptState, Pointer, Record, Verdict
from tuneform.reconcile.live import Deployed, Endpoint, JobState, bare
from tuneform.reconcile.observe import ObservedServing, ObservedTuning
from tuneform.reconcile.plan.serving import asked, plan_serving
from tuneform.reconcile.recipe import revision

ENDPOINT = Endpoint(
    f"{PROJECT.parent}/endpoints/intents",
    "intents",
    "",
    {"tuneform-owner": "team", "tuneform-name": "intents"},
)
SERVED = replace(ENDPOINT, deployed=(Deployed("5", bare(MODEL), "1", "4", 100),))
TRAINED = record(AttemptState.SUCCEEDED)
PROMOTED = replace(TRAINED, promoted=NOON, served="4", cleared=True)
OLD = f"{PROJECT.parent}/models/3@1"


def world(endpoint: Endpoint | None, *records: Record, **fields: Any) -> ObservedServing:
    """Each record's job has succeeded, and its model is there."""
    jobs, models = [], {}
    for known in records:
        assert known.last is not None
        if known.kept:
            jobs.append(job(of=known.revision, name=known.last.job, model=known.last.model))
            models[known.last.job] = replace(model(), name=known.last.model)
    tuning = ObservedTuning(tuple(jobs), models, {known.revision: known for known in records}, NOON)
    return ObservedServing(tuning, endpoint, **fields)


def earlier(epochs: int, hour: int, **fields: Any) -> Record:
    made = record(AttemptState.SUCCEEDED, tuning=with_epochs(epochs), job=f"{JOB}{epochs}", model=OLD)
    return replace(made, **{"promoted": NOON.replace(hour=hour), "served": "4", "cleared": True, **fields})


def kinds(actions: tuple[Action, ...]) -> list[type]:
    return [type(action) for action in actions]


def test_the_first_promotion_makes_the_endpoint() -> None:
    plan = plan_serving(serving(), world(None, TRAINED))

    assert kinds(plan.actions) == [CreateEndpoint, Promote, Later]
    assert plan.checkpoint == job().checkpoints[-1]


def test_what_serves_already_and_is_recorded_needs_nothing() -> None:
    assert plan_serving(serving(), world(SERVED, PROMOTED)).actions == ()


def test_a_promotion_that_was_cut_off_before_it_was_recorded_is_recorded() -> None:
    plan = plan_serving(serving(), world(SERVED, TRAINED, earlier(6, 9)))

    assert kinds(plan.actions) == [Promote, Later]


@pytest.mark.parametrize(
    "deployed",
    [
        (Deployed("5", bare(MODEL), "1", "3", 100),),
        (Deployed("5", bare(MODEL), "2", "4", 100),),
        (Deployed("5", bare(MODEL), "1", "4", 0), Deployed("6", "other", "1", "4", 100)),
        (Deployed("5", bare(MODEL), "1", "4", 100), Deployed("6", "other", "1", "4", 0)),
        (),
    ],
)
def test_anything_else_behind_the_endpoint_is_a_promotion(deployed: tuple[Deployed, ...]) -> None:
    plan = plan_serving(serving(), world(replace(ENDPOINT, deployed=deployed), PROMOTED))

    assert kinds(plan.actions) == [Promote]


def test_an_endpoint_of_another_owner_is_not_touched() -> None:
    foreign = replace(SERVED, labels={"tuneform-owner": "others"})

    assert kinds(plan_serving(serving(), world(foreign, TRAINED)).actions) == [Blocked]


def test_a_label_of_the_endpoint_is_patched_also_while_training() -> None:
    labelled = serving(labels={"team": "support"})
    training = replace(labelled, revision=revision(with_epochs(6)))

    assert kinds(plan_serving(labelled, world(SERVED, PROMOTED)).actions) == [PatchEndpoint]
    assert kinds(plan_serving(training, world(SERVED, PROMOTED)).actions) == [PatchEndpoint, Later, Later]


def test_the_best_checkpoint_is_the_one_recorded_and_needs_validation_data() -> None:
    best = serving(checkpoint="best")

    plan = plan_serving(best, world(SERVED, PROMOTED))
    assert plan.checkpoint is not None
    assert plan.checkpoint.id == "2"
    blocked = plan_serving(best, world(SERVED, replace(PROMOTED, best=""))).actions[0]
    assert isinstance(blocked, Blocked)
    assert "validation" in blocked.remedy


def test_a_checkpoint_that_does_not_exist_names_those_that_do() -> None:
    blocked = plan_serving(serving(checkpoint=9), world(SERVED, PROMOTED)).actions[0]

    assert isinstance(blocked, Blocked)
    assert "1, 2, 3, 4" in blocked.remedy


def gated(passed: bool) -> tuple[Serving, Record]:
    strict = serving(gate=Gate(exact_match_at_least=0.9), test=Content("gs://b/t", "sha256:t", 9, 90))
    verdict = Verdict(asked(strict, job().checkpoints[-1]), passed, "" if passed else "exactMatch too low")
    return strict, replace(TRAINED, verdict=verdict)


def test_a_gate_that_was_not_passed_blocks_and_what_served_is_put_back_where_it_is_missing() -> None:
    strict, failed = gated(False)
    before = earlier(6, 9)
    old = replace(ENDPOINT, deployed=(Deployed("3", bare(OLD), "1", "4", 100),))

    assert kinds(plan_serving(strict, world(old, failed, before)).actions) == [Blocked]
    blocked, promote = plan_serving(strict, world(ENDPOINT, failed, before)).actions
    assert isinstance(blocked, Blocked)
    assert isinstance(promote, Promote)
    assert (promote.revision, promote.gated) == (before.revision, False)


def test_a_gate_that_was_passed_is_not_measured_again_unless_what_it_asks_changed() -> None:
    strict, passed = gated(True)
    serves = replace(passed, promoted=NOON, served="4", cleared=True)

    assert plan_serving(strict, world(SERVED, serves)).actions == ()
    stricter = replace(strict, gate=Gate(exact_match_at_least=0.95))
    assert kinds(plan_serving(stricter, world(SERVED, serves)).actions) == [Measure]
    other = replace(strict, test=Content("gs://b/u", "sha256:u", 9, 90))
    assert kinds(plan_serving(other, world(SERVED, serves)).actions) == [Measure]


def test_while_the_wanted_revision_trains_the_old_one_serves_and_the_rest_is_foreseen() -> None:
    wanted = serving(revision=revision(with_epochs(9)), keep=0)

    plan = plan_serving(wanted, world(SERVED, PROMOTED))

    assert [type(a.action) for a in plan.actions if isinstance(a, Later)] == [Promote, Clear, Retire]
    drifted = replace(SERVED, deployed=(replace(SERVED.deployed[0], traffic=0),))
    assert isinstance(plan_serving(wanted, world(drifted, PROMOTED)).actions[0], Promote)


def test_only_the_longest_unserved_revisions_beyond_keep_are_retired() -> None:
    records = (PROMOTED, earlier(7, 7), earlier(8, 8), earlier(9, 9))

    (retire,) = plan_serving(serving(keep=2), world(SERVED, *records)).actions

    assert isinstance(retire, Retire)
    assert retire.revision == revision(with_epochs(7))


def test_what_serves_is_never_retired_while_another_revision_is_wanted() -> None:
    strict, failed = gated(False)
    plan = plan_serving(replace(strict, keep=0), world(SERVED, failed, earlier(6, 9)))

    assert not any(isinstance(action, Retire) for action in plan.actions)


def test_checkpoint_endpoints_go_once_the_revision_serves() -> None:
    plan = plan_serving(serving(), world(SERVED, replace(PROMOTED, cleared=False)))

    assert plan.actions == (Clear(REVISION, JOB),)


def test_the_endpoint_of_a_gate_goes_once_the_revision_serves() -> None:
    strict, passed = gated(True)
    serves = replace(passed, promoted=NOON, served="4", cleared=True)
    left = replace(ENDPOINT, name=f"{ENDPOINT.name}-gate")

    assert kinds(plan_serving(strict, world(SERVED, serves, candidate=left)).actions) == [RemoveEndpoint]


def test_a_pointer_is_moved_and_the_endpoint_that_it_names_is_kept() -> None:
    pointed = serving(pointer=True)
    uncleared = replace(PROMOTED, cleared=False)
    pointer = Pointer("demo", "intents", job().checkpoints[-1].endpoint, REVISION, MODEL, "4")

    assert kinds(plan_serving(pointed, world(None, TRAINED)).actions) == [Promote]
    held = replace(SERVED, name=pointer.endpoint)
    assert plan_serving(pointed, world(None, uncleared, pointer=pointer, pointed=held)).actions == ()
    for lost in (None, replace(held, deployed=())):
        assert kinds(
            plan_serving(pointed, world(None, uncleared, pointer=pointer, pointed=lost)).actions
        ) == [Blocked]


def test_a_renamed_model_keeps_the_endpoint_that_clients_call() -> None:
    renamed = serving(name="topics", previous_names=("intents",))

    assert renamed.endpoint == ENDPOINT.name
    assert kinds(plan_serving(renamed, world(SERVED, PROMOTED)).actions) == [PatchEndpoint]


def test_nothing_is_promoted_while_the_job_runs() -> None:
    known = record(AttemptState.KNOWN, model="")
    tuning = ObservedTuning((job(JobState.RUNNING),), {}, {REVISION: known}, NOON)

    plan = plan_serving(serving(), ObservedServing(tuning))

    assert [type(action) for action in plan.actions] == [Later, Later, Later]
    assert plan.checkpoint is None
