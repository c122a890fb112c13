"""The planner, case by case and as invariants over whatever may be live."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    with_epochs,
)

from tuneform.reconcile.actions import (
    Adopt,
    Blocked,
    Cancel,
    Create,
    CreateEndpoint,
    PatchEndpoint,
    PatchModel,
    Promote,
    Retire,
    Revoke,
    TuningAction,
    Wait,
)
from tuneform.reconcile.desired import Limits
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import Checkpoint, Deployed, Endpoint, Job, JobState, bare
from tuneform.reconcile.plan import ObservedServing, ObservedTuning, plan_serving, plan_tuning
from tuneform.reconcile.recipe import revision

EMPTY = ObservedTuning((), {}, {})
DONE = ObservedTuning((job(),), {JOB: model()}, {REVISION: record(AttemptState.SUCCEEDED)}, current=REVISION)


def kinds(actions: tuple[TuningAction, ...]) -> list[type]:
    return [type(action) for action in actions]


def test_nothing_live_is_one_new_job_with_its_cost() -> None:
    plan = plan_tuning(TUNING, EMPTY)

    assert plan.actions == (Create(REVISION, 1, "first", 24_000),)
    assert plan.reasons == (f"new revision {REVISION} (first): one tuning job, about 24 k tokens",)


def test_what_is_there_and_recorded_needs_nothing() -> None:
    assert plan_tuning(TUNING, DONE).actions == ()


def test_a_changed_recipe_says_which_field() -> None:
    plan = plan_tuning(with_epochs(6), DONE)

    (create,) = plan.actions
    assert isinstance(create, Create)
    assert create.revision == revision(with_epochs(6)) != REVISION
    assert [str(change) for change in create.changes] == ["hyperParameters.epochCount 4 → 6"]


def test_a_reverted_recipe_is_adopted_at_no_cost() -> None:
    other = revision(with_epochs(6))

    plan = plan_tuning(TUNING, replace(DONE, current=other))

    assert plan.reasons == (f"adopts {REVISION}, trained 2026-11-20 12:00 UTC, no cost",)


def test_a_job_that_the_ledger_forgot_is_adopted_and_followed() -> None:
    plan = plan_tuning(TUNING, ObservedTuning((job(JobState.RUNNING),), {}, {}))

    assert kinds(plan.actions) == [Adopt, Wait]


def test_a_superseded_job_is_cancelled_unless_it_may_finish() -> None:
    running = ObservedTuning((job(JobState.RUNNING),), {}, {}, current=REVISION)

    assert kinds(plan_tuning(with_epochs(6), running).actions) == [Cancel, Create]
    finish = replace(with_epochs(6), when_superseded="finish")
    assert kinds(plan_tuning(finish, running).actions) == [Create]


def test_a_label_is_patched_without_training() -> None:
    plan = plan_tuning(replace(TUNING, labels={"team": "support"}), DONE)

    (patch,) = plan.actions
    assert isinstance(patch, PatchModel)
    assert [str(change) for change in patch.changes] == ["labels.team = support"]


def test_a_label_changed_by_someone_else_is_put_back() -> None:
    drifted = replace(DONE, models={JOB: model(**{"tuneform-owner": "someone"})})

    (patch,) = plan_tuning(TUNING, drifted).actions
    assert isinstance(patch, PatchModel)
    assert [str(change) for change in patch.changes] == ["labels.tuneform-owner someone → team"]


@pytest.mark.parametrize("state", [AttemptState.CLAIMED, AttemptState.FENCED, AttemptState.SENT])
def test_an_attempt_of_unknown_end_is_revoked_before_anything_is_paid(state: AttemptState) -> None:
    observed = ObservedTuning((), {}, {REVISION: record(state, job="", model="", holder="host:1:x")})

    assert kinds(plan_tuning(TUNING, observed).actions) == [Revoke]


def test_a_revision_that_we_retired_is_trained_again_when_asked_for() -> None:
    observed = ObservedTuning((job(),), {}, {REVISION: record(AttemptState.RETIRED)})

    assert plan_tuning(TUNING, observed).actions == (
        Create(REVISION, 2, "retired earlier, asked for again", 24_000),
    )


def test_a_model_deleted_by_someone_else_is_not_paid_for_again_unasked() -> None:
    observed = ObservedTuning((job(),), {}, {REVISION: record(AttemptState.SUCCEEDED)})

    (blocked,) = plan_tuning(TUNING, observed).actions
    assert isinstance(blocked, Blocked)
    assert "deleted by someone else" in blocked.reason


def test_a_failed_job_is_shown_with_its_reason_and_retried_only_as_allowed() -> None:
    failed = job(JobState.FAILED, error="CMEK key disabled")
    observed = ObservedTuning((failed,), {}, {REVISION: record(AttemptState.FAILED)})

    (blocked,) = plan_tuning(TUNING, observed).actions
    assert isinstance(blocked, Blocked)
    assert "CMEK key disabled" in blocked.reason
    (create,) = plan_tuning(replace(TUNING, limits=Limits(retries=1)), observed).actions
    assert isinstance(create, Create)
    assert create.attempt == 2


def test_a_cancelled_job_is_never_promoted_and_fewer_epochs_are_offered() -> None:
    observed = ObservedTuning(
        (job(JobState.CANCELLED),), {}, {REVISION: record(AttemptState.CANCELLED, cause="")}
    )

    (blocked,) = plan_tuning(TUNING, observed).actions
    assert isinstance(blocked, Blocked)
    assert "epochCount" in blocked.remedy


def test_one_that_we_cancelled_as_superseded_is_trained_when_asked_for_again() -> None:
    superseded = record(AttemptState.CANCELLED, cause="superseded by another recipe")
    observed = ObservedTuning((job(JobState.CANCELLED),), {}, {REVISION: superseded})

    assert kinds(plan_tuning(TUNING, observed).actions) == [Create]


def test_more_tokens_than_allowed_block_before_anything_is_paid() -> None:
    (blocked,) = plan_tuning(replace(TUNING, limits=Limits(max_billable_tokens=23_999)), EMPTY).actions

    assert isinstance(blocked, Blocked)
    assert "24,000" in blocked.reason


JOBS = st.lists(
    st.builds(
        lambda state, of, number: job(state, of=of, name=f"{PROJECT.parent}/tuningJobs/{number}"),
        st.sampled_from(JobState),
        st.sampled_from([REVISION, revision(with_epochs(6))]),
        st.integers(1, 9),
    ),
    max_size=4,
    unique_by=lambda job: job.name,
)


@given(JOBS, st.sampled_from([None, *AttemptState]), st.booleans())
def test_whatever_is_live_a_plan_never_pays_for_what_is_there(
    jobs: list[Job], state: AttemptState | None, models_live: bool
) -> None:
    models = {j.name: model() for j in jobs if j.model and models_live}
    records = {REVISION: record(state, job=jobs[0].name if jobs else JOB)} if state else {}
    observed = ObservedTuning(tuple(jobs), models, records)

    plan = plan_tuning(TUNING, observed)

    creates = [action for action in plan.actions if isinstance(action, Create)]
    alive = [
        j
        for j in jobs
        if j.revision == REVISION
        and (j.name in models or (not j.state.ended and j.state is not JobState.CANCELLING))
    ]
    assert len(creates) <= 1
    if alive or (state is not None and state.unresolved):
        assert not creates
    assert plan == plan_tuning(TUNING, observed)


ENDPOINT = Endpoint(
    f"{PROJECT.parent}/endpoints/intents",
    "intents",
    "",
    {"tuneform-owner": "team", "tuneform-name": "intents"},
)
SERVED = replace(ENDPOINT, deployed=(Deployed("5", bare(MODEL), "1", "4", 100),))


def observed_serving(endpoint: Endpoint | None, **fields: Any) -> ObservedServing:
    values: dict[str, Any] = {"job": job(), "jobs": (job(),), "records": {}, "best": None, **fields}
    return ObservedServing(endpoint=endpoint, **values)


def test_the_first_promotion_makes_the_endpoint() -> None:
    plan = plan_serving(serving(), observed_serving(None))

    assert [type(action) for action in plan.actions] == [CreateEndpoint, Promote]
    assert plan.checkpoint == job().checkpoints[-1]


def test_what_serves_already_needs_nothing() -> None:
    assert plan_serving(serving(), observed_serving(SERVED)).actions == ()


@pytest.mark.parametrize(
    "deployed",
    [
        (Deployed("5", bare(MODEL), "1", "3", 100),),
        (Deployed("5", bare(MODEL), "1", "4", 0), Deployed("6", "other", "1", "4", 100)),
        (Deployed("5", bare(MODEL), "1", "4", 100), Deployed("6", "other", "1", "4", 0)),
        (),
    ],
)
def test_anything_else_behind_the_endpoint_is_a_promotion(deployed: tuple[Deployed, ...]) -> None:
    plan = plan_serving(serving(), observed_serving(replace(ENDPOINT, deployed=deployed)))

    assert [type(action) for action in plan.actions] == [Promote]


def test_an_endpoint_of_another_owner_is_not_touched() -> None:
    foreign = replace(SERVED, labels={"tuneform-owner": "others"})

    (blocked,) = plan_serving(serving(), observed_serving(foreign)).actions
    assert isinstance(blocked, Blocked)


def test_a_label_of_the_endpoint_is_patched() -> None:
    plan = plan_serving(serving(labels={"team": "support"}), observed_serving(SERVED))

    assert [type(action) for action in plan.actions] == [PatchEndpoint]


def test_the_best_checkpoint_needs_validation_data() -> None:
    (blocked,) = plan_serving(serving(checkpoint="best"), observed_serving(SERVED)).actions
    assert isinstance(blocked, Blocked)
    assert "validation" in blocked.remedy

    best = Checkpoint("2", 2, 20)
    plan = plan_serving(serving(checkpoint="best"), observed_serving(SERVED, best=best))
    assert plan.checkpoint == best


def test_a_checkpoint_that_does_not_exist_names_those_that_do() -> None:
    (blocked,) = plan_serving(serving(checkpoint=9), observed_serving(SERVED)).actions
    assert isinstance(blocked, Blocked)
    assert "1, 2, 3, 4" in blocked.remedy


def test_only_the_longest_unserved_revisions_beyond_keep_are_retired() -> None:
    records, jobs = {}, [job()]
    for day, epochs in product((1, 2, 3), (6,)):
        tuning = with_epochs(epochs + day)
        name = f"{PROJECT.parent}/tuningJobs/{day}0"
        old = record(AttemptState.SUCCEEDED, tuning=tuning, job=name)
        records[old.revision] = replace(old, promoted=NOON.replace(day=day))
        jobs.append(job(of=old.revision, name=name))

    plan = plan_serving(serving(keep=2), observed_serving(SERVED, jobs=tuple(jobs), records=records))

    (retire,) = plan.actions
    assert isinstance(retire, Retire)
    assert retire.revision == revision(with_epochs(7))


def test_nothing_is_promoted_while_the_job_runs() -> None:
    plan = plan_serving(serving(), observed_serving(SERVED, job=job(JobState.RUNNING)))

    assert plan.actions == ()
    assert plan.checkpoint is None
