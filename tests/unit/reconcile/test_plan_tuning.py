"""The planner, case by case and as invariants over whatever may be live."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reconcile.builders import (
    COST,
    JOB,
    MODEL,
    NOON,
    PROJECT,
    REVISION,
    TUNING,
    job,
    model,
    record,
    with_epochs,
)

from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Cancel,
    Create,
    Note,
    PatchModel,
    Retire,
    Revoke,
    Settle,
    Unfence,
    Wait,
    explain,
)
from tuneform.reconcile.desired import Limits, Tuning
from tuneform.reconcile.ledger import Attempt, AttemptState, Record
from tuneform.reconcile.live import Job, JobState
from tuneform.reconcile.observe import ObservedTuning
from tuneform.reconcile.plan.tuning import SETTLING, plan_tuning, usable
from tuneform.reconcile.recipe import recipe, revision

EMPTY = ObservedTuning()
DONE = ObservedTuning((job(),), {JOB: model()}, {REVISION: record(AttemptState.SUCCEEDED)}, NOON + SETTLING)
OTHER = revision(with_epochs(6))
LATER = NOON.replace(hour=15)


def kinds(actions: tuple[Action, ...]) -> list[type]:
    return [type(action) for action in actions]


def test_nothing_live_is_one_new_job_with_its_cost() -> None:
    plan = plan_tuning(TUNING, EMPTY)

    assert plan.actions == (Create(REVISION, 1, "first", COST),)
    words = "one tuning job, about 24 k tokens (20 k to 32 k), price unknown"
    assert plan.reasons == (f"new revision {REVISION} (first): {words}",)


def test_what_is_there_and_recorded_needs_nothing() -> None:
    assert plan_tuning(TUNING, DONE).actions == ()


def test_a_changed_recipe_says_which_field() -> None:
    plan = plan_tuning(with_epochs(6), DONE)

    (create,) = plan.actions
    assert isinstance(create, Create)
    assert create.revision == revision(with_epochs(6)) != REVISION
    assert [str(change) for change in create.changes] == ["hyperParameters.epochCount 4 → 6"]


def test_a_reverted_recipe_is_adopted_at_no_cost() -> None:
    other = replace(record(AttemptState.CANCELLED, tuning=with_epochs(6), job="x"), wanted=LATER)

    plan = plan_tuning(TUNING, replace(DONE, records={**DONE.records, OTHER: other}))

    assert plan.reasons == (f"adopts {REVISION}, trained 2026-11-20 12:00 UTC, no cost",)


def test_a_job_that_the_ledger_forgot_is_adopted_and_followed() -> None:
    plan = plan_tuning(TUNING, ObservedTuning((job(JobState.RUNNING),), {}, {}))

    assert kinds(plan.actions) == [Adopt, Wait]


def test_a_superseded_job_is_cancelled_unless_it_may_finish() -> None:
    running = ObservedTuning((job(JobState.RUNNING),), {}, {REVISION: record(AttemptState.KNOWN, model="")})

    assert kinds(plan_tuning(with_epochs(6), running).actions) == [Create, Cancel]
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


@pytest.mark.parametrize("state", [state for state in AttemptState if state.unresolved])
def test_an_attempt_of_unknown_end_is_revoked_before_anything_is_paid(state: AttemptState) -> None:
    observed = ObservedTuning((), {}, {REVISION: record(state, job="", model="", holder="host:1:x")})

    assert kinds(plan_tuning(TUNING, observed).actions) == [Revoke]


def test_a_revision_that_we_retired_is_trained_again_when_asked_for() -> None:
    observed = ObservedTuning((job(),), {}, {REVISION: record(AttemptState.RETIRED)})

    again = Create(REVISION, 2, "retired earlier, asked for again", COST)
    assert plan_tuning(TUNING, observed).actions == (again,)


def test_a_model_deleted_by_someone_else_is_not_paid_for_again_unasked() -> None:
    observed = ObservedTuning((job(),), {}, {REVISION: record(AttemptState.SUCCEEDED)}, NOON + SETTLING)

    (blocked,) = plan_tuning(TUNING, observed).actions
    assert isinstance(blocked, Blocked)
    assert "deleted by someone else" in blocked.reason


def test_a_failed_job_is_shown_with_its_reason_and_retried_only_as_allowed() -> None:
    failed = job(JobState.FAILED, error="CMEK key disabled")
    observed = ObservedTuning(
        (failed,), {}, {REVISION: record(AttemptState.FAILED, cause="CMEK key disabled")}
    )

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
    superseded = record(AttemptState.CANCELLED, superseded=True)
    observed = ObservedTuning((job(JobState.CANCELLED),), {}, {REVISION: superseded})

    assert kinds(plan_tuning(TUNING, observed).actions) == [Create]


def test_more_tokens_than_allowed_block_before_anything_is_paid() -> None:
    (blocked,) = plan_tuning(replace(TUNING, limits=Limits(max_billable_tokens=31_999)), EMPTY).actions

    assert isinstance(blocked, Blocked)
    assert "about 24,000 tokens and up to 32,000, over limits.maxBillableTokens 31,999" in blocked.reason
    fitting = replace(TUNING, limits=Limits(max_billable_tokens=32_000))
    assert kinds(plan_tuning(fitting, EMPTY).actions) == [Create]


def test_a_model_that_is_missing_right_after_its_job_ended_may_yet_be_shown() -> None:
    observed = ObservedTuning((job(),), {}, {REVISION: record(AttemptState.SUCCEEDED)}, NOON)

    assert kinds(plan_tuning(TUNING, observed).actions) == [Wait]


def test_a_lost_model_is_paid_for_again_where_the_specs_say_so() -> None:
    observed = ObservedTuning((job(),), {}, {REVISION: record(AttemptState.SUCCEEDED)}, NOON + SETTLING)

    (create,) = plan_tuning(replace(TUNING, on_model_lost="retrain"), observed).actions

    assert isinstance(create, Create)
    assert (create.attempt, create.lost) == (2, True)


def test_an_end_that_nobody_recorded_is_recorded() -> None:
    ended = ObservedTuning((job(JobState.FAILED),), {}, {REVISION: record(AttemptState.KNOWN, model="")})
    succeeded = replace(DONE, records={REVISION: record(AttemptState.KNOWN, model="")})

    assert kinds(plan_tuning(TUNING, ended).actions) == [Settle]
    assert kinds(plan_tuning(TUNING, succeeded).actions) == [Settle]
    assert kinds(plan_tuning(with_epochs(6), ended).actions) == [Create, Settle]


def test_a_cancel_that_lost_to_success_leaves_a_revision_that_is_kept() -> None:
    asked = record(AttemptState.KNOWN, model="", superseded=True)
    observed = replace(DONE, records={REVISION: asked})

    assert Settle(REVISION, JOB) in plan_tuning(with_epochs(6), observed).actions
    assert kinds(plan_tuning(TUNING, observed).actions) == [Settle]


def test_a_copy_that_the_job_has_read_goes_while_it_runs() -> None:
    running = job(JobState.RUNNING, steps=40, model="")
    known = record(AttemptState.KNOWN, fence="gs://demo-data/attempts/x/1.jsonl", model="")

    plan = plan_tuning(TUNING, ObservedTuning((running,), {}, {REVISION: known}))

    assert kinds(plan.actions) == [Unfence, Wait]


def test_an_unresolved_attempt_at_another_revision_is_revoked_too() -> None:
    other = record(AttemptState.SENT, tuning=with_epochs(6), job="", model="", holder="host:1:x")
    observed = replace(DONE, records={**DONE.records, OTHER: replace(other, wanted=None)})

    (revoke,) = plan_tuning(TUNING, observed).actions

    assert isinstance(revoke, Revoke)
    assert revoke.revision == OTHER


def twice(*states: JobState) -> tuple[Job, ...]:
    labels = job().labels
    return tuple(
        job(state, name=f"{JOB}{n}", labels={**labels, "tuneform-attempt": str(n)})
        for n, state in enumerate(states, 1)
    )


def test_of_two_live_jobs_of_a_revision_the_one_that_the_ledger_knows_stays() -> None:
    first, second = jobs = twice(JobState.RUNNING, JobState.RUNNING)
    attempts = (
        Attempt(1, AttemptState.REVOKED, "unknown", doubted=True),
        Attempt(2, AttemptState.KNOWN, "again", job=second.name),
    )
    known = replace(record(AttemptState.KNOWN), attempts=attempts)

    plan = plan_tuning(TUNING, ObservedTuning(jobs, {}, {REVISION: known}))

    assert plan.job == second
    assert [a.job for a in plan.actions if isinstance(a, Cancel)] == [first.name]


def test_the_job_of_a_revoked_attempt_is_adopted_while_no_newer_one_was_begun() -> None:
    (late,) = twice(JobState.RUNNING)
    revoked = record(AttemptState.REVOKED, job="", model="", doubted=True)

    assert kinds(plan_tuning(TUNING, ObservedTuning((late,), {}, {REVISION: revoked})).actions) == [
        Adopt,
        Wait,
    ]


def test_a_second_model_of_a_revision_is_retired() -> None:
    first, second = jobs = twice(JobState.SUCCEEDED, JobState.SUCCEEDED)
    observed = ObservedTuning(jobs, {first.name: model(), second.name: model()}, {}, NOON)

    plan = plan_tuning(TUNING, observed)

    assert plan.job == first
    assert [a.job for a in plan.actions if isinstance(a, Retire)] == [second.name]


def test_a_deletion_policy_is_noted_for_the_day_when_the_document_is_gone() -> None:
    (note,) = plan_tuning(replace(TUNING, retain=True), DONE).actions

    assert isinstance(note, Note)
    assert [str(change) for change in note.changes] == ["deletionPolicy Delete → Retain"]


def test_without_a_tuned_model_two_earlier_revisions_are_kept() -> None:
    records, jobs = {REVISION: record(AttemptState.SUCCEEDED)}, [job()]
    for hour in (7, 8, 9):
        tuning = with_epochs(hour)
        old = replace(
            record(AttemptState.SUCCEEDED, tuning=tuning, job=f"{JOB}{hour}"), wanted=NOON.replace(hour=hour)
        )
        records[old.revision] = old
        jobs.append(job(of=old.revision, name=f"{JOB}{hour}"))
    observed = ObservedTuning(tuple(jobs), {j.name: model() for j in jobs}, records, NOON)

    (retire,) = plan_tuning(replace(TUNING, keep=2), observed).actions

    assert isinstance(retire, Retire)
    assert retire.revision == revision(with_epochs(7))


def test_a_job_under_an_earlier_name_is_adopted_by_the_new_one() -> None:
    (adopt, patch) = plan_tuning(replace(TUNING, name="topics", previous_names=("intents",)), DONE).actions

    assert isinstance(adopt, Adopt)
    assert isinstance(patch, PatchModel)


REVISIONS = {REVISION: TUNING, OTHER: with_epochs(6)}
JOBS = st.lists(
    st.builds(
        lambda state, of, number: job(state, of=of, name=f"{PROJECT.parent}/tuningJobs/{number}"),
        st.sampled_from(JobState),
        st.sampled_from(sorted(REVISIONS)),
        st.integers(1, 9),
    ),
    max_size=4,
    unique_by=lambda job: job.name,
)


def attempts(draw: st.DrawFn, jobs: list[Job], tuning: Tuning) -> Record | None:
    states = draw(st.lists(st.sampled_from(AttemptState), max_size=3))
    named = st.sampled_from([JOB, "", *(job.name for job in jobs)])
    made = tuple(
        Attempt(n, state, "", job=draw(named), model=MODEL, doubted=draw(st.booleans()))
        for n, state in enumerate(states, 1)
    )
    wanted = draw(st.sampled_from([None, NOON, LATER]))
    known = Record("demo", tuning.name, revision(tuning), recipe(tuning), made, wanted=wanted)
    return known if made else None


@st.composite
def worlds(draw: st.DrawFn) -> ObservedTuning:
    jobs = draw(JOBS)
    models = {j.name: model() for j in jobs if j.model and draw(st.booleans())}
    records = {of: attempts(draw, jobs, tuning) for of, tuning in REVISIONS.items()}
    return ObservedTuning(
        tuple(jobs), models, {of: known for of, known in records.items() if known}, NOON + SETTLING
    )


@given(worlds())
def test_whatever_is_live_a_plan_never_pays_for_what_is_there(observed: ObservedTuning) -> None:
    plan = plan_tuning(TUNING, observed)

    creates = [action for action in plan.actions if isinstance(action, Create)]
    known = observed.records.get(REVISION)
    alive = [j for j in observed.jobs if j.revision == REVISION and usable(j, observed)]
    assert len(creates) <= 1
    if alive or (known and known.last and known.last.state.unresolved):
        assert not creates
    for create in creates:
        assert create.revision == REVISION
        assert create.attempt == (len(known.attempts) if known else 0) + 1
    assert plan == plan_tuning(TUNING, observed)


@given(worlds())
def test_what_a_plan_waits_for_cancels_or_retires_is_there(observed: ObservedTuning) -> None:
    plan = plan_tuning(TUNING, observed)

    for action in plan.actions:
        match action:
            case Cancel(job=name):
                found = observed.job(name)
                assert found is not None
                assert found.live
                assert plan.job is None or name != plan.job.name
            case Retire(job=name):
                assert plan.job is None or name != plan.job.name
            case Settle(job=name):
                found = observed.job(name)
                assert found is not None
                assert found.state.ended


def test_labels_edited_while_the_job_runs_are_foreseen_for_its_model() -> None:
    running = job(JobState.RUNNING)
    observed = ObservedTuning((running,), {}, {REVISION: record(AttemptState.KNOWN, model="")})
    edited = replace(TUNING, labels={"team": "b"}, description="new")

    assert kinds(plan_tuning(TUNING, observed).actions) == [Wait]
    wait, later = plan_tuning(edited, observed).actions
    assert isinstance(wait, Wait)
    assert explain(later) == (
        f"then, once {REVISION} has succeeded: updates the model, no training: labels.team = b, "
        "description '' → new"
    )
