"""Change and effect: every row of DESIGN §4, from the plan's words to what is live."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.faults import machine_checks as checks
from tests.faults.machine_documents import PROJECT, Doc
from tests.faults.machine_lab import Lab, lab
from tests.faults.stage import quick_steps

from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Cancel,
    Create,
    Later,
    Measure,
    PatchEndpoint,
    PatchModel,
    Promote,
    Retire,
    explain,
)
from tuneform.reconcile.desired import Desired

DOC = Doc("alpha", labels=(("team", "a"),), keep=1)
EDITED = replace(DOC, mark="B")


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick_steps():
        yield


@pytest.fixture
def empty() -> Iterator[Lab]:
    with lab() as found:
        yield found


@pytest.fixture
def made(empty: Lab) -> Lab:
    """A lab in which the document serves."""
    assert not empty.apply(DOC).failures
    return empty


def planned(made: Lab, *docs: Doc) -> dict[str, tuple[Action, ...]]:
    """What the plan would do, by item."""
    return {item.key: item.actions for item in made.plan(*docs)[1].changes}


def kinds(actions: tuple[Action, ...]) -> list[type]:
    """The types of actions, those for later as what they will be."""
    return [type(action.action if isinstance(action, Later) else action) for action in actions]


def paid(made: Lab) -> int:
    return len(checks.paid(made.world))


def settled(made: Lab, *docs: Doc) -> None:
    """Apply; then nothing is left to do."""
    assert not made.apply(*docs).failures
    assert planned(made, *docs) == {}
    assert not checks.copies(made.world)


def hold(made: Lab, phase: str = "capacity") -> list[str]:
    """From now on jobs stop at a phase."""
    return made.control.order({"jobs": {"phase": phase, "times": 0}, "effect": {"kind": "stuck"}})


# Labels, description, display name.


def test_labels_and_description_are_patched_on_model_and_endpoint_without_training(made: Lab) -> None:
    edited = replace(DOC, labels=(("stage", "two"), ("team", "b")), description="of colours")

    plan = planned(made, edited)

    words = ["labels.stage = two", "labels.team a → b", "description '' → of colours"]
    (model,), (endpoint,) = plan["TuningJob alpha"], plan["TunedModel alpha"]
    assert isinstance(model, PatchModel)
    assert isinstance(endpoint, PatchEndpoint)
    assert [str(change) for change in model.changes] == words
    assert [str(change) for change in endpoint.changes] == words
    settled(made, edited)
    assert paid(made) == 1


# Service account, validation and test data.


def test_another_service_account_trains_nothing(made: Lab) -> None:
    tuning = replace(DOC.tuning, service_account="tuner@demo-project.iam.gserviceaccount.com")
    wanted = Desired(PROJECT, (tuning,), (DOC.serving,), whole=False)

    assert made.run(wanted).done == ()
    assert paid(made) == 1


def test_other_validation_data_trains_nothing(made: Lab) -> None:
    tuning = replace(DOC.tuning, validation=EDITED.tuning.validation)

    assert made.run(Desired(PROJECT, (tuning,), (DOC.serving,), whole=False)).done == ()
    assert paid(made) == 1


def test_other_test_data_is_measured_again_and_trains_nothing(made: Lab) -> None:
    edited = replace(DOC, asks=3)

    (action,) = planned(made, edited)["TunedModel alpha"]

    assert isinstance(action, Measure)
    settled(made, edited)
    assert paid(made) == 1
    _, record = checks.records(made.world)[-1]
    assert len({gate["digest"] for gate in record["gates"] if gate["metric"] == "exactMatch"}) == 2


def test_other_test_data_of_a_gate_that_does_not_look_at_it_changes_nothing_live(empty: Lab) -> None:
    doc = replace(DOC, gate="none")
    assert not empty.apply(doc).failures

    settled(empty, replace(doc, asks=3))
    assert paid(empty) == 1


# Checkpoint, gate, keep.


def test_another_checkpoint_is_a_promotion_and_no_training(empty: Lab) -> None:
    doc = replace(DOC, epochs=2)
    assert not empty.apply(doc).failures
    edited = replace(doc, checkpoint=1)

    actions = planned(empty, edited)["TunedModel alpha"]

    assert kinds(actions)[0] is Promote
    settled(empty, edited)
    assert paid(empty) == 1
    (serving,) = checks.traffic(empty.world, "alpha")
    assert serving.checkpoint == "1"


def test_the_best_checkpoint_is_the_one_with_the_least_loss(empty: Lab) -> None:
    doc = replace(DOC, epochs=2, checkpoint="best")

    settled(empty, doc)

    (job,) = empty.ports.reader.jobs(PROJECT, "alpha")
    losses = dict(empty.ports.reader.curves(job).eval_loss)
    best = min(job.checkpoints, key=lambda checkpoint: losses[checkpoint.step])
    assert checks.traffic(empty.world, "alpha")[0].checkpoint == best.id


def test_a_stricter_gate_that_what_serves_does_not_pass_says_so_and_it_serves_on(made: Lab) -> None:
    edited = replace(DOC, gate="hard")

    (failure,) = made.apply(edited).failures

    assert "did not pass its gate" in failure.error.message
    (action,) = planned(made, edited)["TunedModel alpha"]
    assert isinstance(action, Blocked)
    assert "It serves all the same" in action.reason
    assert made.ask(DOC.serving.endpoint) == "green A"
    settled(made, DOC)
    assert paid(made) == 1


def test_a_smaller_keep_retires_and_trains_nothing(made: Lab) -> None:
    settled(made, EDITED)
    edited = replace(EDITED, keep=0)

    (action,) = planned(made, edited)["TunedModel alpha"]

    assert isinstance(action, Retire)
    assert action.revision == DOC.revision
    settled(made, edited)
    assert checks.models(made.world) == {EDITED.revision: 1}
    assert paid(made) == 2


# Anything in the recipe.


def test_a_changed_recipe_is_one_job_and_the_old_one_serves_until_the_gate_is_passed(made: Lab) -> None:
    stuck = hold(made)

    plan = planned(made, EDITED)
    (create,) = plan["TuningJob alpha"]
    assert isinstance(create, Create)
    assert (create.attempt, create.cause) == (1, "recipe changed")
    assert [change.path for change in create.changes] == ["training"]
    assert kinds(plan["TunedModel alpha"])[0] is Promote
    assert explain(plan["TunedModel alpha"][0]).startswith(
        f"then, once {EDITED.revision} has succeeded and passed its gate: promotes {EDITED.revision}"
    )

    made.apply(EDITED, wait=False)
    assert made.ask(DOC.serving.endpoint) == "green A"
    made.control.take_back(*stuck)
    settled(made, EDITED)
    assert made.ask(DOC.serving.endpoint) == "green B"
    assert paid(made) == 2


def test_a_job_of_a_superseded_recipe_is_cancelled(empty: Lab) -> None:
    stuck = hold(empty)
    empty.apply(DOC, wait=False)

    actions = planned(empty, EDITED)["TuningJob alpha"]

    assert {Create, Cancel} == set(kinds(actions))
    empty.apply(EDITED, wait=False)
    empty.control.take_back(*stuck)
    settled(empty, EDITED)
    states = Counter(job["state"] for job in checks.jobs(empty.world))
    assert states == {"JOB_STATE_CANCELLED": 1, "JOB_STATE_SUCCEEDED": 1}


def test_a_job_of_a_superseded_recipe_is_finished_where_the_spec_says_so(empty: Lab) -> None:
    stuck = hold(empty)
    empty.apply(DOC, wait=False)
    edited = replace(EDITED, finish=True)

    assert Cancel not in kinds(planned(empty, edited)["TuningJob alpha"])
    empty.apply(edited, wait=False)
    empty.control.take_back(*stuck)
    settled(empty, edited)
    while any(job["state"] not in checks.ENDED for job in checks.jobs(empty.world)):
        empty.ports.clock.wait(1)
    settled(empty, edited)
    assert checks.models(empty.world) == {DOC.revision: 1, EDITED.revision: 1}
    assert empty.ask(DOC.serving.endpoint) == "green B"


# Back to a recipe that is still kept, or is not.


def test_back_to_a_kept_recipe_is_adopted_and_costs_nothing(made: Lab) -> None:
    settled(made, EDITED)

    actions = planned(made, DOC)["TuningJob alpha"]

    assert kinds(actions) == [Adopt]
    assert "no cost" in explain(actions[0])
    settled(made, DOC)
    assert paid(made) == 2
    assert made.ask(DOC.serving.endpoint) == "green A"


def test_back_to_a_recipe_that_was_retired_is_trained_again_with_the_cause_recorded(made: Lab) -> None:
    settled(made, replace(EDITED, keep=0))

    (create,) = [a for a in planned(made, DOC)["TuningJob alpha"] if isinstance(a, Create)]

    assert (create.attempt, create.cause) == (2, "retired earlier, asked for again")
    settled(made, DOC)
    assert paid(made) == 3


def test_back_to_a_recipe_whose_job_was_superseded_is_asked_for_again(empty: Lab) -> None:
    stuck = hold(empty)
    empty.apply(DOC, wait=False)
    empty.apply(EDITED, wait=False)
    empty.control.take_back(*stuck)
    settled(empty, EDITED)

    (create,) = [a for a in planned(empty, DOC)["TuningJob alpha"] if isinstance(a, Create)]

    assert create.cause == "cancelled when it was superseded, asked for again"
    settled(empty, DOC)


def test_a_cancellation_that_loses_to_success_leaves_a_kept_revision(empty: Lab) -> None:
    """The job succeeds between the look and the call: the revision is kept, and adopted when it is asked for."""
    stuck = hold(empty)
    empty.apply(DOC, wait=False)
    barrier = empty.control.hold(method="POST", path="tuningJobs/[0-9]+:cancel$")
    empty.control.take_back(*stuck)

    def let_it_win() -> None:
        empty.control.held(1)
        while any(job["state"] not in checks.ENDED for job in checks.jobs(empty.world)[:1]):
            empty.ports.clock.wait(1)
        empty.control.remove(barrier)

    winner = threading.Thread(target=let_it_win, daemon=True)
    winner.start()
    settled(empty, EDITED)
    winner.join(60)

    assert {job["state"] for job in checks.jobs(empty.world)} == {"JOB_STATE_SUCCEEDED"}
    assert kinds(planned(empty, DOC)["TuningJob alpha"]) == [Adopt]
    settled(empty, DOC)
    assert paid(empty) == 2


# The job failed, or was cancelled.

FAILS = {"jobs": {"phase": "tuning"}, "effect": {"kind": "failed", "code": 8, "message": "no capacity"}}


def test_a_failed_job_is_shown_with_its_reason_and_a_remedy(empty: Lab) -> None:
    with empty.control.met(FAILS):
        (failure, *_) = empty.apply(DOC).failures

    assert f"the tuning job of {DOC.revision} failed: no capacity" in failure.error.message
    assert "limits.retries" in failure.error.remedy
    assert empty.apply(DOC).failures
    assert paid(empty) == 1


def test_a_failed_job_is_tried_again_within_retries_and_no_further(empty: Lab) -> None:
    doc = replace(DOC, retries=1)
    fails = {**FAILS, "jobs": {"phase": "tuning", "times": 2}}
    with empty.control.met(fails):
        (failure, *_) = empty.apply(doc).failures

    assert "failed: no capacity" in failure.error.message
    assert paid(empty) == 2
    settled(empty, replace(doc, retries=2))
    causes = {a["number"]: a["cause"] for _, r in checks.records(empty.world) for a in r["attempts"]}
    assert paid(empty) == 3
    assert causes[2].startswith(("retry 1 of 1 after: ", "no capacity"))


def test_a_job_that_was_cancelled_by_others_is_never_promoted(empty: Lab) -> None:
    stuck = hold(empty)
    empty.apply(DOC, wait=False)
    (job,) = empty.ports.reader.jobs(PROJECT, "alpha")
    empty.ports.writer.cancel_job(job.name)
    empty.control.take_back(*stuck)

    (failure, *_) = empty.apply(DOC).failures

    assert "was cancelled, and a cancelled model is never promoted" in failure.error.message
    assert "epochCount" in failure.error.remedy
    assert checks.traffic(empty.world, "alpha") == ()
    assert len(empty.ports.reader.jobs(PROJECT, "alpha")) == 1, "no other job was made"


# The way of serving.


def test_from_a_pointer_to_an_endpoint_is_a_promotion_and_leaves_no_pointer(empty: Lab) -> None:
    settled(empty, replace(DOC, pointer=True))

    settled(empty, DOC)

    assert paid(empty) == 1
    assert checks.pointers(empty.world) == {}
    assert empty.ask(DOC.serving.endpoint) == "green A"


def test_from_an_endpoint_to_a_pointer_is_explained_where_nothing_can_be_pointed_to(made: Lab) -> None:
    """The endpoint that Vertex made for the checkpoint is gone since the promotion."""
    (failure,) = made.apply(replace(DOC, pointer=True)).failures

    assert "nothing to point to" in failure.error.message
    assert failure.error.remedy == (
        "use serving: endpoint, which it was promoted for; or change the recipe, and the new revision has its own"
    )
    assert made.ask(DOC.serving.endpoint) == "green A"
    assert paid(made) == 1
